// Playback as everyone sees it: scheduled starts, exact positions, late joiners, the end.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join, openRoom, sleep } from '../support/member.mjs';
import { makeMedia } from '../support/media.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const SECONDS = 3;
let media;
let server;

before(async () => {
  media = await makeMedia([{ name: 'a-long', seconds: 60 }, { name: 'b-short', seconds: SECONDS }]);
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'] });
  await untilFilmsAreKnown(server);
});

after(async () => {
  await server?.stop();
  await media?.remove();
});

const room = (count, settings) => openRoom(server, count, settings);

// The media position at server time `atMs`.
const positionAt = (state, atMs) =>
  state.position + (state.playing ? (state.rate * Math.max(0, atMs - state.atMs)) / 1000 : 0);

const near = (actual, expected, by, what) =>
  assert.ok(Math.abs(actual - expected) <= by, `${what}: ${actual}, not ${expected}`);

// How far ahead of its command a play is scheduled, as the session sees it.
async function leadOf(host) {
  const sentMs = Date.now();
  host.send('play', { position: 1 });
  const state = await host.next('state', ({ cause }) => cause === 'play');
  return { atLeast: state.atMs - state.receivedMs, atMost: state.atMs - sentMs };
}

async function report(member, rttMs) {
  member.send('report', { driftMs: 0, rttMs, buffering: false });
  await member.settled();
  await sleep(20); // it may pass another thread
}

test('play is scheduled a little ahead, by the members\' round trips, at most 500 ms', async () => {
  const [ann, ben] = await room(2);
  for (const [rtt, lead] of [[20, 30], [100, 150], [200, 300], [2_000, 500]]) {
    await report(ann, rtt);
    await report(ben, rtt);
    const { atLeast, atMost } = await leadOf(ann);
    assert.ok(atMost >= lead - 4 && atLeast <= lead + 4, `rtt ${rtt}: lead ${atLeast} to ${atMost}, not ${lead}`);
    ann.send('pause');
    await ann.next('state', ({ cause }) => cause === 'pause');
  }
});

test('one of many with a slow line does not hold up the start', async () => {
  const members = await room(21);
  members.pop();
  for (const [i, member] of members.entries()) await report(member, i === 20 ? 5_000 : 40);
  const { atLeast } = await leadOf(members[0]);
  assert.ok(atLeast <= 64, `${atLeast}`);
});

test('pause without a position keeps where everyone is', async () => {
  const [ann] = await room(1);
  ann.send('play', { position: 10 });
  const played = await ann.next('state');
  assert.deepEqual([played.playing, played.position, played.cause], [true, 10, 'play']);
  await sleep(400);
  ann.send('pause');
  const paused = await ann.next('state');
  assert.equal(paused.playing, false);
  near(paused.position, positionAt(played, paused.atMs), 0.001, 'position');
  assert.ok(paused.position > 10.2);
  ann.send('pause', { position: 7.125 });
  assert.equal((await ann.next('state')).position, 7.125);
  ann.send('play');
  assert.equal((await ann.next('state')).position, 7.125);
});

test('a play while it plays moves nobody', async () => {
  const [ann] = await room(1);
  ann.send('play', { position: 5 });
  const first = await ann.next('state');
  await sleep(200);
  ann.send('play');
  const second = await ann.next('state');
  assert.equal(second.playing, true);
  near(second.position, positionAt(first, second.atMs), 0.001, 'position');
});

test('seek puts everyone on one exact position, playing or not', async () => {
  const [ann, ben] = await room(2);
  ann.send('seek', { position: 12.345678 });
  assert.deepEqual((({ playing, position }) => [playing, position])(await ben.next('state')), [false, 12.345678]);
  ann.send('play');
  ann.send('seek', { position: 30 });
  const sought = await ben.next('state', ({ cause }) => cause === 'seek');
  assert.deepEqual([sought.playing, sought.position], [true, 30]);
  ann.send('seek', { position: 1e6 });
  const end = await ben.next('state', ({ cause }) => cause === 'seek');
  near(end.position, 60, 0.2, 'clamped to the end');
});

test('a change of rate goes on from where it is', async () => {
  const [ann] = await room(1);
  ann.send('play', { position: 0 });
  const normal = await ann.next('state');
  await sleep(300);
  ann.send('rate', { rate: 2 });
  const fast = await ann.next('state');
  assert.deepEqual([fast.rate, fast.playing], [2, true]);
  near(fast.position, positionAt(normal, fast.atMs), 0.001, 'position');
  await sleep(300);
  ann.send('pause');
  const paused = await ann.next('state');
  near(paused.position, positionAt(fast, paused.atMs), 0.001, 'position');
  assert.ok(paused.position - fast.position > 0.5);
  assert.equal(paused.rate, 2);
});

test('load starts at the beginning, paused, and late ones see it', async () => {
  const [ann, ben, session] = await room(2);
  assert.equal(ann.welcome.state.video, 'a-long');
  ann.send('play', { position: 40 });
  ann.send('load', { video: 'b-short' });
  const loaded = await ben.next('state', ({ cause }) => cause === 'load');
  assert.deepEqual([loaded.video, loaded.position, loaded.playing], ['b-short', 0, false]);
  const late = await join(server, session.key);
  assert.equal(late.welcome.session.video, 'b-short');
  const info = await (await fetch(`${server.origin}/api/sessions/${session.key}`)).json();
  assert.equal(info.video.id, 'b-short');
  assert.equal(info.state.video, 'b-short');
  assert.equal(info.members, 3);
});

test('at its end the video stops for everyone, and play starts it over', async () => {
  const [ann, ben] = await room(2, { video: 'b-short' });
  ann.send('play', { position: SECONDS - 0.5 });
  const played = await ben.next('state');
  const ended = await ben.next('state');
  assert.deepEqual([ended.cause, ended.playing, ended.by], ['ended', false, null]);
  near(ended.position, SECONDS, 0.15, 'position');
  near(ended.atMs, played.atMs + (ended.position - played.position) * 1000, 50, 'time');
  ann.send('play');
  assert.equal((await ben.next('state')).position, 0);
});

test('a late joiner is in place at once and moves nobody', async () => {
  const [ann, ben, session] = await room(2);
  ann.send('play', { position: 20 });
  const played = await ben.next('state');
  await sleep(300);
  ben.clear();
  const cem = await join(server, session.key);
  const { receivedMs, type, ...state } = played;
  assert.deepEqual(cem.welcome.state, state);
  near(positionAt(cem.welcome.state, cem.welcome.serverTimeMs), 20 + (cem.welcome.serverTimeMs - played.atMs) / 1000, 0.001, 'place');
  await cem.close();
  await sleep(300);
  await ben.settled();
  assert.equal(ben.of('state').length, 0);
});

test('with control everyone anybody may, with control host again only one', async () => {
  const [ann, ben] = await room(2, { control: 'everyone' });
  ben.send('play');
  assert.equal((await ann.next('state')).by, ben.id);
  ben.send('settings', { control: 'host' });
  assert.equal((await ben.next('error')).code, 'not_host');
  ann.send('settings', { control: 'host' });
  await ben.next('settings');
  ben.send('pause');
  assert.equal((await ben.next('error')).code, 'not_host');
});

test('the sources of a session\'s video follow it', async () => {
  const [ann, session] = await room(1, { video: 'b-short' });
  const bytes = async (query) =>
    Number((await fetch(`${server.origin}/api/video?${query}`, { method: 'HEAD' })).headers.get('content-length'));
  const [short, long] = [await bytes('id=b-short'), await bytes('id=a-long')];
  assert.ok(short > 0 && long > short);
  assert.equal(await bytes(`session=${session.key}`), short);
  ann.send('load', { video: 'a-long' });
  await ann.next('state');
  assert.equal(await bytes(`session=${session.key}`), long);
});
