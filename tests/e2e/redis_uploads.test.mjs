// Films that hosts bring where several nodes share a store: all need the same folder, and nginx lets them through.
import assert from 'node:assert/strict';
import { readdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { startCluster } from '../support/cluster.mjs';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { ask, assertError } from '../support/http_connection.mjs';
import { createSession, join } from '../support/member.mjs';
import { startNginx } from '../support/nginx.mjs';
import { startRedis } from '../support/redis.mjs';
import { uploader } from '../support/tus.mjs';
import { until } from '../support/until.mjs';

const FILM = patternBytes(3_000_000, 9);
let media;
let redis;
before(async () => {
  media = await makeFolder({ 'film.mp4': patternBytes(2_000, 1) });
  redis = await startRedis();
});
after(async () => {
  await redis?.stop();
  await media?.remove();
});

async function startNodes(t, nodes, folder) {
  const cluster = await startCluster({ nodes, redis, args: ['--media', media.directory, '--session-rate', '0', '--uploads', folder] });
  t.after(() => cluster.stop());
  return cluster;
}
const untilTaken = (host) => until(async () => {
  const answer = await host.create(FILM.length, 'Brought.mp4');
  return answer.status === 201 && answer.headers.location;
}, 'a film is taken');
const listedOn = async (node, key) => JSON.parse((await ask(node.origin, 'GET', `/api/videos?session=${key}`)).body).videos;

test('nodes with one folder: a film that came to one is there on all, and goes with its session', async (t) => {
  const folder = await makeFolder({ 'mine.mp4': 'mine' });
  t.after(() => folder.remove());
  const { nodes } = await startNodes(t, 2, folder.directory);
  const session = await createSession(nodes[0]);
  const host = await uploader(nodes[0], session);
  const url = await untilTaken(host);
  assert.equal((await host.patch(url, 0, FILM)).status, 204);
  for (const node of nodes) {
    const video = await until(async () => (await listedOn(node, session.key)).find(({ title }) => title === 'Brought'), 'it is listed');
    assert.ok((await ask(node.origin, 'GET', video.url)).body.equals(FILM));
  }
  const elsewhere = await uploader(nodes[1], session);
  assert.equal((await elsewhere.head(url)).status, 404); // which node has it the key in its address tells
  assert.equal((await ask(nodes[1].origin, 'DELETE', `/api/sessions/${session.key}`, { Authorization: `Bearer ${session.hostToken}` })).status, 204);
  const films = async () => (await readdir(folder.directory)).filter((name) => name.length === 32);
  await until(async () => (await films()).length === 0, 'nothing of it is left');
  assert.ok((await readdir(folder.directory)).includes('mine.mp4'));
});

test('members on all nodes hear how far it is, wherever it comes to', async (t) => {
  const folder = await makeFolder();
  t.after(() => folder.remove());
  const { nodes } = await startNodes(t, 2, folder.directory);
  const session = await createSession(nodes[0]);
  const members = [];
  for (const node of nodes) members.push(await join(node, session.key, { name: 'Ann' }));
  for (const node of nodes) {
    const host = await uploader(node, session);
    const url = await untilTaken(host);
    assert.equal((await host.patch(url, 0, FILM)).status, 204);
    const heard = await Promise.all(members.map((member) => member.next('upload', ({ percent }) => percent === 100)));
    for (const { name } of heard) assert.equal(name, 'Brought.mp4');
    await host.remove(url);
    for (const member of members) assert.equal((await member.next('upload')).gone, true);
  }
});

test('nodes with different folders take none, and say why', async (t) => {
  const folders = [await makeFolder(), await makeFolder()];
  t.after(() => Promise.all(folders.map((folder) => folder.remove())));
  const first = await startNodes(t, 1, folders[0].directory);
  const host = await uploader(first.nodes[0]);
  await host.remove(await untilTaken(host));
  const second = await startNodes(t, 1, folders[1].directory);
  for (const [node] of [first.nodes, second.nodes]) {
    const other = await uploader(node);
    await until(async () => {
      const answer = await other.create(10);
      if (answer.status === 201) await other.remove(answer.headers.location);
      else assertError(answer, 403, 'uploads_not_shared');
      return answer.status === 403;
    }, 'it is known');
  }
});

test('a part of a node that was lost goes when its time is over', async (t) => {
  const folder = await makeFolder();
  t.after(() => folder.remove());
  const first = await startNodes(t, 1, folder.directory);
  const host = await uploader(first.nodes[0]);
  const url = await untilTaken(host);
  await host.patch(url, 0, FILM.subarray(0, 1_000));
  await first.nodes[0].stop('SIGKILL');
  const [name] = await readdir(folder.path('.partial'));
  const part = path.join(folder.path('.partial'), name);
  await utimes(part, Date.now() / 1_000 - 7_200, Date.now() / 1_000 - 7_200);
  await startNodes(t, 1, folder.directory);
  await until(async () => (await readdir(folder.path('.partial'))).length === 0, 'it is gone');
});

test('nginx passes them on as they come, to the node that has the session', async (t) => {
  const folder = await makeFolder();
  t.after(() => folder.remove());
  const { nodes } = await startNodes(t, 2, folder.directory);
  const nginx = await startNginx(nodes);
  t.after(() => nginx.stop());
  const session = await createSession(nginx);
  const host = await uploader(nginx, session);
  const url = await until(async () => {
    const answer = await host.create(FILM.length, 'Brought.mp4', {}, `/api/uploads?session=${session.key}`);
    return answer.status === 201 && answer.headers.location;
  }, 'a film is taken');
  assertError(await host.patch(url, 5, FILM.subarray(5, 1_000)), 409, 'wrong_offset');
  const connection = await host.open(url, 0, FILM.length);
  connection.write(FILM.subarray(0, 1_000_000));
  await until(async () => await host.offset(url) > 500_000, 'it comes while it is sent');
  connection.close();
  await until(async () => (await host.patch(url, FILM.length, Buffer.alloc(0))).status !== 423, 'the cut is known');
  const offset = await host.offset(url);
  assert.equal((await host.patch(url, offset, FILM.subarray(offset))).status, 204);
  const video = await until(async () => (await listedOn(nginx, session.key)).find(({ title }) => title === 'Brought'), 'it is listed');
  assert.ok((await ask(nginx.origin, 'GET', video.url)).body.equals(FILM));
});
