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
    renew: (entry, { isOther }) => {
      source.current = entry;
      seen.renewed.push([entry.duration, isOther]);
    },
  };
  room.timeline = { state: null, positionAt: () => 0 };
  room.serverTimeMs = () => 0;
  const shown = new ShownVideo({
    key: 'k', room, source, library, onShow: ({ id }) => seen.shown.push(id),
    askSession: async () => {
      seen.asked += 1;
      return seen.told;
    },
    random: () => 0.5,
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
  const pass = async () => {
    for (const { act } of timers.splice(0)) act();
    await settle();
  };
  return { seen, tell, timers, shown, settle, source, library, pass };
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
    const { seen, tell, timers, pass } = await page();
    seen.told = whole;
    await tell(state);
    assert.deepEqual([seen.asked, timers.map(({ ms }) => ms)], [0, asks ? [1_500] : []], 'all pages see it at once');
    await tell({ ...state, cause: 'seek', position: 3 });
    await pass();
    assert.equal(seen.asked, asks, JSON.stringify(state));
    assert.deepEqual(seen.renewed, asks ? [[30, true]] : []);
  }
});

test('a showing that goes on when the film should be over likewise', async () => {
  const { seen, tell, timers, settle } = await page();
  seen.told = whole;
  await tell({ playing: true, position: 2, rate: 2 });
  assert.equal(timers.at(-1).ms, 7_500, 'a second after the end, and half of what pages are spread over');
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

test('what is played is compared, whatever the list was told meanwhile', async () => {
  const listed = [film];
  const { seen, shown, library } = await page(listed);
  listed[0] = whole;
  await library.refresh();
  seen.told = whole;
  assert.equal(await shown.learn(), true);
  assert.deepEqual(seen.renewed, [[30, true]]);
});

test('a film that the list does not have any more, after a search, is still the same', async () => {
  const listed = [film];
  const { seen, shown, library } = await page(listed);
  listed.pop();
  await library.search('other');
  assert.equal(await shown.learn(), false);
  assert.deepEqual(seen.renewed, [[12, false]]);
});

test('two questions at once are one, and a change is played anew once', async () => {
  const { seen, shown } = await page();
  seen.told = whole;
  assert.deepEqual(await Promise.all([shown.learn(), shown.learn()]), [true, true]);
  assert.deepEqual([seen.asked, seen.renewed], [1, [[30, true]]]);
  assert.equal(await shown.learn(), false);
  assert.equal(seen.asked, 2);
});

test('forms tell the version of their file, and what is made of a film may become more', async () => {
  const forms = (version, ...names) => [{ form: 'file', url: '/api/video?id=film' }, ...names.map((form) => ({ form, url: `/forms/film/${version}/${form}.m3u8` }))];
  for (const [played, told, isOther] of [
    [{ bytes: 5, forms: forms('1-1', 'copy') }, { bytes: 9, forms: forms('1-1', 'copy') }, false], // of film.json, without bytes
    [{ bytes: 5, forms: forms('1-1', 'copy') }, { bytes: 5, forms: forms('1-1', 'copy', 'transcode') }, false],
    [{ bytes: 5, forms: forms('1-1', 'copy') }, { bytes: 5, forms: forms('1-2', 'copy') }, true],
    [{ bytes: 5 }, { bytes: 5, forms: forms('1-1', 'copy') }, false],
    [{ bytes: 5, forms: forms('') }, { bytes: 9, forms: forms('') }, true],
  ]) {
    const { seen, shown } = await page([{ id: 'film', ...played }]);
    seen.told = { id: 'film', ...told };
    assert.equal(await shown.learn(), isOther, JSON.stringify([played, told]));
  }
});

test('a session that says nothing changes nothing', async () => {
  const { seen, shown, source } = await page();
  seen.told = null;
  assert.equal(await shown.learn(), false);
  assert.deepEqual([seen.renewed, source.current], [[], film]);
});
