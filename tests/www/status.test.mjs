import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeNotice, describeRole, describeStatus, whoPaused } from '../../www/player/status/status.js';

const view = (changes = {}) => ({
  phase: { name: 'open' }, isSilent: false, silentMs: 0, nowMs: 1000, problem: null, hasVideo: true, loaded: true, blocked: null, detached: false,
  waiting: null, buffering: false, preparing: null, state: { playing: true, cause: 'play' }, pausedBy: null,
  measure: { running: true, over: false, ended: false, startsInMs: 0, errorMs: 6 }, errorBoundMs: 2, ...changes,
});
// A figure and its unit do not part: no-break spaces, written here as plain ones.
const plain = ({ words, figure, ...rest }) => ({ ...rest, words, figure: figure.replace(/\u00a0/g, ' ') });
const status = (changes) => plain(describeStatus(view(changes)));
const text = (changes) => `${status(changes).words} ${status(changes).figure}`.trim();
const errorMs = (ms) => ({ measure: { ...view().measure, errorMs: ms } });

test('in step, with how far it may be off', () => {
  assert.deepEqual(status(), { code: 'in_step', kind: 'good', words: 'In step', figure: '±10 ms', actions: [] });
});

test('far off is catching up, by how much if known', () => {
  assert.equal(text(errorMs(-400)), 'Catching up 0.4 s behind');
  assert.equal(text(errorMs(12_300)), 'Catching up 12 s ahead');
  assert.equal(text(errorMs(null)), 'Catching up');
});

test('before it begins: how many are ready, where that can be more than oneself', () => {
  const rests = (cause, ready) => text({ state: { playing: false, cause }, measure: { ...view().measure, running: false }, ready });
  assert.equal(rests('load', { count: 2, of: 5 }), 'Ready to start 2 of 5 ready');
  assert.equal(rests('pause', { count: 1, of: 2 }), 'Paused 1 of 2 ready');
  for (const ready of [{ count: 0, of: 5 }, { count: 1, of: 1 }, undefined]) assert.equal(rests('load', ready), 'Ready to start');
  assert.equal(status({ ready: { count: 2, of: 5 } }).code, 'in_step');
});

test('a lost connection comes before anything about the video', () => {
  const lost = status({ phase: { name: 'waiting', untilMs: 3400, cause: 'lost' }, problem: 'decode', buffering: true });
  assert.deepEqual(lost, {
    code: 'lost', kind: 'warn', words: 'Connection lost. Reconnecting', figure: 'in 3 s', actions: ['tryNow'],
  });
  assert.equal(text({ phase: { name: 'connecting', attempt: 1 } }), 'Connecting…');
  assert.equal(text({ phase: { name: 'connecting', attempt: 2 } }), 'Reconnecting…');
});

test('of what has not been heard for three seconds nothing is said', () => {
  assert.deepEqual(status({ isSilent: true }), { code: 'silent', kind: 'warn', words: 'The server does not answer…', figure: '', actions: [] });
  assert.equal(status({ isSilent: true, problem: 'decode', state: { playing: false, cause: 'pause' } }).code, 'silent');
  assert.equal(status({ isSilent: true, phase: { name: 'waiting', untilMs: 3400, cause: 'lost' } }).code, 'lost');
});

test('in a crowd, where silence is judged later, it is said how old that is', () => {
  const old = (changes) => status({ silentMs: 4_001, ...changes });
  assert.deepEqual(status({ silentMs: 3_000 }), status());
  assert.deepEqual(old(), { code: 'in_step', kind: 'rest', words: 'In step', figure: 'as of 5 s ago', actions: [] });
  assert.equal(old({ state: { playing: false, cause: 'pause' }, pausedBy: { name: 'Ann' } }).figure, 'as of 5 s ago');
  assert.equal(old(errorMs(-400)).figure, 'as of 5 s ago');
  assert.deepEqual(old({ isSilent: true }), status({ isSilent: true }), 'too long');
  for (const own of [{ detached: true }, { buffering: true }, { problem: 'decode' }]) assert.deepEqual(old(own), status(own), 'what this player knows by itself');
  assert.deepEqual(plain(describeRole(roleView({ silentMs: 4_001 }))).figure, 'as of 5 s ago');
  assert.equal(role({ youAreHost: true, silentMs: 3_000 }).figure, '');
});

test('why it was lost', () => {
  const lost = (cause) => text({ phase: { name: 'waiting', untilMs: 3400, cause } });
  assert.equal(lost('restarting'), 'The server is restarting. Reconnecting in 3 s');
  assert.match(lost('slow'), /^Your connection was too slow/);
  assert.match(lost('flooding'), /^Too many messages/);
});

test('why it was refused, and what to do', () => {
  const refused = (cause, more) => status({ phase: { name: 'waiting', untilMs: 3400, cause, ...more } });
  for (const [cause, words, kind] of [
    ['unreached', /^No connection so far/, 'warn'], ['foreign', /must pass on Host/, 'bad'],
    ['noUpgrade', /must pass on Upgrade/, 'bad'], ['full', /is full/, 'warn'], ['crowded', /from your address/, 'warn'],
    ['unavailable', /cannot let you in/, 'warn'],
  ]) {
    assert.match(refused(cause).words, words);
    assert.deepEqual([refused(cause).kind, refused(cause).figure, refused(cause).actions], [kind, 'in 3 s', ['tryNow']]);
  }
  assert.match(refused('refused', { status: 403 }).words, /refuses the connection \(HTTP 403\)/);
});

test('the ways it can be over', () => {
  const closed = (reason) => status({ phase: { name: 'closed', reason } });
  assert.equal(closed('ended').words, 'The session has ended');
  assert.match(closed('gone').words, /no longer knows it/);
  assert.match(closed('removed').words, /removed you/);
  assert.match(closed('elsewhere').words, /another window/);
  assert.deepEqual(closed('elsewhere').actions, ['takeBack']);
  assert.match(closed('badName').words, /does not take this name/);
  assert.deepEqual(closed('badName').actions, ['otherName']);
  for (const reason of ['ended', 'gone', 'removed']) assert.deepEqual(closed(reason).actions, ['home']);
});

test('who paused is told by name', () => {
  const paused = { state: { playing: false, cause: 'pause' } };
  assert.equal(text({ ...paused, pausedBy: { name: 'Ann', isYou: false } }), 'Paused by Ann');
  assert.equal(text({ ...paused, pausedBy: { name: 'Ann', isYou: true } }), 'Paused by you');
  assert.equal(text(paused), 'Paused');
  assert.equal(text({ state: { playing: false, cause: 'load' } }), 'Ready to start');
  assert.equal(text({ state: { playing: false, cause: 'ended' } }), 'The end');
  assert.equal(text({ measure: { ...view().measure, over: true } }), 'The end');
  assert.equal(text({ measure: { ...view().measure, ended: true, errorMs: null } }), 'The end', 'a moment before the others');
});

test('who paused stays known while somebody seeks in the pause, and not longer', () => {
  const names = { a: 'Ann', b: 'Ben' };
  const next = (before, state) => whoPaused(before, { state }, (id) => names[id], 'b');
  const paused = next(null, { playing: false, cause: 'pause', by: 'a' });
  assert.deepEqual(paused, { name: 'Ann', isYou: false });
  assert.deepEqual(next(paused, { playing: false, cause: 'seek', by: 'b' }), paused);
  assert.equal(next(paused, { playing: true, cause: 'play', by: 'a' }), null);
  assert.equal(next(paused, { playing: false, cause: 'load', by: 'a' }), null);
  assert.equal(next(null, { playing: false, cause: 'pause', by: 'b' }).isYou, true);
  assert.equal(next(paused, { playing: false, cause: 'pause', by: null }), null);
});

test('waiting names up to three, counts the rest, and says how long at most', () => {
  const waiting = (...names) => text({ waiting: { names, leftMs: 2100 } });
  assert.equal(waiting('Ann'), 'Waiting for Ann 3 s at most');
  assert.match(waiting('Ann', 'Ben', 'Cem'), /^Waiting for Ann, Ben and Cem /);
  assert.match(waiting('Ann', 'Ben', 'Cem', 'Dee'), /^Waiting for Ann, Ben and 2 others /);
});

test('what the video lacks, and what to do about it', () => {
  for (const [problem, why] of [['network', /connection/], ['missing', /host/], ['short', /incomplete/], ['decode', /another browser/], ['unsupported', /another browser/], ['unmade', /another video/]]) {
    const told = status({ problem });
    assert.deepEqual([told.code, told.kind, told.actions], ['unplayable', 'bad', ['tryAgain']]);
    assert.match(told.words, /^This video cannot be played: /);
    assert.match(told.words, why);
  }
  assert.deepEqual(status({ problem: 'part' }).actions, ['reload'], 'trying again would not help');
  assert.equal(text({ hasVideo: false }), 'There is no video to watch');
  assert.equal(text({ loaded: false }), 'Loading the video…');
  assert.equal(text({ buffering: true }), 'Your player is buffering…');
  const preparing = { reason: 'preparing', forMs: 2_100 };
  assert.equal(text({ buffering: true, preparing }), 'The server is preparing this part of the film… for 3 s');
  assert.equal(status({ loaded: false, preparing }).code, 'preparing');
  assert.equal(text({ preparing }), text(), 'what lies ahead concerns nobody yet');
  assert.deepEqual(status({ buffering: true, preparing: { reason: 'busy', forMs: 0 } }), {
    code: 'busy', kind: 'warn', words: 'The server is busy preparing other films. This one goes on by itself', figure: 'for 1 s', actions: [],
  });
  assert.equal(status({ loaded: false, preparing: { reason: 'unreadable', forMs: 0 } }).code, 'unreadable');
  assert.equal(text({ measure: { ...view().measure, startsInMs: 200 } }), 'Starting…');
});

test('at their own pace people see how far the others are, and the way back', () => {
  const alone = status({ detached: true, state: { playing: false, cause: 'pause' }, ...errorMs(-12_000) });
  assert.deepEqual(alone, { code: 'own_pace', kind: 'own', words: 'At your own pace', figure: '12 s behind', actions: ['back'] });
  assert.equal(status({ detached: true, ...errorMs(3_000) }).figure, '3.0 s ahead');
  assert.equal(status({ detached: true, ...errorMs(10) }).figure, 'where the others are');
});

test('silence by the browser is offered to be lifted, whatever else is said', () => {
  const silent = status({ blocked: 'sound' });
  assert.deepEqual([silent.words, silent.actions], ['In step', ['sound']]);
  assert.deepEqual(status({ blocked: 'play' }).actions, ['play']);
});

const roleView = (changes = {}) => ({
  nowMs: 50_000, youAreHost: false, detached: false, control: 'host', hostId: 'a', hostName: 'Ann', becameHostMs: -Infinity,
  hostAway: null, buffering: [], cannotPlay: [], mayClaim: false, silentMs: 0, ...changes,
});
const role = (changes) => plain(describeRole(roleView(changes)));

test('who controls playback', () => {
  assert.equal(role({ youAreHost: true }).words, 'You are the host.');
  assert.match(role().words, /^Ann controls playback/);
  assert.match(role({ hostName: undefined }).words, /^The host controls playback/);
  assert.match(role({ control: 'everyone' }).words, /^Everyone/);
  assert.match(role({ detached: true }).words, /only your own picture/);
  assert.match(role({ hostId: null }).words, /^Nobody/);
  assert.deepEqual(role({ mayClaim: true }).actions, ['claim']);
});

test('a host that left: who takes over, and when', () => {
  const away = (changes) => {
    const { code, words, figure } = role({ hostAway: { leftMs: 6400, nextName: 'Ben', nextIsYou: false, ...changes } });
    assert.equal(code, 'host_away');
    return `${words} ${figure}`;
  };
  assert.equal(away(), 'Ann has left. Ben takes over in 7 s');
  assert.equal(away({ nextIsYou: true }), 'Ann has left. You take over in 7 s');
  assert.equal(away({ nextName: undefined }), 'Ann has left. Somebody else takes over in 7 s');
  assert.equal(away({ leftMs: -20 }), 'Ann has left. Ben takes over in 1 s');
});

test('being host is news for a while', () => {
  assert.equal(role({ youAreHost: true, becameHostMs: 49_000 }).code, 'host_now');
  assert.equal(role({ youAreHost: true, becameHostMs: 39_000 }).code, 'host');
});

test('the host is told who buffers', () => {
  assert.equal(role({ youAreHost: true, buffering: ['Ben', 'Cem'] }).figure, 'Buffering: Ben and Cem');
  assert.equal(role({ youAreHost: true, buffering: ['Ben'], cannotPlay: ['Cem'] }).figure, 'Cannot play the video: Cem · Buffering: Ben');
});

const notice = (changes) => describeNotice({ nowMs: 50_000, notice: null, undoneMs: -Infinity, ...changes });

test('the service speaks of itself', () => {
  assert.match(notice({ notice: 'draining' }).words, /about to restart/);
  assert.match(notice({ notice: 'degraded' }).words, /impaired; playback goes on/);
  assert.equal(notice(), null);
});

test('that something was undone is news for a while, before a state that lasts', () => {
  const told = notice({ undoneMs: 50_000 });
  assert.deepEqual([told.code, told.kind], ['undone', 'warn']);
  assert.match(told.words, /between the servers was broken; the last actions here were undone/);
  assert.equal(notice({ undoneMs: 35_001 }).code, 'undone');
  assert.equal(notice({ undoneMs: 35_000 }), null);
  assert.equal(notice({ notice: 'degraded', undoneMs: 40_000 }).code, 'undone');
  assert.equal(notice({ notice: 'degraded', undoneMs: 35_000 }).code, 'degraded');
  assert.equal(notice({ notice: 'draining', undoneMs: 50_000 }).code, 'draining', 'which is over sooner');
});

test('what of the film is not to be had in this browser is said beside how it stands', () => {
  const notice = (changes) => describeNotice({ nowMs: 0, notice: null, undoneMs: -Infinity, missing: null, ...changes });
  assert.equal(notice(), null);
  assert.equal(notice({ missing: 'sound' }).code, 'no_sound');
  assert.match(notice({ missing: 'picture', notice: 'degraded' }).words, /^There is no picture here/);
  assert.equal(notice({ missing: 'sound', notice: 'draining' }).code, 'draining');
});
