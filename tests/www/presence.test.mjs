import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Presence } from '../../www/session/presence.js';

const member = (id, name) => ({ id, name, role: 'participant' });

function welcomed() {
  const presence = new Presence();
  presence.onWelcome({
    you: member('b', 'Ben'),
    host: 'a',
    members: { count: 3, list: [member('c', 'Cem'), member('b', 'Ben'), member('a', 'Ann')] },
  });
  return presence;
}

test('the host comes first, then you, then the others', () => {
  assert.deepEqual(welcomed().list(), [
    { id: 'a', name: 'Ann', shownName: 'Ann', isHost: true, isYou: false },
    { id: 'b', name: 'Ben', shownName: 'Ben', isHost: false, isYou: true },
    { id: 'c', name: 'Cem', shownName: 'Cem', isHost: false, isYou: false },
  ]);
});

test('of two with one name the second has a number, until the first has gone', () => {
  const presence = welcomed();
  presence.onMembers({ count: 6, joined: [member('d', 'ann'), member('e', 'Ｂｅｎ'), member('f', '')], left: [] });
  const shown = () => Object.fromEntries(presence.list().map(({ id, shownName }) => [id, shownName]));
  assert.deepEqual(shown(), { a: 'Ann', b: 'Ben', c: 'Cem', d: 'ann (2)', e: 'Ｂｅｎ (2)', f: '' });
  for (const id of ['a', 'd', 'f']) assert.equal(presence.shownNameOf(id), shown()[id]);
  assert.equal(presence.nameOf('d'), 'ann', 'as it was taken');
  presence.onMembers({ count: 5, left: [member('a', 'Ann')] });
  assert.equal(shown().d, 'ann');
});

test('members come, go and change their names', () => {
  const presence = welcomed();
  presence.onMembers({ count: 3, joined: [member('d', 'Dee')], left: [member('c', 'Cem')], changed: [member('a', 'Anna')] });
  assert.deepEqual(presence.list().map(({ name }) => name), ['Anna', 'Ben', 'Dee']);
  presence.onMembers({ count: 2, left: ['d'] });
  assert.equal(presence.count, 2);
  assert.equal(presence.nameOf('d'), undefined);
});

test('control passes on', () => {
  const presence = welcomed();
  assert.equal(presence.youAreHost, false);
  assert.equal(presence.hostName, 'Ann');
  presence.onHost({ id: 'b' });
  assert.equal(presence.youAreHost, true);
  presence.onHost({ id: null });
  assert.equal(presence.youAreHost, false);
  assert.equal(presence.hostName, undefined);
});

test('a new welcome replaces the list', () => {
  const presence = welcomed();
  presence.onWelcome({ you: member('b', 'Ben'), host: null, members: { count: 1, list: [] } });
  assert.deepEqual(presence.list().map(({ id }) => id), ['b']);
});

test('in a large session the list is bounded, the count is not', () => {
  const presence = welcomed();
  for (let i = 0; i < 10_000; i++) presence.onMembers({ count: i + 4, joined: [member(`m${i}`, 'M')] });
  assert.equal(presence.count, 10_003);
  assert.ok(presence.list().length <= 200);
});

test('when a crowd goes of which not everybody is named, no more are listed than there are', () => {
  const presence = welcomed();
  presence.onMembers({ count: 300, joined: Array.from({ length: 150 }, (_, i) => member(`m${i}`, 'M')) });
  assert.equal(presence.list().length, 153);
  presence.onMembers({ count: 4, left: Array.from({ length: 50 }, (_, i) => member(`m${i}`, 'M')) });
  assert.deepEqual([presence.count, presence.list().length], [4, 4]);
  assert.deepEqual(presence.list().slice(0, 2).map(({ name }) => name), ['Ann', 'Ben'], 'the host and you stay');
});

test('a host that is away is still known by name, with who is next', () => {
  const presence = welcomed();
  presence.onMembers({ count: 2, left: [member('a', 'Ann')], hostAway: { untilMs: 9000, next: 'b' } });
  assert.deepEqual([presence.hostName, presence.hostId], ['Ann', 'a']);
  assert.deepEqual(presence.hostAway, { untilMs: 9000, next: 'b' });
  presence.onMembers({ count: 3, joined: [member('a', 'Anna')] });
  assert.deepEqual([presence.hostName, presence.hostAway], ['Anna', null]);
  presence.onMembers({ count: 2, left: [member('a', 'Anna')], hostAway: { untilMs: 9000, next: 'b' } });
  presence.onHost({ id: 'b' });
  assert.deepEqual([presence.hostName, presence.hostAway, presence.youAreHost], ['Ben', null, true]);
});

test('who joins while the host is away knows it too, but not its name', () => {
  const presence = new Presence();
  presence.onWelcome({
    you: member('c', 'Cem'), host: 'a', hostAway: { untilMs: 9000, next: 'b' },
    members: { count: 2, list: [member('b', 'Ben'), member('c', 'Cem')] },
  });
  assert.deepEqual([presence.hostName, presence.hostAway.next], [undefined, 'b']);
});

test('who speaks is in the list, where not everybody is', () => {
  const presence = welcomed();
  presence.onChat({ from: 'x', name: 'Xaver' });
  assert.equal(presence.nameOf('x'), undefined, 'three are here and all are known');
  presence.onMembers({ count: 9 });
  presence.onChat({ from: 'x', name: 'Xaver' });
  assert.equal(presence.nameOf('x'), 'Xaver');
});

test('who speaks is called as they are now, though nobody told that they were renamed', () => {
  const presence = welcomed();
  assert.equal(presence.onChat({ from: 'c', name: 'Cemal' }), true);
  assert.equal(presence.onChat({ from: 'c', name: 'Cemal' }), false, 'nothing new');
  assert.deepEqual([presence.nameOf('c'), presence.list().length], ['Cemal', 3]);
});
