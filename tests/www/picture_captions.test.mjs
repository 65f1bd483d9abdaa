// Which parts of subtitles that are pictures are asked for, and when again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PictureCaptions, partsAt } from '../../www/player/stage/picture_captions.js';
import { PictureParts } from '../../www/player/stage/picture_parts.js';
import { FakeElement, fakeDocument } from './support/fake_document.mjs';
import { FakeTime } from './support/fake_network.mjs';

const settle = () => new Promise((done) => setImmediate(done));
const refused = (status, retryAfterMs = null) => Object.assign(new Error(), { refusal: { status, retryAfterMs } });

// A server whose answers the test gives.
function server({ random = () => 0.5 } = {}) {
  const time = new FakeTime();
  const asked = []; // {url, isAborted, answer(part), refuse(error)}
  const fetchPart = (url, signal) => new Promise((answer, refuse) => {
    const one = { url, isAborted: false, answer, refuse };
    asked.push(one);
    signal.addEventListener('abort', () => {
      one.isAborted = true;
      refuse(new Error('aborted'));
    });
  });
  const inFlight = () => asked.filter(({ isAborted, isDone }) => !isAborted && !isDone).map(({ url }) => url);
  return { time, asked, inFlight, means: { fetchPart, random, timers: time.timers } };
}

const partOf = () => {
  const image = { isClosed: false, close: () => (image.isClosed = true) };
  return { width: 10, height: 10, cues: [{ from: 0, to: 1, image }] };
};

test('what is wanted is held, and nothing else', async () => {
  const { asked, means, time } = server();
  let came = 0;
  const parts = new PictureParts(() => (came += 1), means);
  parts.want(['0', '1']);
  parts.want(['0', '1']);
  assert.deepEqual(asked.map(({ url }) => url), ['0', '1'], 'once each');
  const [first, second] = [partOf(), partOf()];
  asked[0].answer(first);
  await settle();
  assert.deepEqual([parts.get('0'), parts.get('1'), came], [first, null, 1]);
  parts.want(['1']);
  assert.equal(first.cues[0].image.isClosed, true);
  parts.want(['7']);
  assert.equal(asked[1].isAborted, true);
  assert.equal(parts.get('1'), null);
  asked[1].answer(second);
  await settle();
  time.pass(100_000);
  assert.deepEqual([parts.get('1'), came, asked.length], [null, 1, 3]);
});

test('one that comes though nobody wants it any more is let go', async () => {
  const { asked, means } = server();
  const parts = new PictureParts(() => assert.fail('nothing came'), means);
  parts.want(['0']);
  const late = partOf();
  asked[0].answer(late);
  parts.want([]);
  await settle();
  assert.equal(late.cues[0].image.isClosed, true);
});

test('what the server is busy with is asked for when it says, no two viewers at once', async () => {
  for (const [random, delayMs] of [[0, 2_000], [0.5, 4_000], [1, 6_000]]) {
    const { asked, means, time } = server({ random: () => random });
    const parts = new PictureParts(() => {}, means);
    parts.want(['0']);
    asked[0].refuse(refused(503, 4_000));
    await settle();
    time.pass(delayMs - 1);
    assert.equal(asked.length, 1);
    time.pass(1);
    assert.equal(asked.length, 2);
  }
});

test('where it says nothing it is asked ever less often', async () => {
  const { asked, means, time } = server();
  new PictureParts(() => {}, means).want(['0']);
  for (const [i, delayMs] of [2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    asked[i].refuse(i % 2 ? refused(502) : new TypeError('the line is gone'));
    await settle();
    time.pass(delayMs - 1);
    assert.equal(asked.length, i + 1);
    time.pass(1);
    assert.equal(asked.length, i + 2);
  }
});

test('what cannot be had is not asked for again, until it is wanted anew', async () => {
  const { asked, means, time } = server();
  const parts = new PictureParts(() => {}, means);
  parts.want(['0']);
  asked[0].refuse(refused(422));
  await settle();
  time.pass(100_000);
  parts.want(['0']);
  assert.equal(asked.length, 1);
  parts.want([]);
  parts.want(['0']);
  assert.equal(asked.length, 2);
});

test('a wait of a part that was let go touches no later one', async () => {
  const { asked, means, time } = server();
  const parts = new PictureParts(() => {}, means);
  parts.want(['0']);
  asked[0].refuse(refused(503, 4_000));
  await settle();
  parts.want([]);
  parts.want(['0']);
  const part = partOf();
  asked[1].answer(part);
  await settle();
  time.pass(100_000);
  assert.deepEqual([asked.length, parts.get('0'), part.cues[0].image.isClosed], [2, part, false]);
});

test('the next part is due in the second half of one, at a viewer\'s own place', () => {
  assert.deepEqual(partsAt(29_000, 60_000, 0.5), [0]);
  assert.deepEqual(partsAt(31_000, 60_000, 0.5), [0, 1]);
  assert.deepEqual(partsAt(60_000 + 53_000, 60_000, 0.9), [1]);
  assert.deepEqual(partsAt(60_000 + 55_000, 60_000, 0.9), [1, 2]);
});

function captions(random) {
  const told = server({ random });
  fakeDocument();
  globalThis.ResizeObserver = class { observe() {} };
  const track = { dataset: { pictures: '/p/', spanMs: '60000' }, track: { mode: 'showing' } };
  const video = Object.assign(new FakeElement('video'), {
    currentTime: 0, paused: true, seeking: false, videoWidth: 0, textTracks: new EventTarget(), querySelectorAll: () => [track],
  });
  const shown = new PictureCaptions(video, { querySelector: () => video }, told.means);
  const become = (type, state) => {
    Object.assign(video, state);
    video.dispatchEvent(new Event(type));
  };
  return { ...told, become, video, track, shown };
}

test('while the viewer seeks nothing is asked for, and what was left behind is given up on arrival', () => {
  const { asked, inFlight, become } = captions(() => 0);
  become('timeupdate', { currentTime: 50 });
  assert.deepEqual(inFlight(), ['/p/0.json', '/p/1.json']);
  for (let minute = 2; minute < 30; minute += 1) become('seeking', { seeking: true, currentTime: minute * 60 });
  assert.equal(asked.length, 2);
  become('seeked', { seeking: false });
  assert.deepEqual(inFlight(), ['/p/29.json']);
});

test('viewers of one showing ask for the next part at places of their own', () => {
  for (const [random, firstS] of [[0, 31], [0.5, 43], [1, 55]]) {
    const { asked, become } = captions(() => random);
    for (let atS = 1; atS < firstS; atS += 1) become('timeupdate', { currentTime: atS });
    assert.equal(asked.length, 1);
    become('timeupdate', { currentTime: firstS });
    assert.equal(asked.length, 2);
  }
});

test('captions that are turned off are let go', () => {
  const { inFlight, video, track, become } = captions(() => 0);
  become('timeupdate', { currentTime: 50 });
  track.track.mode = 'disabled';
  video.textTracks.dispatchEvent(new Event('change'));
  assert.deepEqual(inFlight(), []);
});

test('with a delay they are those of an earlier moment of the film', () => {
  const { inFlight, become, shown } = captions(() => 0.99);
  become('timeupdate', { currentTime: 62 });
  assert.deepEqual(inFlight(), ['/p/1.json']);
  shown.delayMs = 3_000;
  assert.deepEqual(inFlight().sort(), ['/p/0.json', '/p/1.json']);
  become('timeupdate', { currentTime: 1 });
  assert.deepEqual(inFlight(), ['/p/0.json'], 'before the film there is nothing');
});
