// What is asked for a video that is loaded, when it is answered after something else has happened.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { VideoSource } from '../../www/player/playback/video_source.js';
import { FakeElement, fakeDocument } from './support/fake_document.mjs';

const film = { id: 'film', url: '/api/video?id=film', bytes: 5, forms: [{ form: 'file', url: '/api/video?id=film', type: 'video/mp4', codecs: 'avc1' }] };
const settle = () => new Promise((done) => setImmediate(done));
const browsersFetch = globalThis.fetch;
let asked; // [{url, answer(response)}]

beforeEach(() => {
  fakeDocument();
  asked = [];
  globalThis.fetch = (url) => new Promise((answer) => asked.push({ url, answer }));
});
afterEach(() => (globalThis.fetch = browsersFetch));

function loaded() {
  const video = Object.assign(new FakeElement('video'), { currentTime: 0, error: null, canPlayType: () => 'probably', textTracks: new EventTarget() });
  const source = new VideoSource(video);
  source.load(film);
  const fail = (code) => {
    video.error = { code };
    video.dispatchEvent(new Event('error'));
  };
  return { video, source, fail };
}

test('what was learned of the film meanwhile takes no error away', async () => {
  const { source, fail } = loaded();
  fail(4);
  source.renew({ ...film, duration: 30 }, { isOther: false });
  asked[0].answer(new Response(null));
  await settle();
  assert.equal(source.problem, 'unsupported');
});

test('nor a film that is gone', async () => {
  const { source, fail } = loaded();
  fail(4);
  asked[0].answer(new Response(null, { status: 404 }));
  await settle();
  source.renew({ ...film, duration: 30 }, { isOther: false });
  asked[1].answer(new Response(null, { status: 404 }));
  await settle();
  assert.equal(source.problem, 'missing');
});

test('nor what the film has become', async () => {
  const { source, fail } = loaded();
  fail(4);
  asked[0].answer(new Response(null, { status: 404 }));
  await settle();
  source.renew({ ...film, duration: 30 }, { isOther: false });
  const forms = [{ ...film.forms[0], codecs: 'avc1,mp4a' }];
  asked[1].answer(Response.json({ id: 'film', forms, endsEarly: false }));
  await settle();
  assert.deepEqual([source.problem, source.current.forms, source.current.duration], [null, forms, 30]);
});

test('an error of what was loaded before is nobody\'s', async () => {
  for (const begin of [(source) => source.load({ ...film, id: 'other' }), (source) => source.reload()]) {
    const { source, fail } = loaded();
    fail(4);
    begin(source);
    asked.at(-1).answer(new Response(null));
    await settle();
    assert.equal(source.problem, null);
  }
});
