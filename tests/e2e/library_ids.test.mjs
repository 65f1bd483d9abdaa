// An id goes on meaning its film, whatever comes beside it: over scans, restarts and nodes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeFolder } from '../support/files.mjs';
import { ask } from '../support/http_connection.mjs';
import { startServer } from '../support/server.mjs';
import { until, untilLogged } from '../support/until.mjs';

const PAIRS = [
  ['film.mp4', 'film.mkv'],
  ['A.B.mp4', 'A B.mp4'],
  ['日本 2.mp4', '中国 2.mp4'],
];
const listed = async (server) => JSON.parse((await ask(server.origin, 'GET', '/api/videos')).body).videos;
const bodyOf = async (server, target) => (await ask(server.origin, 'GET', target)).body.toString();

// A session on the first of two films, then the second beside it.
async function assertStays(first, second) {
  const media = await makeFolder({ [first]: first });
  const cache = await makeFolder();
  const args = ['--media', media.directory];
  const servers = [];
  const start = async (options = {}) => servers.push(await startServer({ args, ...options })) && servers.at(-1);
  try {
    const server = await start();
    const [{ id }] = await listed(server);
    const { key } = JSON.parse((await ask(server.origin, 'POST', '/api/sessions')).body);
    await media.add(second, second);
    process.kill(server.pid, 'SIGHUP');
    const both = await until(async () => {
      const videos = await listed(server);
      return videos.length === 2 && videos;
    }, 'both films');
    assert.equal(await bodyOf(server, `/api/video?session=${key}`), first, 'the session');
    assert.equal(JSON.parse(await bodyOf(server, `/api/sessions/${key}`)).video.id, id);
    await server.stop();
    for (const again of [await start(), await start({ env: { VIDEOSYNC_CACHE: cache.directory } })]) {
      assert.equal(await bodyOf(again, `/api/video?id=${id}`), first, 'a restart, another node');
      for (const { id: known } of both) {
        const meant = await bodyOf(again, `/api/video?id=${known}`);
        assert.equal(meant, await bodyOf(servers[1], `/api/video?id=${known}`));
        assert.equal(meant, known === id ? first : second);
      }
    }
  } finally {
    for (const server of servers) await server.stop();
    await media.remove();
    await cache.remove();
  }
}

for (const [one, other] of PAIRS) {
  test(`${one} and ${other}: neither takes the other's id`, async () => {
    await assertStays(one, other);
    await assertStays(other, one);
  });
}

test('odd names are listed and play, with all that belongs to them', async () => {
  const names = ['line\nbreak', 'back\\slash', '#hash', 'what?', '100%', '%41', 'blank ', 'café', 'cafe\u0301', 'n'.repeat(251)];
  const files = names.flatMap((name) => [[`${name}.mp4`, name], ...(name.length > 200 ? [] : [[`${name}.en.vtt`, name], [`${name}.jpg`, name]])]);
  const media = await makeFolder(Object.fromEntries(files));
  const server = await startServer({ args: ['--media', media.directory] });
  try {
    const videos = await listed(server);
    assert.equal(videos.length, names.length);
    const played = [];
    for (const { url, poster, captions } of videos) {
      const name = await bodyOf(server, url);
      played.push(name);
      if (name.length > 200) continue;
      assert.equal(await bodyOf(server, poster), name);
      assert.equal(await bodyOf(server, captions[0].url), name);
    }
    assert.deepEqual(played.sort(), [...names].sort());
  } finally {
    await server.stop();
    await media.remove();
  }
});

test('what cannot be taken is named once, with the reason', async () => {
  const media = await makeFolder({ 'film.mp4': 'film', 'stray.en.vtt': 'captions' });
  const server = await startServer({ args: ['--media', media.directory] });
  try {
    const times = () => server.stderr().split('no video is named like the captions').length - 1;
    await untilLogged(server, /no video is named like the captions/);
    for (let scans = 1; scans <= 2; ++scans) {
      process.kill(server.pid, 'SIGHUP');
      await untilLogged(server, new RegExp(`(scanned videos=1[^]*){${scans}}`));
    }
    assert.equal(times(), 1);
    await media.add('odd\nname.vtt', 'captions');
    process.kill(server.pid, 'SIGHUP');
    await untilLogged(server, /like the captions .*odd\\nname\.vtt/);
  } finally {
    await server.stop();
    await media.remove();
  }
});
