// Every message of the WebSocket, in both directions, held against docs/asyncapi.yaml; and what the file says may not be
// said is refused.
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { asyncapi, faultsOfFrame, follow } from '../support/api_files.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession, join, knock, openRoom } from '../support/member.mjs';
import { frame, joinRaw, opcode } from '../support/raw_websocket.mjs';
import { startRedis } from '../support/redis.mjs';
import { startServer } from '../support/server.mjs';
import { until, untilFilmsAreKnown } from '../support/until.mjs';

const SECONDS = 2;
const LONG = `Three ${'a'.repeat(240)}`; // forty of these, and who has added them, need several messages
const SITE = 'https://films.example';
const { fromServer, fromMember } = Object.fromEntries(Object.entries(asyncapi.channels).map(([name, { messages }]) => [name, messages]));
let media;
let server;
const people = []; // whose frames are looked at
const ends = new Set(); // close codes

before(async () => {
  media = await makeMedia(['One', 'Two', LONG].map((name) => ({ name, seconds: SECONDS })));
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--message-rate', '0', '--workers', '1', '--allow-source', SITE] });
  await untilFilmsAreKnown(server);
});

after(async () => {
  await server?.stop();
  await media?.remove();
});

// Also what came before it was known here.
function watched(...members) {
  people.push(...members);
  for (const member of members) member.closed.then(({ code }) => ends.add(code));
  return members;
}

// Says it, and sees that it is what the file calls so.
function say(member, type, fields = {}) {
  assert.deepEqual(faultsOfFrame('fromMember', { type, ...fields }), []);
  member.send(type, fields);
}

async function room(count, settings) {
  const all = await openRoom(server, count, settings);
  watched(...all.slice(0, count));
  return all;
}

const refusedWith = async (member) => (await member.next('error')).code;

describe('members say', () => {
  test('what plays, when and how fast', async () => {
    const [ann, ben] = await room(2, { video: 'one' });
    say(ann, 'play', { countdownMs: 0 });
    await ben.next('state', ({ cause }) => cause === 'play');
    for (const [type, fields] of [['pause', {}], ['seek', { position: 0.5 }], ['rate', { rate: 2 }], ['load', { video: 'two' }]]) {
      say(ann, type, fields);
      await ben.next('state', ({ cause }) => cause === type);
    }
    say(ann, 'load', { url: `${SITE}/film.mp4`, duration: 1 });
    await ben.next('state', ({ url }) => url);
    say(ben, 'play');
    assert.equal(await refusedWith(ben), 'not_host');
    say(ann, 'load', { video: 'three' });
    assert.equal(await refusedWith(ann), 'no_such_video');
  });

  test('who is who, who controls, and who is ready', async () => {
    const [ann, ben, , session] = await room(3);
    say(ann, 'settings', { control: 'everyone', onStall: 'wait', audioLanguage: 'de', queue: 'host', controllers: [ben.id], door: 'open' });
    await ben.next('settings');
    say(ben, 'name', { name: 'Ben' });
    say(ben, 'ready', { ready: true });
    await ann.next('members', ({ ready }) => ready === 1);
    say(ann, 'give', { to: ben.id });
    await ann.next('host', ({ reason }) => reason === 'given');
    say(ann, 'claim', { hostToken: session.hostToken });
    await ben.next('host', ({ reason }) => reason === 'claimed');
    say(ann, 'kick', { id: 'm99' });
    assert.equal(await refusedWith(ann), 'no_such_member');
    await ben.drop();
    await ann.next('members', ({ left }) => left.length > 0);
    const [back] = watched(await join(server, session.key, { resume: ben.resume }));
    assert.equal(back.welcome.you.ready, true);
    const [again] = watched(await join(server, session.key, { resume: ben.resume }));
    assert.equal(await back.closeCode(), 4002);
    say(ann, 'kick', { id: again.id });
    assert.equal(await again.closeCode(), 4004);
    say(ann, 'end');
    assert.equal(await ann.closeCode(), 4001);
  });

  test('how their own playing is', async () => {
    const [ann, ben] = await room(2, { video: 'one', onStall: 'wait' });
    const report = { driftMs: 1.5, rttMs: 20, buffering: false, position: 1, form: 'copy', cannotPlay: true };
    say(ben, 'ready', { ready: true });
    say(ben, 'report', report);
    await ann.next('viewers', ({ list }) => list.some(({ ready }) => ready));
    say(ann, 'play');
    await ben.next('state');
    say(ben, 'report', { ...report, buffering: true, cannotPlay: false });
    await ann.next('waiting');
    say(ben, 'report', { ...report, cannotPlay: false, ownPace: true, firstFrameMs: 812 });
    await ann.next('state', ({ cause }) => cause === 'resume');
  });

  test('what they have to say', async () => {
    const [ann, { key }] = await room(1);
    say(ann, 'chat', { text: 'Hello' });
    await ann.next('chat');
    const raw = await joinRaw(server, key);
    raw.write(Buffer.concat(['👍', '🎉'].map((emoji) => frame(opcode.text, JSON.stringify({ type: 'reaction', emoji })))));
    await ann.next('reaction', ({ more }) => more);
    raw.end();
    const [ben] = watched(await join(server, key));
    await ben.next('history');
    for (let i = 0; i < 200; i += 1) ben.send('reaction', { emoji: '👍' });
    assert.equal(await refusedWith(ben), 'rate_limited');
  });

  test('what comes next', async () => {
    const [ann, ben, { key }] = await room(2, { video: 'one' });
    for (const video of ['two', 'one', 'two']) say(ben, 'enqueue', { video, at: 0 });
    const { list: [first, second] } = await ann.next('queue', ({ list }) => list.length === 3);
    say(ann, 'move', { item: second.item, at: 0 });
    say(ben, 'dequeue', { item: first.item });
    say(ann, 'jump', { item: second.item });
    await ben.next('state', ({ cause }) => cause === 'load');
    say(ann, 'next');
    await ben.next('state', ({ cause }) => cause === 'load');
    say(ann, 'next');
    assert.equal(await refusedWith(ann), 'no_such_item');
    say(ben, 'name', { name: 'x'.repeat(40) });
    const { videos } = await (await fetch(`${server.origin}/api/videos?query=three`)).json();
    for (let i = 0; i < 40; i += 1) say(ben, 'enqueue', { video: videos[0].id });
    await ann.next('queue', ({ from, list }) => from + list.length === 40);
    say(ann, 'play', { position: SECONDS - 0.2 });
    await ben.next('upNext', ({ item }) => item !== null);
    const [cem] = watched(await join(server, key));
    assert.ok(cem.welcome.upNext);
    await cem.next('queue', ({ from }) => from > 0);
    say(ann, 'cancelNext');
    await ben.next('upNext', ({ item }) => item === null);
  });
});

describe('doors and ends', () => {
  test('who knocks, and who answers', async () => {
    const session = await createSession(server, { door: 'knock' });
    const [ann] = watched(await join(server, session.key, { host: session.hostToken }));
    const [ben, cem, dan] = watched(...await Promise.all(['Ben', 'Cem', 'Dan'].map((name) => knock(server, session.key, { name }))));
    const idOf = async (name) => (ann.of('knock').find((told) => told.name === name) ?? await ann.next('knock', (told) => told.name === name)).id;
    say(ben, 'chat', { text: 'Hello?' });
    assert.equal(await refusedWith(ben), 'not_admitted');
    say(ben, 'ping', { id: 1, t1: 'a' });
    await ben.next('pong');
    say(ann, 'admit', { id: await idOf('Ben') });
    await ben.next('welcome');
    say(ann, 'refuse', { id: await idOf('Cem') });
    assert.equal(await cem.closeCode(), 4005);
    await dan.close();
    await ann.next('knock', ({ gone }) => gone);
  });

  test('a host that is away, and nobody to follow it', async () => {
    const [ann, ben, { key }] = await room(2);
    await ann.drop();
    await ben.next('members', ({ hostAway }) => hostAway);
    const [cem] = watched(await join(server, key));
    assert.equal(cem.welcome.hostAway.next, ben.id);
  });

  test('what breaks the protocol', async () => {
    const { key } = await createSession(server);
    const text = (payload, options) => frame(opcode.text, payload, options);
    for (const [code, bytes] of [
      [1002, text('{}', { masked: false })], [1003, frame(opcode.binary, 'x')], [1007, text(Buffer.from([0xff]))], [1009, text('x'.repeat(17_000))],
      [1008, Buffer.concat([text('x', { fin: false }), ...Array.from({ length: 300 }, () => frame(opcode.continuation, 'x', { fin: false }))])],
    ]) {
      const raw = await joinRaw(server, key);
      raw.write(bytes);
      assert.equal(await raw.closeCode(), code);
      ends.add(code);
    }
  });

  test('a server that ends, and one whose members say too much', async () => {
    const ending = await startServer({ args: ['--media', media.directory] });
    const { key } = await createSession(ending);
    const [ann, ben] = watched(await join(ending, key), await join(ending, key));
    for (let i = 0; i < 2_000; i += 1) ben.send('ping', { id: i, t1: 0 });
    assert.equal(await ben.closeCode(), 4008);
    process.kill(ending.pid, 'SIGTERM');
    await ann.next('notice', ({ code }) => code === 'draining');
    assert.equal(await ann.closeCode(), 1001);
    await ending.stop();
  });

  test('a store that goes and comes back', async () => {
    const redis = await startRedis();
    const node = await startServer({ args: ['--media', media.directory, '--redis', redis.url, '--drain', '1s'] });
    try {
      await until(async () => (await fetch(`${node.adminOrigin}/readyz`)).status === 200, 'the node to be ready');
      const { key } = await createSession(node);
      const [ann] = watched(await join(node, key));
      await redis.kill();
      await ann.next('notice', ({ code }) => code === 'degraded');
      await redis.start();
      await ann.next('notice', ({ code }) => code === 'restored');
      await ann.close();
    } finally {
      await node.stop();
      await redis.stop();
    }
  });
});

// --- What the file does not allow -----------------------------------------------------------------------------------

const settled = (schema) => (schema.$ref ? follow(schema.$ref, 'asyncapi.yaml') : schema);
const textOf = (length) => 'x'.repeat(length);
const listOf = (length) => Array.from({ length }, (_, i) => `m${i + 1}`);

// [value, the codes with which it is refused] of what that field may not be.
function wrongValues(schema) {
  const { type = 'string', minimum, maximum, minLength, maxLength, maxItems, pattern } = settled(schema);
  const isText = [type].flat().includes('string');
  const ofAnotherType = [type].flat().length > 1 ? [] : isText ? 7 : 'x';
  return [
    [ofAnotherType, ['bad_message']],
    ...settled(schema).enum ? [['x', ['bad_message']]] : [],
    ...minimum !== undefined ? [[minimum - 0.25, ['out_of_range']]] : [],
    ...maximum !== undefined ? [[maximum + 1, ['out_of_range']]] : [],
    ...minLength ? [['', ['out_of_range']]] : [],
    ...maxLength ? [[pattern === '^https://' ? `https://${textOf(maxLength)}` : textOf(maxLength + 1), ['out_of_range']]] : [],
    ...maxItems ? [[listOf(maxItems + 1), ['out_of_range']]] : [],
    ...pattern ? [['?', ['bad_message', 'no_such_video']]] : [],
  ];
}

// The outermost of what it may be.
function rightValues(schema) {
  const { enum: names = [], minimum, maximum, minLength, maxLength, maxItems, pattern } = settled(schema);
  return [
    ...names,
    ...[minimum, maximum].filter((value) => value !== undefined),
    ...[minLength, maxLength].filter((value) => value !== undefined && pattern !== '^https://').map(textOf),
    ...maxItems ? [listOf(maxItems)] : [],
  ];
}

const BY_SHAPE = ['bad_json', 'bad_message', 'unknown_type', 'out_of_range'];

for (const [type, { payload, examples }] of Object.entries(fromMember)) {
  test(`${type}: what the file allows is taken, what it forbids is refused`, async () => {
    const example = examples.at(-1).payload;
    const { properties, required = [] } = payload;
    const [ann] = await room(1);
    const answerTo = async (message) => {
      const before = ann.all.length;
      ann.send(message.type, message);
      await ann.settled();
      return ann.all.slice(before).find(({ re }) => re === type)?.code ?? '';
    };
    const fields = Object.keys(properties).filter((name) => name !== 'type');
    for (const name of required.filter((one) => one !== 'type')) {
      const { [name]: left, ...message } = example;
      assert.equal(await answerTo(message), 'bad_message', `${type} without ${name}`);
    }
    for (const { required: [name] } of payload.oneOf ?? []) {
      const whole = examples.map((one) => one.payload).find((one) => one[name] !== undefined);
      const { [name]: left, ...message } = whole;
      for (const wrong of [message, { ...Object.assign({}, ...examples.map((one) => one.payload)) }]) assert.equal(await answerTo(wrong), 'bad_message', JSON.stringify(wrong));
    }
    for (const name of fields) {
      const base = examples.map((one) => one.payload).find((one) => one[name] !== undefined);
      assert.ok(base, `no example of ${type} has ${name}`);
      for (const [value, codes] of wrongValues(properties[name])) {
        const message = { ...base, [name]: value };
        assert.notDeepEqual(faultsOfFrame('fromMember', message), [], `the file allows ${JSON.stringify(message)}`);
        const code = await answerTo(message);
        assert.ok(codes.includes(code), `${JSON.stringify(message).slice(0, 200)}: ${code || 'taken'}, not ${codes}`);
      }
      for (const value of type === 'end' ? [] : rightValues(properties[name])) {
        const message = { ...base, [name]: value };
        assert.deepEqual(faultsOfFrame('fromMember', message), []);
        assert.ok(!BY_SHAPE.includes(await answerTo(message)), `${JSON.stringify(message).slice(0, 200)} is refused`);
      }
    }
    for (const one of type === 'end' ? [] : examples) assert.ok(!BY_SHAPE.includes(await answerTo(one.payload)), JSON.stringify(one.payload));
  });
}

test('what is no message', async () => {
  const [ann] = await room(1);
  for (const [text, code] of [['{', 'bad_json'], ['[]', 'bad_message'], ['{"type":"no-such"}', 'unknown_type'], ['{"type":7}', 'bad_message']]) {
    ann.sendText(text);
    assert.equal(await refusedWith(ann), code);
  }
});

// --- What has come --------------------------------------------------------------------------------------------------

const allFrames = () => people.flatMap(({ all }) => all.map(({ receivedMs, ...message }) => message));

test('every frame that came is what the file says', () => {
  const frames = allFrames();
  assert.ok(frames.length > 200);
  for (const message of frames) assert.deepEqual(faultsOfFrame('fromServer', message), [], JSON.stringify(message).slice(0, 500));
});

// What takes other faults than these; who sees to it.
const SEEN_ELSEWHERE = { upload: 'uploads', undone: 'redis_lost', queue_full: 'ws_queue', unavailable: 'redis_outage', left: 'ws_host', joined: 'ws_host', 1011: 'nobody', 4003: 'ws_slow_reader' };

test('nothing that is described was left out', () => {
  const frames = allFrames();
  const others = (all, seen) => [...all].filter((one) => !seen.includes(one) && !(one in SEEN_ELSEWHERE));
  const valuesOf = (type, field) => frames.filter((message) => message.type === type).map((message) => message[field]);
  assert.deepEqual(others(Object.keys(fromServer), frames.map(({ type }) => type)), []);
  for (const [type, field] of [['error', 'code'], ['notice', 'code'], ['host', 'reason']]) {
    assert.deepEqual(others(fromServer[type].payload.properties[field].enum, valuesOf(type, field)), []);
  }
  const causes = follow('#/components/schemas/StateFields', 'asyncapi.yaml').allOf[1].properties.cause.enum;
  assert.deepEqual(others(causes, valuesOf('state', 'cause')), []);
  assert.deepEqual(others(Object.keys(asyncapi.channels.fromServer['x-close-codes']), [...ends].map(String)), []);
  for (const field of ['ready', 'form', 'cannotPlay']) assert.ok(frames.some(({ type, list }) => type === 'viewers' && list.some((one) => one[field])), `no viewers with ${field}`);
});
