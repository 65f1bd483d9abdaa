// What members say and what they are told: shapes, refusals, clocks, talk, rates.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSession, join, openRoom, sleep } from '../support/member.mjs';
import { joinRaw, text } from '../support/raw_websocket.mjs';
import { startServer } from '../support/server.mjs';

let server;

before(async () => {
  server = await startServer({ args: ['--media', 'tests/support', '--session-rate', '0', '--workers', '1'] });
});

after(() => server?.stop());

const room = (count, settings) => openRoom(server, count, settings);

const keysOf = (value) => Object.keys(value).sort();
const STATE_FIELDS = ['atMs', 'by', 'cause', 'epoch', 'playing', 'position', 'rate', 'seq', 'video'];

test('welcome is the first message, with the fields of the contract', async () => {
  const [ann, session] = await room(1);
  const ben = await join(server, session.key, { name: 'Ben' });
  const welcome = ben.all[0];
  assert.equal(welcome.type, 'welcome');
  delete welcome.receivedMs;
  assert.deepEqual(keysOf(welcome),
    ['host', 'members', 'protocol', 'reportEveryMs', 'serverTimeMs', 'session', 'state', 'type', 'you']);
  assert.equal(welcome.protocol, 1);
  assert.deepEqual(keysOf(welcome.you), ['id', 'name', 'resume', 'role']);
  assert.deepEqual([welcome.you.name, welcome.you.role], ['Ben', 'participant']);
  assert.deepEqual(welcome.session, { key: session.key, code: session.code, video: '', control: 'host', onStall: 'continue',
    queue: 'everyone', controllers: [], door: 'open' });
  assert.equal(welcome.host, ann.id);
  assert.deepEqual(keysOf(welcome.state), STATE_FIELDS);
  assert.deepEqual([welcome.state.playing, welcome.state.position, welcome.state.rate], [false, 0, 1]);
  assert.equal(welcome.members.count, 2);
  assert.deepEqual(welcome.members.list, [
    { id: ann.id, name: 'p0', role: 'host' },
    { id: ben.id, name: 'Ben', role: 'participant' },
  ]);
  assert.ok(Math.abs(welcome.serverTimeMs - Date.now()) < 5_000);
  assert.equal(welcome.reportEveryMs, 5_000);
});

test('a state goes to everyone, the sender too, with growing order', async () => {
  const [ann, ben, session] = await room(2, { control: 'everyone' });
  for (const [who, type, fields] of [
    [ann, 'play', {}], [ben, 'seek', { position: 10 }], [ann, 'rate', { rate: 1.5 }], [ben, 'pause', {}],
  ]) {
    who.send(type, fields);
    const [mine, theirs] = [await ann.next('state'), await ben.next('state')];
    assert.deepEqual([mine.cause, mine.by], [type, who.id]);
    assert.deepEqual({ ...mine, receivedMs: 0 }, { ...theirs, receivedMs: 0 });
    assert.deepEqual(keysOf(mine), [...STATE_FIELDS, 'receivedMs', 'type'].sort());
  }
  const order = ann.of('state').map(({ seq }) => seq);
  assert.deepEqual(order, [1, 2, 3, 4]);
  const late = await join(server, session.key);
  assert.equal(late.welcome.state.seq, 4);
});

test('every host command of a participant is refused, and nothing changes', async () => {
  const [ann, ben] = await room(2);
  await ben.next('members', ({ joined }) => joined.some(({ id }) => id === ben.id));
  ben.clear();
  const commands = {
    play: {}, pause: { position: 1 }, seek: { position: 1 }, rate: { rate: 2 }, load: { video: 'x' },
    give: { to: ben.id }, settings: { control: 'everyone' }, kick: { id: ann.id }, end: {},
    claim: { hostToken: 'f'.repeat(32) },
  };
  for (const [type, fields] of Object.entries(commands)) {
    ben.send(type, fields);
    const error = await ben.next('error');
    assert.deepEqual([error.code, error.re], ['not_host', type]);
    assert.ok(error.message.length > 5);
    assert.deepEqual(keysOf(error), ['code', 'message', 're', 'receivedMs', 'type']);
  }
  ben.send('claim', { hostToken: 'not a token' });
  assert.equal((await ben.next('error')).code, 'not_host');
  await ben.settled();
  await ann.settled();
  assert.deepEqual(ben.all.filter(({ type }) => type !== 'error' && type !== 'pong'), []);
  assert.equal(ann.of('state').length + ann.of('settings').length, 0);
});

const REFUSALS = [
  ['{"type":"play"', 'bad_json', ''],
  ['', 'bad_json', ''],
  ['{"type":"play"} x', 'bad_json', ''],
  ["{'type':'play'}", 'bad_json', ''],
  ['{"type":"chat","text":"\u0001"}', 'bad_json', ''],
  [`{"type":"play","x":${'['.repeat(16)}${']'.repeat(16)}}`, 'bad_json', ''],
  [`${'['.repeat(8_000)}`, 'bad_json', ''],
  ['[]', 'bad_message', ''],
  ['null', 'bad_message', ''],
  ['{}', 'bad_message', ''],
  ['{"type":7}', 'bad_message', ''],
  ['{"type":"welcome"}', 'unknown_type', ''],
  ['{"type":"Play"}', 'unknown_type', ''],
  ['{"type":"play","position":"1"}', 'bad_message', 'play'],
  ['{"type":"play","position":-1}', 'out_of_range', 'play'],
  ['{"type":"pause","position":-0.001}', 'out_of_range', 'pause'],
  ['{"type":"seek"}', 'bad_message', 'seek'],
  ['{"type":"seek","position":1e999}', null, 'seek'],
  ['{"type":"rate","rate":0.2}', 'out_of_range', 'rate'],
  ['{"type":"rate","rate":4.1}', 'out_of_range', 'rate'],
  ['{"type":"rate"}', 'bad_message', 'rate'],
  ['{"type":"load"}', 'bad_message', 'load'],
  ['{"type":"load","video":"no-such"}', 'no_such_video', 'load'],
  ['{"type":"load","video":""}', 'out_of_range', 'load'],
  ['{"type":"give"}', 'bad_message', 'give'],
  ['{"type":"give","to":"m999"}', 'no_such_member', 'give'],
  ['{"type":"give","to":"nobody"}', 'no_such_member', 'give'],
  ['{"type":"claim"}', 'bad_message', 'claim'],
  ['{"type":"settings"}', 'bad_message', 'settings'],
  ['{"type":"settings","control":"nobody"}', 'bad_message', 'settings'],
  ['{"type":"settings","onStall":1}', 'bad_message', 'settings'],
  ['{"type":"kick"}', 'bad_message', 'kick'],
  ['{"type":"kick","id":"m999"}', 'no_such_member', 'kick'],
  ['{"type":"ping","id":1}', 'bad_message', 'ping'],
  ['{"type":"ping","id":[],"t1":0}', 'bad_message', 'ping'],
  ['{"type":"report","driftMs":1,"rttMs":1}', 'bad_message', 'report'],
  ['{"type":"report","driftMs":"1","rttMs":1,"buffering":false}', 'bad_message', 'report'],
  ['{"type":"chat"}', 'bad_message', 'chat'],
  ['{"type":"chat","text":""}', 'out_of_range', 'chat'],
  [`{"type":"chat","text":"${'x'.repeat(501)}"}`, 'out_of_range', 'chat'],
  ['{"type":"reaction","emoji":""}', 'out_of_range', 'reaction'],
  ['{"type":"reaction","emoji":"12345678901234567"}', 'out_of_range', 'reaction'],
  ['{"type":"name","name":"  "}', 'out_of_range', 'name'],
  [`{"type":"name","name":"${'x'.repeat(41)}"}`, 'out_of_range', 'name'],
];

test('each malformed message is refused with its code, and the connection stays', async () => {
  const [first, session] = await room(1);
  await first.next('members');
  let host = first;
  for (const [i, [words, code, re]] of REFUSALS.entries()) {
    if (i % 30 === 29) {
      // Another connection of the same member has a rate of its own.
      host = await join(server, session.key, { resume: first.resume });
      assert.equal(host.id, first.id);
    }
    host.sendText(words);
    const error = await host.next('error');
    // A number beyond a double may be refused as malformed or as out of range.
    if (code === null) assert.ok(['bad_json', 'out_of_range'].includes(error.code), error.code);
    else assert.deepEqual([error.code, error.re], [code, re], `${words.slice(0, 80)}: ${error.message}`);
  }
  await host.settled();
  assert.equal(host.of('state').length, 0);
});

test('a pong echoes id and t1 as they were written', async () => {
  const [ann] = await room(1);
  const raw = [];
  ann.socket.on('message', (data) => raw.push(data.toString()));
  for (const [id, t1] of [
    ['1', '1.0e3'], ['"a\\u00e9\\n"', '-0'], ['0.10', '1e999'], ['12345678901234567890', '123456.789000'], ['""', '"x"'],
  ]) {
    raw.length = 0;
    ann.sendText(`{"t1":${t1},"type":"ping","id":${id}}`);
    while (!raw.some((words) => words.includes('"pong"'))) await sleep(2);
    const pong = raw.find((words) => words.includes('"pong"'));
    assert.ok(pong.includes(`"id":${id},"t1":${t1},"t2":`), pong);
  }
});

test('t2 and t3 are server time of receipt and of sending', async () => {
  const [ann] = await room(1);
  const offset = ann.welcome.serverTimeMs - Date.now();
  let last = 0;
  const errors = [];
  for (let i = 0; i < 10; i += 1) {
    const t1 = performance.timeOrigin + performance.now();
    ann.send('ping', { id: i, t1 });
    const pong = await ann.next('pong');
    const t4 = performance.timeOrigin + performance.now();
    assert.equal(pong.t1, t1);
    assert.ok(pong.t3 >= pong.t2 && pong.t2 >= last, 'server time steps back');
    assert.ok(pong.t3 - pong.t2 <= t4 - t1 + 1);
    // NTP's offset: the server's clock is ours here.
    errors.push({ error: Math.abs((pong.t2 - t1 + pong.t3 - t4) / 2), rtt: t4 - t1 });
    last = pong.t3;
  }
  const best = errors.sort((a, b) => a.rtt - b.rtt)[0];
  assert.ok(best.error <= best.rtt / 2 + 5, `${best.error} ms off over ${best.rtt} ms`);
  assert.ok(Math.abs(offset) < 5_000);
});

test('a name is told to everyone', async () => {
  const [ann, ben] = await room(2);
  ben.send('name', { name: ' "Ben\\ the 2nd" <b> ' });
  const told = await ann.next('members', ({ changed, joined }) =>
    [...changed, ...joined].some(({ name }) => name.startsWith('"Ben')));
  const entry = [...told.changed, ...told.joined].find(({ id }) => id === ben.id);
  assert.deepEqual(entry, { id: ben.id, name: '"Ben\\ the 2nd" <b>', role: 'participant' });
  ben.send('chat', { text: 'hello' });
  assert.equal((await ann.next('chat')).name, '"Ben\\ the 2nd" <b>');
});

test('settings are told to everyone and to later ones', async () => {
  const [ann, ben, session] = await room(2);
  ann.send('settings', { control: 'everyone', onStall: 'wait' });
  const told = await ben.next('settings');
  assert.deepEqual([told.control, told.onStall], ['everyone', 'wait']);
  ben.send('seek', { position: 4 });
  assert.equal((await ann.next('state')).by, ben.id);
  const cem = await join(server, session.key);
  assert.deepEqual([cem.welcome.session.control, cem.welcome.session.onStall], ['everyone', 'wait']);
});

test('chat reaches everyone in one order, text untouched', async () => {
  const [ann, ben, cem] = await room(3);
  const words = ['"quoted" \\ \u2028', '😀'.repeat(500), '\n\t', 'é</script>'];
  for (const [i, line] of words.entries()) (i % 2 ? ann : ben).send('chat', { text: line });
  for (const who of [ann, ben, cem]) while (who.of('chat').length < words.length) await who.next('chat');
  const told = cem.of('chat');
  assert.deepEqual(told.map((each) => each.text).sort(), [...words].sort());
  for (const who of [ann, ben]) assert.deepEqual(who.of('chat').map((each) => each.text), told.map((each) => each.text));
  assert.deepEqual(keysOf(told[0]), ['atMs', 'from', 'id', 'name', 'receivedMs', 'text', 'type']);
  assert.ok(Math.abs(told[0].atMs - Date.now()) < 5_000);
});

test('reactions of one turn are one message', async () => {
  const session = await createSession(server);
  const ann = await join(server, session.key);
  const raw = await joinRaw(server, session.key);
  raw.write(Buffer.concat(['👍', '🎉', '❤️', '😂', '👏'].map((emoji) => text({ type: 'reaction', emoji }))));
  const told = [];
  let messages = 0;
  while (told.length < 5) {
    const { emoji, from, more = [] } = await ann.next('reaction');
    assert.match(from, /^m\d+$/);
    told.push(emoji, ...more.map((each) => each.emoji));
    messages += 1;
  }
  assert.deepEqual(told, ['👍', '🎉', '❤️', '😂', '👏']);
  assert.ok(messages <= 2, `${messages} messages`);
  raw.end();
});

test('a session takes 100 chats and reactions a second', async () => {
  const [...members] = await room(6);
  members.pop();
  for (let i = 0; i < 25; i += 1) {
    for (const [j, member] of members.entries()) {
      if (j % 2) member.send('reaction', { emoji: '👍' });
      else member.send('chat', { text: `${i}` });
    }
  }
  const start = Date.now();
  for (const member of members) await member.settled();
  await sleep(50);
  const reactions = members[0].of('reaction').reduce((sum, { more = [] }) => sum + 1 + more.length, 0);
  const relayed = members[0].of('chat').length + reactions;
  const refused = members.reduce((sum, member) => sum + member.of('error').length, 0);
  assert.equal(relayed + refused, 150);
  assert.ok(relayed >= 100 && relayed <= 100 + (Date.now() - start + 500) / 10, `${relayed} relayed`);
  const errors = members.flatMap((member) => member.of('error'));
  assert.ok(errors.every(({ code, re }) => code === 'rate_limited' && (re === 'chat' || re === 'reaction')));
});

test('a member has 40 messages at once and 20 a second, then refusals, then 4008', async () => {
  const [ann, ben] = await room(2);
  for (let i = 0; i < 60; i += 1) ben.send('ping', { id: i, t1: 0 });
  while (ben.of('pong').length + ben.of('error').length < 60) await sleep(5);
  const passed = ben.of('pong').length;
  assert.ok(passed >= 40 && passed <= 48, `${passed} passed`);
  assert.ok(ben.of('error').every(({ code }) => code === 'rate_limited'));
  await sleep(1_000);
  ben.clear();
  ben.send('ping', { id: 'again', t1: 0 });
  await ben.next('pong');
  for (let i = 0; i < 2_000; i += 1) ben.send('ping', { id: i, t1: 0 });
  assert.equal(await ben.closeCode(), 4008);
  await ann.settled();
});

test('with --message-rate 0 nobody is refused', async () => {
  const free = await startServer({ args: ['--media', 'tests/support', '--message-rate', '0'] });
  try {
    const { key } = await createSession(free);
    const ann = await join(free, key);
    for (let i = 1; i <= 3_000; i += 1) {
      ann.send('ping', { id: i, t1: 0 });
      if (i % 300 === 0) await ann.next('pong', ({ id }) => id === i);
    }
    assert.equal(ann.of('pong').length, 3_000);
    assert.equal(ann.of('error').length, 0);
  } finally {
    await free.stop();
  }
});

test('asking faster than answers can leave loses answers, not the connection', async () => {
  const free = await startServer({ args: ['--media', 'tests/support', '--message-rate', '0'] });
  try {
    const { key } = await createSession(free);
    const ann = await joinRaw(free, key);
    ann.write(Buffer.concat(Array.from({ length: 10_000 }, (_, i) => text({ type: 'ping', id: i, t1: 0 }))));
    ann.write(Buffer.concat(Array.from({ length: 5_000 }, () => text('no json'))));
    // Of the flood any answer may be lost, and so may this one while the flood lasts: asked again.
    const asking = setInterval(() => ann.write(text({ type: 'ping', id: 'after', t1: 0 })), 200);
    await ann.nextMessage('pong', ({ id }) => id === 'after').finally(() => clearInterval(asking));
    ann.end();
  } finally {
    await free.stop();
  }
});

test('--max-message moves the limit of a message', async () => {
  const small = await startServer({ args: ['--media', 'tests/support', '--max-message', '1KiB'] });
  try {
    const { key } = await createSession(small);
    const ann = await join(small, key);
    ann.sendText(' '.repeat(1022) + '{}');
    assert.equal((await ann.next('error')).code, 'bad_message');
    ann.sendText(' '.repeat(1023) + '{}');
    assert.equal(await ann.closeCode(), 1009);
  } finally {
    await small.stop();
  }
  const large = await startServer({ args: ['--media', 'tests/support', '--max-message', '64KiB'] });
  try {
    const { key } = await createSession(large);
    const ann = await join(large, key);
    ann.send('chat', { text: 'x'.repeat(60_000) });
    assert.equal((await ann.next('error')).code, 'out_of_range');
    ann.sendText(' '.repeat(64 * 1024 + 1));
    assert.equal(await ann.closeCode(), 1009);
  } finally {
    await large.stop();
  }
});
