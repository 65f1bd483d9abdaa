// A showing on two nodes behind a real nginx, as people see it: each of the two is on another node,
// control goes from one to the other, and a node is killed while the film plays.
//
// The operator's nginx keeps a session on one node. So that the members are on two, each of them has
// an nginx of its own that prefers "their" node and takes the other one when that is gone; the last
// test has the operator's own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join, launchBrowser, measure, middleAheadMs, movedMs, openPerson, readings, until } from '../support/browser.mjs';
import { startCluster, whenReady } from '../support/cluster.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startNginx } from '../support/nginx.mjs';
import { rowOf } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const IN_STEP_MS = 150;
const BACK_WITHIN_MS = 5_000;
let media;
let args;
let cluster;
let browser;
const fronts = [];
let ann; // on the first node while it lives, host
let ben; // on the second
let link; // without the address

before(async () => {
  media = await makeMedia([{ name: 'demo', seconds: 90 }]);
  args = ['--media', media.directory, '--trusted-proxy', '127.0.0.1'];
  cluster = await startCluster({ args });
  for (const node of cluster.nodes) await untilFilmsAreKnown(node);
  const [a, b] = cluster.nodes;
  for (const nodes of [[a, b], [b, a]]) fronts.push(await startNginx(nodes, { prefersFirst: true }));
  browser = await launchBrowser();
  ann = { ...(await openPerson(browser)), front: fronts[0] };
  ben = { ...(await openPerson(browser)), front: fronts[1] };
});

after(async () => {
  await browser?.close();
  for (const front of fronts) await front.stop();
  await cluster?.stop();
  await media?.remove();
});

const roleOf = ({ page }) => page.textContent('#role');
const isHost = (person) => until(async () => (await roleOf(person)).startsWith('You are the host'), 'host');
const press = ({ page }, key) => page.evaluate(() => document.activeElement.blur()).then(() => page.keyboard.press(key));

async function hasStatus({ page }, words) {
  let last = '';
  const look = async () => (last = await page.textContent('#status-text')).includes(words);
  await until(look, () => `status "${words}", last "${last}"`);
}

async function assertInStep(people) {
  for (const person of people) await hasStatus(person, 'In step');
  for (const { page } of people) assert.equal((await measure(page)).paused, false);
  const ahead = await middleAheadMs(people[1].page, people[0].page);
  assert.ok(Math.abs(ahead) < IN_STEP_MS, `${ahead.toFixed(0)} ms apart`);
}

// Kills the node, on which `people` are, and waits until all of them have a connection again.
async function killUnder(t, index, people) {
  const counts = await Promise.all(people.map(({ page }) => page.evaluate(() => testSockets.length)));
  const before = await Promise.all([ann, ben].map(({ page }) => readings(page)));
  const killedMs = performance.now();
  await cluster.nodes[index].stop('SIGKILL');
  const isBack = async ({ page }, count) => page.evaluate(
    (had) => testSockets.length > had && testSockets.at(-1).readyState === 1 && !document.querySelector('video').paused, count);
  await Promise.all(people.map((person, i) => until(() => isBack(person, counts[i]), 'the connection comes back')));
  const tookMs = performance.now() - killedMs;
  t.diagnostic(`back after ${tookMs.toFixed(0)} ms`);
  assert.ok(tookMs < BACK_WITHIN_MS, `back after ${tookMs.toFixed(0)} ms`);
  await assertInStep([ann, ben]);
  const now = await Promise.all([ann, ben].map(({ page }) => readings(page)));
  for (const i of [0, 1]) {
    const ahead = movedMs(before[i], now[i]);
    assert.ok(Math.abs(ahead) < 2 * IN_STEP_MS, `the picture has been moved by ${ahead.toFixed(0)} ms`);
  }
}

async function startAgain(index) {
  const { origin, adminOrigin } = cluster.nodes[index];
  cluster.nodes[index] = await startServer({
    listen: new URL(origin).host,
    admin: new URL(adminOrigin).host,
    args: ['--redis', cluster.redis.url, '--workers', '2', '--drain', '1s', ...args],
  });
  await whenReady(cluster.nodes[index]);
  // nginx takes it for dead a little longer.
  const isUsed = async () => (await fetch(fronts[index].origin)).ok &&
    (await readMetric(cluster.nodes[index], 'connections_accepted_total')) > 0;
  await until(isUsed, 'nginx sends requests to it again', 10_000, 100);
}

const membersOn = (index, count) =>
  until(async () => (await readMetric(cluster.nodes[index], 'members')) === count, `${count} members on node ${index}`);

test('two people on two nodes are in one session', async () => {
  const { key } = await createSession(fronts[0]);
  link = `/player.html?session=${key}`;
  for (const [person, name] of [[ann, 'Ann'], [ben, 'Ben']]) await join(person.page, person.front.origin + link, name);
  await isHost(ann);
  await until(async () => (await roleOf(ben)).startsWith('Ann controls'), 'Ben knows it');
  for (const index of [0, 1]) await membersOn(index, 1);
});

test('play, seek and pause on one node are seen on the other', async () => {
  await press(ann, 'k');
  await until(async () => (await measure(ben.page)).position > 0.5, 'the picture advances');
  await assertInStep([ann, ben]);
  await press(ann, 'ArrowRight');
  await until(async () => (await measure(ben.page)).position > 5, 'Ben follows');
  await assertInStep([ann, ben]);
  await press(ann, 'k');
  await hasStatus(ben, 'Paused by Ann');
  const at = async ({ page }) => (await measure(page)).position;
  await until(async () => Math.abs((await at(ann)) - (await at(ben))) <= 0.001, 'both stand on one position');
});

test('control goes over to the other node', async () => {
  const row = rowOf(ann.page, 'Ben');
  await row.locator('summary').click();
  await row.getByText('Give control').click();
  await isHost(ben);
  await until(async () => (await roleOf(ann)).startsWith('Ben controls'), 'Ann knows it');
  await press(ben, 'k');
  await assertInStep([ann, ben]);
});

test('the host\'s node is killed while the film plays: back on the other, still host, nobody moved', async (t) => {
  await killUnder(t, 1, [ben]);
  await membersOn(0, 2);
  await isHost(ben);
  await press(ben, 'k');
  await hasStatus(ann, 'Paused by Ben');
  await press(ben, 'k');
  await assertInStep([ann, ben]);
});

test('the node on which everybody is is killed: the session comes back from Redis on the other', async (t) => {
  await startAgain(1);
  await killUnder(t, 0, [ann, ben]);
  await membersOn(1, 2);
  await isHost(ben);
});

test('the same with the operator\'s nginx, which keeps a session together', async (t) => {
  await startAgain(0);
  const front = await startNginx(cluster.nodes);
  fronts.push(front);
  for (const [person, name] of [[ann, 'Ann'], [ben, 'Ben']]) await join(person.page, front.origin + link, name);
  const [here, there] = [await readMetric(cluster.nodes[0], 'members'), await readMetric(cluster.nodes[1], 'members')];
  assert.deepEqual([here, there].sort(), [0, 2]);
  await assertInStep([ann, ben]);
  await killUnder(t, here === 2 ? 0 : 1, [ann, ben]);
});
