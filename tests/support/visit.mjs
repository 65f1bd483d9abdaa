// What people do at a server that runs in a container; `make try-image` asks for it.
// Usage: node visit.mjs WHAT ORIGIN [KEY]
//   look   until every film has a poster, small pictures and forms; fetches them, and the first seconds of each form
//   meet   a session, two who join it, and what one plays the other hears; prints the session's key
//   join   the session KEY
//   bring  a film for a session, byte by byte
//   stay   in the session KEY until the server closes; prints a line when it is in, and then the code
import assert from 'node:assert/strict';
import { fetchBytes, fetchPatiently, readMaster, readPlaylist } from './forms.mjs';
import { timesOf } from './fragments.mjs';
import { createSession, join } from './member.mjs';
import { uploader } from './tus.mjs';
import { until } from './until.mjs';

const [what, origin, key] = process.argv.slice(2);
const server = { origin, wsOrigin: origin.replace('http', 'ws') };
const PATIENCE_MS = 60_000;

const listed = async () => (await (await fetch(`${origin}/api/videos`)).json()).videos;
const isMade = ({ poster, thumbnails, forms }) => poster && thumbnails && forms;

async function look() {
  const films = await until(async () => {
    const all = await listed();
    return all.length > 0 && all.every(isMade) && all;
  }, 'posters, small pictures and forms of all films', PATIENCE_MS);
  for (const { poster, thumbnails, forms } of films) {
    assert.equal((await fetchBytes(new URL(poster, origin))).subarray(0, 3).toString('hex'), 'ffd8ff', 'the poster is a JPEG');
    assert.match(String(await fetchBytes(new URL(thumbnails, origin))), /^WEBVTT/);
    const made = forms.filter(({ form }) => form !== 'file');
    assert.ok(made.length > 0, 'a form beside the file itself');
    for (const { url } of made) await begin(new URL(url, origin).href);
  }
}

async function begin(master) {
  const { variants, sound } = await readMaster(master);
  for (const { url } of [...variants, ...sound]) {
    const { init, segments } = await readPlaylist(url);
    await fetchBytes(init);
    assert.ok(timesOf(await fetchPatiently(segments[0].url)).pts.length > 0, segments[0].url);
  }
}

async function meet() {
  const session = await createSession(server);
  const host = await join(server, session.key, { name: 'Ann', host: session.hostToken });
  const guest = await join(server, session.key, { name: 'Ben' });
  host.send('play', { position: 2 });
  await guest.next('state', ({ playing }) => playing);
  console.log(session.key);
  host.socket.close();
  guest.socket.close();
}

async function bring() {
  const one = await uploader(server);
  const film = Buffer.alloc(300_000, 'film');
  // Nodes that have just started do not know yet that they have one folder.
  let answer;
  const made = await until(async () => {
    answer = await one.create(film.length, 'Brought.mp4', {}, `/api/uploads?session=${one.key}`);
    return answer.status === 201 && answer;
  }, () => `a film to be taken: ${answer.status} ${answer.body}`, PATIENCE_MS);
  assert.equal((await one.patch(made.headers.location, 0, film)).status, 204);
}

async function stay() {
  const member = await join(server, key);
  console.log('in');
  console.log((await member.closed).code);
}

const acts = { look, meet, bring, stay, join: async () => (await join(server, key)).socket.close() };
await acts[what]();
