// Members that buffer: nobody waits by default; with onStall `wait` for a while, and not again soon.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createSession, joinMany, sleep } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

const START_WAIT_MS = 5_000;
const STALL_WAIT_MS = 3_000;
const SLACK_MS = 700; // leads and a busy machine
let server;

before(async () => {
  server = await startServer({ args: ['--media', 'tests/support', '--session-rate', '0'] });
});

after(() => server?.stop());

async function room(onStall) {
  const { key } = await createSession(server, { onStall });
  return joinMany(server, key, 3);
}

const report = (member, buffering) => member.send('report', { driftMs: 0, rttMs: 10, buffering });

// In which the first, the host, has begun a film, and everybody waits for the second.
async function waitingRoom() {
  const members = await room('wait');
  const [host, second] = members;
  report(second, true);
  await second.settled();
  await sleep(50);
  host.send('play');
  await host.next('waiting');
  return members;
}

const between = (value, low, high) => assert.ok(value >= low && value <= high, `${value}, not ${low} to ${high}`);

describe('members that buffer', { concurrency: true }, () => {
  test('by default a buffering member catches up alone', async () => {
    const [ann, ben] = await room('continue');
    report(ben, true);
    ann.send('play');
    await ann.next('state');
    report(ben, false);
    report(ben, true);
    await sleep(300);
    await ann.settled();
    assert.equal(ann.of('state').length, 1);
    assert.equal(ann.of('waiting').length, 0);
  });

  test('in mid-play it waits until the member is ready, then not again within 30 s', async () => {
    const [ann, ben, cem] = await room('wait');
    for (const member of [ann, ben, cem]) report(member, false);
    ann.send('play', { position: 3 });
    const played = await cem.next('state');
    await sleep(300);
    report(ben, true);
    const stalled = await cem.next('state');
    assert.deepEqual([stalled.cause, stalled.playing, stalled.by], ['stall', false, null]);
    assert.ok(Math.abs(stalled.position - (3 + (stalled.atMs - played.atMs) / 1000)) < 0.001);
    const waiting = await cem.next('waiting');
    assert.deepEqual(waiting.members, [ben.id]);
    // So soon after the start it is the start's time that it may use.
    between(waiting.untilMs - played.receivedMs, START_WAIT_MS - SLACK_MS, START_WAIT_MS + SLACK_MS);
    report(ben, false);
    const resumed = await cem.next('state');
    assert.deepEqual([resumed.cause, resumed.playing, resumed.position], ['resume', true, stalled.position]);
    between(resumed.atMs - resumed.receivedMs, -SLACK_MS, 500);
    report(ben, true);
    await sleep(300);
    await cem.settled();
    assert.equal(cem.of('state').length, 3);
  });

  test('at a start it waits at most 5 s for those who buffer, and goes on without them', async () => {
    const [ann, ben, cem] = await room('wait');
    report(ben, true);
    await ben.settled();
    await sleep(50);
    ann.send('play', { position: 8 });
    const stalled = await cem.next('state', ({ cause }) => cause === 'stall');
    const waiting = await cem.next('waiting');
    assert.deepEqual(waiting.members, [ben.id]);
    between(waiting.untilMs - stalled.atMs, START_WAIT_MS - 1, START_WAIT_MS + 1);
    const resumed = await cem.next('state');
    assert.equal(resumed.cause, 'resume');
    assert.ok(Math.abs(resumed.position - 8) < 0.001);
    between(resumed.receivedMs - stalled.receivedMs, START_WAIT_MS - 100, START_WAIT_MS + SLACK_MS);
  });

  test('well after the start it waits at most 3 s', async () => {
    const [ann, ben, cem] = await room('wait');
    report(ben, false);
    ann.send('play');
    await cem.next('state');
    await sleep(START_WAIT_MS - STALL_WAIT_MS + 200);
    report(ben, true);
    const stalled = await cem.next('state');
    assert.equal(stalled.cause, 'stall');
    const waiting = await cem.next('waiting');
    between(waiting.untilMs - stalled.atMs, STALL_WAIT_MS - 1, STALL_WAIT_MS + 1);
    const resumed = await cem.next('state');
    between(resumed.receivedMs - stalled.receivedMs, STALL_WAIT_MS - 100, STALL_WAIT_MS + SLACK_MS);
  });

  test('who is waited for and leaves is not waited for', async () => {
    const [ann, ben, cem] = await room('wait');
    report(ben, true);
    report(cem, true);
    await ben.settled();
    await cem.settled();
    await sleep(50);
    ann.send('play');
    await ann.next('waiting', ({ members }) => members.length === 2);
    await ben.drop();
    assert.deepEqual((await ann.next('waiting')).members, [cem.id]);
    ann.send('kick', { id: cem.id });
    assert.equal((await ann.next('state')).cause, 'resume');
  });

  test('the host may go on at once, and pause during a wait stays', async () => {
    const [ann, ben] = await waitingRoom();
    ann.send('play');
    const state = await ann.next('state');
    assert.deepEqual([state.cause, state.playing], ['play', true]);

    const [cem, dan] = await waitingRoom();
    cem.send('pause');
    await cem.next('state', ({ cause }) => cause === 'pause');
    report(dan, false);
    await sleep(300);
    await cem.settled();
    assert.equal(cem.of('state').at(-1).cause, 'pause');
  });

  test('settings continue ends a wait', async () => {
    const [ann, ben] = await waitingRoom();
    ann.send('settings', { onStall: 'continue' });
    assert.equal((await ann.next('state')).cause, 'resume');
  });
});
