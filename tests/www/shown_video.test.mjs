import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShownVideo } from '../../www/session/shown_video.js';
import { VideoList } from '../../www/session/video_list.js';

const film = { id: 'film', bytes: 5, duration: 12, endsEarly: true };
const whole = { id: 'film', bytes: 9, duration: 30 };

// A page that shows `film`, and a session whose video is `told` by now.
async function page(listed = [film]) {
  const room = new EventTarget();
  const timers = [];
  const seen = { renewed: [], shown: [], asked: 0, told: film };
  const library = new VideoList(async () => ({ videos: listed }));
  await library.refresh();
  const source = {
    current: null,
    load: (entry) => (source.current = entry),
    renew: (entry, { isOther }) => seen.renewed.push([entry.duration, isOther]),
  };
  room.timeline = { state: null, positionAt: () => 0 };
  room.serverTimeMs = () => 0;
  const shown = new ShownVideo({
    key: 'k', room, source, library, onShow: ({ id }) => seen.shown.push(id),
    askSession: async () => {
      seen.asked += 1;
      return seen.told;
    },
    timers: {
      setTimeout: (act, ms) => timers.push({ act, ms }),
      clearTimeout: (id) => id && (timers[id - 1].act = () => {}),
    },
  });
  const settle = () => new Promise((done) => setImmediate(done));
  const tell = async (fields) => {
    const state = { video: 'film', playing: false, position: 0, rate: 1, atMs: 0, cause: 'seek', ...fields };
    const previous = room.timeline.state;
    room.timeline.state = state;
    room.dispatchEvent(new CustomEvent('state', { detail: { state, previous } }));
    await settle();
  };
  await tell({ cause: 'load' });
  return { seen, tell, timers, shown, settle, source };
}

test('what the list has is shown, and nobody is asked', async () => {
  const { seen } = await page();
  assert.deepEqual(seen, { renewed: [], shown: ['film'], asked: 0, told: film });
});

test('what it lacks the session tells', async () => {
  const { seen, source } = await page([]);
  assert.deepEqual([seen.asked, source.current], [1, film]);
});

test('a showing beyond the end, or at another one, is of a film that has changed', async () => {
  for (const [state, asks] of [
    [{ position: 11 }, 0], [{ position: 12.9 }, 0], [{ position: 13.1 }, 1],
    [{ cause: 'ended', position: 12 }, 0], [{ cause: 'ended', position: 30 }, 1], [{ cause: 'ended', position: 7 }, 1],
  ]) {
    const { seen, tell } = await page();
    seen.told = whole;
    await tell(state);
    assert.equal(seen.asked, asks, JSON.stringify(state));
    assert.deepEqual(seen.renewed, asks ? [[30, true]] : []);
  }
});

test('a showing that goes on when the film should be over likewise', async () => {
  const { seen, tell, timers, settle } = await page();
  seen.told = whole;
  await tell({ playing: true, position: 2, rate: 2 });
  assert.equal(timers.at(-1).ms, 6_000, 'a second after the end');
  timers.at(-1).act();
  await settle();
  assert.deepEqual([seen.asked, seen.renewed], [1, [[30, true]]]);
  await tell({ playing: true, position: 3 });
  const late = timers.at(-1);
  await tell({ position: 4 });
  late.act();
  await settle();
  assert.equal(seen.asked, 1, 'it was paused before');
});

test('a length that was learned changes no picture', async () => {
  const { seen, shown } = await page([{ id: 'film', bytes: 5 }]);
  seen.told = { id: 'film', bytes: 5, duration: 30 };
  assert.equal(await shown.learn(), false);
  assert.deepEqual(seen.renewed, [[30, false]]);
});
