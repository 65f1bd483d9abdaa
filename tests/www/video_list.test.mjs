import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VideoList } from '../../www/session/video_list.js';

function listing() {
  const answers = [];
  const library = new VideoList(() => new Promise((resolve, reject) => answers.push({ resolve, reject })));
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

test('an answer that was overtaken by a later one counts no more', async () => {
  const { library, answers, ids } = listing();
  const [early, late] = [library.refresh(), library.refresh()];
  answers[1].resolve([{ id: 'new' }]);
  await late;
  answers[0].resolve([{ id: 'old' }]);
  await early;
  assert.deepEqual(ids(), ['new']);
});
