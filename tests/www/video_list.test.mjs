import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VideoList } from '../../www/session/video_list.js';

function listing() {
  const answers = [];
  const library = new VideoList((asked) => new Promise((resolve, reject) =>
    answers.push({ asked, resolve: (videos, next) => resolve({ videos, next }), reject })));
  let changes = 0;
  library.addEventListener('change', () => (changes += 1));
  return { library, answers, changes: () => changes, ids: () => library.list.map(({ id }) => id) };
}

test('it is what the server told last, and says when that is something else', async () => {
  const { library, answers, changes, ids } = listing();
  for (const [told, known, count] of [
    [[{ id: 'a' }], ['a'], 1], [[{ id: 'a' }], ['a'], 1], [[{ id: 'a' }, { id: 'b' }], ['a', 'b'], 2],
  ]) {
    const refreshed = library.refresh();
    answers.at(-1).resolve(told);
    await refreshed;
    assert.deepEqual([ids(), changes()], [known, count]);
  }
  assert.equal(library.find('b').id, 'b');
  assert.equal(library.find('c'), undefined);
});

test('it stays where the server cannot be asked', async () => {
  const { library, answers, ids } = listing();
  const first = library.refresh();
  answers[0].resolve([{ id: 'a' }]);
  await first;
  const second = library.refresh();
  answers[1].reject(new Error('unreachable'));
  await second;
  assert.deepEqual(ids(), ['a']);
});

test('it says when the server lists its videos for a password alone, and when it was told', async () => {
  const { library, answers, changes, ids } = listing();
  for (const [answer, asks, count] of [
    [({ reject }) => reject({ code: 'unreachable' }), false, 0],
    [({ reject }) => reject({ code: 'password_required' }), true, 1],
    [({ reject }) => reject({ code: 'password_required' }), true, 1],
    [({ resolve }) => resolve([]), false, 2],
  ]) {
    const refreshed = library.refresh();
    answer(answers.at(-1));
    await refreshed;
    assert.deepEqual([library.asksPassword, changes(), ids()], [asks, count, []]);
  }
});

test('an answer that was overtaken by a later one counts no more', async () => {
  const { library, answers, ids } = listing();
  const [early, late] = [library.refresh(), library.refresh()];
  answers[1].resolve([{ id: 'new' }]);
  await late;
  answers[0].resolve([{ id: 'old' }]);
  await early;
  assert.deepEqual(ids(), ['new']);
});

test('of a large library it has a part, that with certain words', async () => {
  const { library, answers, changes, ids } = listing();
  const first = library.refresh();
  assert.deepEqual(answers[0].asked, { query: '', order: 'title', limit: 200 });
  answers[0].resolve([{ id: 'a' }], 'a');
  await first;
  assert.equal(library.isPart, true);
  const second = library.search(' b ');
  assert.equal(answers[1].asked.query, 'b');
  answers[1].resolve([]);
  await second;
  assert.deepEqual([ids(), library.isPart], [[], true], 'others have other words');
  const third = library.search('');
  answers[2].resolve([{ id: 'a' }]);
  await third;
  assert.deepEqual([ids(), library.isPart, changes()], [['a'], false, 3]);
});

test('in another order it stays, whatever is looked for', async () => {
  const { library, answers, ids } = listing();
  const sorted = library.sort('newest');
  answers[0].resolve([{ id: 'b' }, { id: 'a' }]);
  await sorted;
  assert.deepEqual(ids(), ['b', 'a']);
  library.search('a');
  assert.deepEqual(answers.map(({ asked }) => asked.order), ['newest', 'newest']);
});

test('what was learned another way is found, and not listed', () => {
  const { library, ids } = listing();
  library.learn({ id: 'z', title: 'Z' });
  assert.equal(library.find('z').title, 'Z');
  assert.deepEqual(ids(), []);
});
