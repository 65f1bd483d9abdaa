// Sessions on three nodes over a Redis Cluster of three primaries: whichever of them has a session, to its members it is
// one, wherever they are connected.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster } from '../support/cluster.mjs';
import { placesOf, sessionWhere, withRedisCluster } from '../support/cluster_show.mjs';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { createSession, eventually, join } from '../support/member.mjs';
import { slotOf, startRedisCluster } from '../support/redis_cluster.mjs';
import { leadOf } from '../support/server_time.mjs';
import { allComeBack, kill, namesOf, OWN_KEYS } from '../support/show.mjs';
import { until } from '../support/until.mjs';
import { agreement } from '../support/view.mjs';

const BOUND_MS = 60_000; // of each
const BACK_MS = 5_000;
const APART_MS = 5;
const TTL_S = 90; // --session-ttl
const UNKNOWN = '0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11';

let media;
let redis;
let cluster;
let primaries;

before(async () => {
  media = await makeFolder({ 'one.mp4': patternBytes(3_000, 1), 'two.mp4': patternBytes(4_000, 2) });
  redis = await startRedisCluster();
  primaries = await redis.primaries();
  cluster = await startCluster({ redis, nodes: 3, args: ['--session-ttl', `${TTL_S}s`, '--media', media.directory, '--message-rate', '0'] });
});

after(async () => {
  await cluster?.stop();
  await redis?.stop();
  await media?.remove();
});

const validate = async (node, name) => (await fetch(`${node.origin}/api/sessions/${name}/validate`)).json();

// A session whose host is on the first node and of whom one is on each other, and which that primary has.
async function trio(primary, settings) {
  const session = await sessionWhere(cluster.nodes[0], async (made) => (await placesOf(redis, made)).own === primary, settings);
  const people = [];
  for (const [i, name] of ['Ann', 'Ben', 'Cem'].entries()) people.push(await join(cluster.nodes[i], session.key, { name }));
  await agreement(people, ({ count }) => count === 3);
  return { ...session, people };
}

// act(primary, t) for each, as tests of their own.
function onEach(what, act) {
  for (const i of [0, 1, 2]) test(`${what}: primary ${i + 1}`, (t) => act(primaries[i], t));
}

test('names lie in the slots in which Redis has them', async () => {
  assert.equal(slotOf('123456789'), 0x31c3);
  for (const name of ['videosync:clock', '{}x', 'a{b}c{d}', 'a{b', 'ä{ö}', `videosync:{${UNKNOWN}}:session`]) {
    assert.equal(slotOf(name), await redis.servers[0].command('CLUSTER', 'KEYSLOT', name), name);
  }
});

describe('a session over a cluster', { concurrency: 4, timeout: BOUND_MS }, () => {
  onEach('made on one node it is known on the others at once', async (primary) => {
    const { key, code, people } = await trio(primary, { control: 'everyone' });
    for (const node of cluster.nodes) {
      assert.deepEqual(await validate(node, key), { valid: true, key });
      const told = await (await fetch(`${node.origin}/api/sessions/${key}`)).json();
      assert.deepEqual([told.key, told.control, told.members], [key, 'everyone', 3]);
    }
    for (const { welcome } of people) assert.equal(welcome.session.code, code);
  });

  onEach('each command of each member reaches all, as the same state', async (primary) => {
    const { people } = await trio(primary, { control: 'everyone' });
    const commands = [['play', {}], ['seek', { position: 7 }], ['rate', { rate: 1.5 }], ['pause', {}], ['seek', { position: 9 }]];
    for (const [i, [type, fields]] of commands.entries()) {
      const by = people[i % 3];
      by.send(type, fields);
      const states = await Promise.all(people.map((who) => who.next('state')));
      for (const state of states) {
        assert.deepEqual({ ...state, receivedMs: 0 }, { ...states[0], receivedMs: 0 });
        assert.deepEqual([state.seq, state.cause, state.by], [i + 1, type, by.id]);
      }
    }
  });

  onEach('queue, chat, settings and names cross over', async (primary) => {
    const { people: [ann, ben, cem] } = await trio(primary);
    const all = [ann, ben, cem];
    for (const [i, who] of all.entries()) who.send('enqueue', { video: i % 2 ? 'one' : 'two' });
    const lists = await Promise.all(all.map((who) => who.next('queue', ({ list }) => list.length === 3)));
    for (const { list } of lists) assert.deepEqual(list, lists[0].list);
    for (let i = 0; i < 10; i += 1) for (const who of all) who.send('chat', { text: `${who.id} ${i}` });
    for (const who of all) await eventually(() => who.of('chat').length, (count) => count === 30, 'chats');
    const words = (who) => who.of('chat').map(({ from, text }) => `${from}: ${text}`);
    for (const who of [ben, cem]) assert.deepEqual(words(who), words(ann));
    ann.send('settings', { control: 'everyone' });
    for (const who of all) assert.equal((await who.next('settings')).control, 'everyone');
    cem.send('name', { name: 'Cemile' });
    for (const who of all) assert.equal((await who.next('members', ({ changed }) => changed.length > 0)).changed[0].name, 'Cemile');
  });

  onEach('who asks for what is refused is told, and nobody else', async (primary) => {
    const { people: [ann, ben, cem] } = await trio(primary);
    ben.send('play');
    assert.deepEqual(await ben.next('error').then(({ code, re }) => [code, re]), ['not_host', 'play']);
    ann.send('chat', { text: 'done' });
    for (const who of [ann, ben, cem]) await who.next('chat');
    assert.deepEqual([ann, ben, cem].map((who) => who.of('error').length), [0, 1, 0]);
  });

  onEach('the seat of the host is given, and the session moves after it', async (primary) => {
    const { people } = await trio(primary);
    const [ann, , cem] = people;
    ann.send('give', { to: cem.id });
    for (const who of people) assert.equal((await who.next('host', ({ id }) => id === cem.id)).reason, 'given');
    cem.send('seek', { position: 60 });
    await agreement(people, ({ position, host }) => position === 60 && host === cem.id);
  });

  // Sharded channels (Redis 7): what a session says costs the other primaries nothing.
  onEach('its events are heard at its primary, by the nodes with members of it but its home', async (primary) => {
    const { key } = await trio(primary);
    const channel = `videosync:{${key}}:events`;
    for (const each of primaries) {
      const [, followers] = await each.command('PUBSUB', 'SHARDNUMSUB', channel);
      assert.equal(followers, each === primary ? 2 : 0);
      assert.equal((await each.command('PUBSUB', 'NUMSUB', channel))[1], 0);
    }
  });

  onEach('it is kept by its primary alone, with an expiry; its end is a mark there, and known everywhere', async (primary) => {
    const { key, code, people: [ann, ben, cem] } = await trio(primary);
    const [name, codeName] = namesOf({ key, code });
    const others = primaries.filter((each) => each !== primary);
    assert.ok((await primary.command('KEYS', '*')).includes(name));
    for (const other of others) assert.ok(!(await other.command('KEYS', '*')).includes(name));
    const left = async () => Number(await primary.command('PTTL', name));
    await primary.command('PEXPIRE', name, 5_000);
    ann.send('seek', { position: 3 });
    await until(async () => (await left()) > TTL_S * 1_000, async () => `a change prolongs: ${await left()} ms`);
    ann.send('end');
    for (const who of [ann, ben, cem]) assert.equal(await who.closeCode(), 4001);
    await until(async () => (await primary.command('HKEYS', name)).join() === 'removed', 'the tombstone');
    assert.ok((await left()) <= 600_000);
    for (const node of cluster.nodes) {
      for (const each of [key, code]) await until(async () => (await validate(node, each)).valid === false, 'its end');
    }
    assert.equal(Number(await redis.command(codeName, 'EXISTS', codeName)), 0);
  });
});

describe('a code over a cluster', { concurrency: 4, timeout: BOUND_MS }, () => {
  // On the same primary as its session, and on either other one.
  for (const step of [0, 1, 2]) {
    test(`its record is ${step} primaries on: found from every node, prolonged and removed with its session`, async () => {
      const session = await sessionWhere(cluster.nodes[0], async (made) => {
        const { own, code } = await placesOf(redis, made);
        return primaries.indexOf(code) === (primaries.indexOf(own) + step) % 3;
      });
      const { key, code } = session;
      const [name, codeName] = namesOf(session);
      for (const node of cluster.nodes) {
        assert.deepEqual(await validate(node, code), { valid: true, key });
        const followed = await fetch(`${node.origin}/r/${code}`, { redirect: 'manual' });
        assert.equal(followed.headers.get('location'), `/player.html?session=${key}`);
      }
      const own = (await placesOf(redis, session)).code;
      assert.equal(await own.command('HGET', codeName, 'session'), name);
      const ann = await join(cluster.nodes[1], key);
      ann.send('seek', { position: 3 });
      await ann.next('state');
      await own.command('PEXPIRE', codeName, 30_000);
      ann.send('seek', { position: 4 });
      await until(async () => Number(await own.command('PTTL', codeName)) > 60_000, 'a longer life');
      // A change that finds it missing brings it back.
      await own.command('DEL', codeName);
      ann.send('seek', { position: 5 });
      await until(async () => (await own.command('HGET', codeName, 'session')) === name, 'its return');
      ann.send('end');
      assert.equal(await ann.closeCode(), 4001);
      await until(async () => Number(await own.command('EXISTS', codeName)) === 0, 'its end');
    });
  }
});

describe('what all nodes share', { concurrency: 3, timeout: BOUND_MS }, () => {
  test('one time', async () => {
    const { key } = await createSession(cluster.nodes[0]);
    const leads = [];
    for (const node of cluster.nodes) leads.push(await leadOf(await join(node, key)));
    assert.ok(Math.max(...leads) - Math.min(...leads) <= APART_MS, `${leads}`);
  });

  test('time and secret lie where their slots are, once', async () => {
    const keys = await redis.keys();
    for (const name of OWN_KEYS) {
      assert.equal(keys.filter((each) => each === name).length, 1, name);
      assert.equal(Number(await redis.command(name, 'EXISTS', name)), 1);
    }
  });

  test('the secret of cookies: who has told one node the password has told all', async () => {
    const headers = { authorization: `Basic ${btoa(':sesame')}` };
    const guarded = await startCluster({ redis, args: ['--create-password', 'sesame'] });
    try {
      const [first, second] = guarded.nodes;
      const told = await fetch(`${first.origin}/api/password`, { method: 'POST', headers });
      const cookie = told.headers.get('set-cookie').split(';')[0];
      assert.equal((await fetch(`${second.origin}/api/videos`, { headers: { cookie } })).status, 200);
      assert.equal((await fetch(`${second.origin}/api/videos`)).status, 401);
    } finally {
      await guarded.stop();
    }
  });

  test('a command costs one script, at the primary of its session, and members of another node hear it there', async (t) => {
    const few = 20; // what goes by the clock
    const count = 200;
    for (const primary of primaries) {
      const { people: [ann, ben, cem] } = await trio(primary);
      const before = await redis.calls();
      for (let i = 0; i < count; i += 1) {
        ann.send('seek', { position: i });
        await Promise.all([ann, ben, cem].map((who) => who.next('state', ({ position }) => position === i)));
      }
      const calls = await redis.calls();
      const scripts = primaries.map(({ port }) => (calls[port].evalsha ?? 0) - (before[port].evalsha ?? 0));
      t.diagnostic(`scripts of ${count} commands, by primary: ${scripts}`);
      // Other tests run meanwhile, on all three.
      assert.ok(scripts[primaries.indexOf(primary)] >= count - few);
      for (const who of [ann, ben, cem]) await who.close();
    }
  });
});

test("a home's node is killed: its sessions are taken over, whichever primary has them", { timeout: BOUND_MS }, (t) => withRedisCluster({ nodes: 3 }, async (own) => {
  const [a, b, c] = own.nodes;
  const shows = [];
  for (const primary of await own.redis.primaries()) {
    const session = await sessionWhere(a, async (made) => (await placesOf(own.redis, made)).own === primary);
    const [ann, ben, cem] = [await join(a, session.key, { name: 'Ann' }), await join(b, session.key, { name: 'Ben' }), await join(c, session.key, { name: 'Cem' })];
    ann.send('seek', { position: 42 });
    await agreement([ann, ben, cem], ({ seq, count }) => seq === 1 && count === 3);
    shows.push({ ...session, ann, ben, cem });
  }
  kill(a);
  const told = await Promise.all(shows.map(async ({ key, code, ann, ben, cem }, i) => {
    await ann.closed;
    const { back: [again], tookMs } = await allComeBack(i % 2 ? b : c, key, [ann]);
    assert.deepEqual([again.id, again.welcome.you.role, again.welcome.state.position], [ann.id, 'host', 42]);
    await agreement([again, ben, cem], ({ count, host }) => count === 3 && host === ann.id);
    ben.send('chat', { text: 'here' });
    for (const who of [again, ben, cem]) await who.next('chat', ({ text }) => text === 'here');
    again.send('pause');
    await agreement([again, ben, cem], ({ seq }) => seq === 2);
    assert.deepEqual(await validate(c, code), { valid: true, key });
    return tookMs;
  }));
  t.diagnostic(`back after ${told.join(', ')} ms`);
  for (const tookMs of told) assert.ok(tookMs <= BACK_MS, `${tookMs} ms`);
}));
