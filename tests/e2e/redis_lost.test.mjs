// What is lost on the way or by Redis itself: the record of a session, or one message between nodes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster, whenReady } from '../support/cluster.mjs';
import { join, sleep } from '../support/member.mjs';
import { allComeBack, kill, OWN_KEYS, resumed, showing, withCluster } from '../support/show.mjs';
import { until } from '../support/until.mjs';
import { agreed, agreement, assertForward, assertOpen, isNewer, viewOf } from '../support/view.mjs';

const BOUND_MS = 60_000; // of each
const CUT_MS = 4_000;
const REFUSING_MS = 10_000;
const AGREED_MS = 2_000;
const DEAD_AGREED_MS = 5_000; // where a node died
const SILENT_AGREED_MS = 500; // where nothing but a message was lost
const ANSWERED_MS = 6_000;

const isValid = async (node, key) => (await (await fetch(`${node.origin}/api/sessions/${key}/validate`)).json()).valid;
const sessionsIn = async (redis) => (await redis.command('KEYS', 'videosync:{*}:session')).filter((key) => !OWN_KEYS.includes(key));
const keyOf = (key) => `videosync:{${key}}:session`;

describe('Redis has lost the sessions', { concurrency: 3, timeout: BOUND_MS }, () => {
  // What is no end: Redis does not have it, and does not take it back either.
  async function assertNoEnd(t, refusing, allow) {
    await withCluster({ redis: { keepsData: false } }, async ({ redis }, nodes) => {
      const [a, b] = nodes;
      const { key, hostToken, people } = await showing([['Ann', a], ['Amy', a], ['Ben', b], ['Bea', b]], { control: 'everyone' });
      const [ann, , ben] = people;
      await redis.kill();
      await redis.start({ isEmpty: true, args: refusing });
      let last = 0;
      for (const endMs = performance.now() + REFUSING_MS; performance.now() < endMs; ) {
        await sleep(250);
        ann.send('seek', { position: (last += 1) });
        assertOpen(people);
        for (const node of nodes) assert.equal(await isValid(node, key), true);
      }
      assert.deepEqual(await sessionsIn(redis), []);
      ben.send('seek', { position: (last += 1) });
      people.push(await join(b, key, { name: 'Eve' }));
      const before = await agreement(people, ({ position, count }) => position === last && count === 5, AGREED_MS);
      await redis.command('CONFIG', 'SET', ...allow);
      const startMs = performance.now();
      await until(async () => (await sessionsIn(redis)).includes(keyOf(key)), 'it is stored again', AGREED_MS);
      const storedMs = performance.now() - startMs;
      const { tookMs, ...now } = await agreement(people, ({ seq }) => seq === before.seq, AGREED_MS);
      for (const member of people) await until(() => viewOf(member).notice !== 'degraded', 'the notice', AGREED_MS);
      assert.deepEqual({ ...now }, { ...agreed(ann) });
      assert.equal(now.host, ann.id);
      for (const member of people) assertForward(member);
      assertOpen(people);
      t.diagnostic(`${last} commands while it refused; stored ${Math.round(storedMs)} ms after it takes changes again`);
      ben.send('claim', { hostToken });
      await agreement(people, ({ host }) => host === ben.id, AGREED_MS);
    });
  }

  test('and refuses changes (min-replicas-to-write): nobody is told that it is over', (t) =>
    assertNoEnd(t, ['--min-replicas-to-write', 1], ['min-replicas-to-write', '0']));

  test('and refuses changes (out of memory): the same', (t) =>
    assertNoEnd(t, ['--maxmemory', 1, '--maxmemory-policy', 'noeviction'], ['maxmemory', '0']));

  test('and the home has died with them: whoever has members of it brings it back', (t) => withCluster({ redis: { keepsData: false } }, async ({ redis }, [a, b]) => {
    const { key, hostToken, people: [ann, amy, ben, bea] } = await showing([['Ann', a], ['Amy', a], ['Ben', b], ['Bea', b]], { control: 'everyone' });
    ann.send('seek', { position: 42 });
    const held = await agreement([ann, amy, ben, bea], ({ position }) => position === 42);
    await Promise.all([redis.kill(), kill(a)]);
    await redis.start({ isEmpty: true });
    const startMs = performance.now();
    const { back: [ann2, amy2], tookMs } = await allComeBack(b, key, [ann, amy]);
    assert.deepEqual([ann2.id, amy2.id], [ann.id, amy.id], 'resume tokens hold');
    const all = [ann2, amy2, ben, bea];
    const now = await agreement(all, ({ count }) => count === 4);
    const agreedMs = performance.now() - startMs;
    assert.deepEqual([now.position, now.playing, now.seq, now.host], [42, true, held.seq, ann.id]);
    assert.ok(isNewer(now, held));
    assertOpen(all);
    for (const [by, position] of [[ben, 50], [ann2, 60]]) {
      by.send('seek', { position });
      await agreement(all, (view) => view.position === position);
    }
    bea.send('claim', { hostToken });
    await agreement(all, ({ host }) => host === bea.id);
    assert.deepEqual(await sessionsIn(redis), [keyOf(key)]);
    for (const member of all) assertForward(member);
    t.diagnostic(`back after ${tookMs} ms, all agree after ${Math.round(agreedMs)} ms`);
    assert.ok(agreedMs <= DEAD_AGREED_MS, `${agreedMs} ms`);
  }));

  test('and the home has died: a node without members of it does not know that, and sends nobody away', (t) => withCluster({ nodes: 3, redis: { keepsData: false } }, async ({ redis }, [a, b, c]) => {
    const { key, people: [ann, ben] } = await showing([['Ann', a], ['Ben', b]]);
    await Promise.all([redis.kill(), kill(a)]);
    await redis.start({ isEmpty: true });
    const answers = new Set();
    const isBack = () => join(c, key, resumed(ann)).catch(({ message }) => {
      answers.add(message);
      return null;
    });
    const startMs = performance.now();
    const ann2 = await until(isBack, () => `only ${[...answers]}`, DEAD_AGREED_MS, 50);
    await agreement([ann2, ben], ({ count, host }) => count === 2 && host === ann.id, AGREED_MS);
    t.diagnostic(`let in after ${Math.round(performance.now() - startMs)} ms; before: ${[...answers]}`);
    assert.deepEqual([...answers].filter((answer) => !/: 503$/.test(answer)), [], 'try again, at most');
  }));

  test('and the home has died, and who has members of it is cut off for a while: still nobody is sent away', (t) => withCluster({ nodes: 3, gated: true, redis: { keepsData: false } }, async ({ redis, gates }, [a, b, c]) => {
    const { key, people: [ann, ben] } = await showing([['Ann', a], ['Ben', b]]);
    await Promise.all([redis.kill(), kill(a)]);
    await redis.start({ isEmpty: true });
    await whenReady(c);
    gates[1].shut();
    const answers = new Set();
    const isBack = () => join(c, key, resumed(ann)).catch(({ message }) => {
      answers.add(message);
      return null;
    });
    const opening = sleep(CUT_MS).then(() => gates[1].open());
    const startMs = performance.now();
    const ann2 = await until(isBack, () => `only ${[...answers]}`, CUT_MS + DEAD_AGREED_MS, 50);
    await opening;
    await agreement([ann2, ben], ({ count, host }) => count === 2 && host === ann.id, AGREED_MS);
    t.diagnostic(`let in after ${Math.round(performance.now() - startMs)} ms; before: ${[...answers]}`);
    assert.deepEqual([...answers].filter((answer) => !/: 503$/.test(answer)), [], 'try again, at most');
  }));
});

// Ann and Amy are at the home, Ben and Bea at the outpost. Nothing is said but what the test says.
describe('one message between two nodes is lost, and nobody says anything after it', { concurrency: 2, timeout: BOUND_MS }, () => {
  let cluster;
  before(async () => {
    cluster = await startCluster({ gated: true, args: ['--host-grace', '30s'] });
  });
  after(() => cluster?.stop());

  async function watching(settings) {
    const [a, b] = cluster.nodes;
    const show = await showing([['Ann', a], ['Amy', a], ['Ben', b], ['Bea', b]], settings);
    const [ann, amy, ben, bea] = show.people;
    const key = Buffer.from(show.key.replaceAll('-', ''), 'hex');
    const isOfSession = ({ channel }) => channel.includes(show.key);
    // The session's next message on the way from the home to the outpost, on the session's channel or
    // on the node's own, and from the outpost to the home.
    const loseCast = () => cluster.gates[1].loseNext(isOfSession);
    const loseToOutpost = () => cluster.gates[1].loseNext((message) => !isOfSession(message) && message.bytes.includes(key));
    const loseToHome = (text = '') => cluster.gates[0].loseNext((message) =>
      !isOfSession(message) && message.bytes.includes(key) && message.bytes.includes(text));
    return { ...show, ann, amy, ben, bea, loseCast, loseToOutpost, loseToHome };
  }

  // From the loss on.
  async function assertSoonAgreed(t, lost, members, isRight) {
    await lost;
    const { tookMs } = await agreement(members, isRight, AGREED_MS);
    t.diagnostic(`all agree ${Math.round(tookMs)} ms after the loss`);
    assert.ok(tookMs <= SILENT_AGREED_MS, `${tookMs} ms`);
    for (const member of members) assertForward(member);
  }

  // The session goes to Ben's node, and what `lose` waits for is lost on the way.
  async function assertMoves(t, { people, ann, ben }, lose) {
    await sleep(1_000); // it stays where it is for that long at least
    const lost = lose();
    ann.send('give', { to: ben.id });
    await assertSoonAgreed(t, lost, people, ({ host }) => host === ben.id);
  }

  // What is lost tells of the seek, or is it.
  async function assertSeekRefused(t, lost, member, why) {
    member.send('seek', { position: 700 });
    await lost;
    const startMs = performance.now();
    const { code, re } = await member.next('error', () => true, ANSWERED_MS);
    t.diagnostic(`refused after ${Math.round(performance.now() - startMs)} ms`);
    assert.deepEqual([code, re], [why, 'seek']);
  }

  test('a state, again and again', async (t) => {
    const { people, ann, loseCast } = await watching();
    for (let i = 1; i <= 5; i += 1) {
      await sleep(i * 70); // wherever between two looks
      const lost = loseCast();
      ann.send('seek', { position: 100 + i });
      await assertSoonAgreed(t, lost, people, ({ position }) => position === 100 + i);
    }
  });

  test('a new host', async (t) => {
    const { people, ann, amy, loseCast } = await watching();
    const lost = loseCast();
    ann.send('give', { to: amy.id });
    await assertSoonAgreed(t, lost, people, ({ host }) => host === amy.id);
  });

  for (const [what, at, lose] of [['who came', 0, 'loseCast'], ['that somebody at the outpost is let in', 1, 'loseToOutpost']]) {
    test(what, async (t) => {
      const show = await watching();
      const lost = show[lose]();
      show.people.push(await join(cluster.nodes[at], show.key, { name: 'Cid' }));
      await assertSoonAgreed(t, lost, show.people, ({ count }) => count === 5);
    });
  }

  test('that somebody at the outpost went', async (t) => {
    const { people, loseToHome } = await watching();
    const lost = loseToHome();
    await people.pop().close();
    await assertSoonAgreed(t, lost, people, ({ count, ids }) => count === 3 && ids.split(' ').length === 3);
  });

  test('that the session moves to the other node, told it alone', async (t) => {
    const show = await watching();
    const { people, ben } = show;
    await assertMoves(t, show, show.loseToOutpost);
    ben.send('seek', { position: 300 });
    await agreement(people, ({ position }) => position === 300, AGREED_MS);
  });

  test('who is on the node that the session has left', async (t) => {
    await assertMoves(t, await watching(), () =>
      cluster.gates[1].loseNext(({ bytes }) => bytes.includes('Amy') && !bytes.includes('"Amy"')));
  });

  test('that somebody at the outpost is removed', async (t) => {
    const { people, ann, loseToOutpost } = await watching();
    const lost = loseToOutpost();
    const bea = people.pop();
    ann.send('kick', { id: bea.id });
    await lost;
    assert.equal(await bea.closeCode(SILENT_AGREED_MS), 4004);
    await assertSoonAgreed(t, lost, people, ({ count }) => count === 3);
  });

  test('that it has ended', async () => {
    const { ann, ben, bea, loseCast } = await watching();
    const lost = loseCast();
    ann.send('end');
    await lost;
    for (const member of [ben, bea]) assert.equal(await member.closeCode(SILENT_AGREED_MS), 4001);
  });

  test('why a command is refused: its member is told all the same', async (t) => {
    const { ben, loseCast } = await watching();
    const lost = loseCast();
    await assertSeekRefused(t, lost, ben, 'not_host');
  });

  test('what came of a command, then another command: the one is told again, the other refused in time', async (t) => {
    const { people, ann, ben, loseCast, loseToHome } = await watching({ control: 'everyone' });
    let lost = loseCast();
    ben.send('seek', { position: 800 });
    await assertSoonAgreed(t, lost, people, ({ position, seq }) => position === 800 && seq === 2);
    lost = loseToHome('"seek"');
    await assertSeekRefused(t, lost, ben, 'unavailable');
    ann.send('pause', { position: 701 });
    await agreement(people, ({ position, seq }) => position === 701 && seq === 3);
    assert.equal(ben.of('error').length, 1, 'in their order: the first was not refused');
  });
});
