// The server's password on several nodes: what one has given a browser counts on the others.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster } from '../support/cluster.mjs';
import { makeMedia } from '../support/media.mjs';

const headers = { authorization: `Basic ${btoa(':sesame')}` };
let media;
let cluster;

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 5 }]);
  cluster = await startCluster({ nodes: 2, args: ['--media', media.directory, '--create-password', 'sesame'] });
});

after(async () => {
  await cluster?.stop();
  await media?.remove();
});

const cookieOf = (response) => ({ cookie: response.headers.get('set-cookie').split(';')[0] });

test('who has told it to one node has told it to all', async () => {
  const [first, second] = cluster.nodes;
  const told = await fetch(`${first.origin}/api/password`, { method: 'POST', headers });
  assert.equal((await fetch(`${second.origin}/api/videos`, { headers: cookieOf(told) })).status, 200);
  assert.equal((await fetch(`${second.origin}/api/videos`)).status, 401);
});

test('a session of one node opens the films of all', async () => {
  const [first, second] = cluster.nodes;
  const { key, code } = await (await fetch(`${first.origin}/api/sessions`, { method: 'POST', headers })).json();
  const asked = await fetch(`${first.origin}/api/sessions/${key}`);
  const film = `${second.origin}/api/video?id=film`;
  assert.equal((await fetch(film)).status, 403);
  assert.equal((await fetch(film, { headers: cookieOf(asked) })).status, 200);
  for (const name of [key, code]) assert.equal((await fetch(`${film}&session=${name}`)).status, 200, name);
});
