// What Prometheus and Grafana are given: metrics by their conventions, alerts that fire when they should, a dashboard
// of metrics that there are.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { makeFolder } from '../support/files.mjs';
import { startRedis } from '../support/redis.mjs';
import { projectRoot, startServer } from '../support/server.mjs';

const run = promisify(execFile);
const promtool = path.join(projectRoot, 'deploy/promtool');
const folder = path.join(projectRoot, 'deploy/prometheus');

let media;
let redis;
let server;
let metrics;
before(async () => {
  media = await makeFolder({ 'film.mp4': 'film' });
  redis = await startRedis();
  const cache = await makeFolder();
  media.cache = cache;
  server = await startServer({ args: ['--media', media.directory, '--redis', redis.url], env: { VIDEOSYNC_CACHE: cache.directory } });
  metrics = await (await fetch(`${server.adminOrigin}/metrics`)).text();
});
after(async () => {
  await server?.stop();
  await redis?.stop();
  await media?.cache.remove();
  await media?.remove();
});

test('promtool finds nothing to say about the metrics', async () => {
  const child = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  child.stdin.end(metrics);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  assert.deepEqual({ code, said }, { code: 0, said: '' });
});

test('each alert fires on what it is for, and rests where all is well', async () => {
  await run(promtool, ['check', 'rules', path.join(folder, 'alerts.yml')]);
  await run(promtool, ['test', 'rules', 'alerts.test.yml'], { cwd: folder }).catch((error) => assert.fail(error.stdout + error.stderr));
  const alerts = [...(await readFile(path.join(folder, 'alerts.yml'), 'utf8')).matchAll(/alert: (\w+)/g)].map(([, name]) => name);
  assert.ok(alerts.length > 8);
  const tests = await readFile(path.join(folder, 'alerts.test.yml'), 'utf8');
  const help = await readFile(path.join(projectRoot, 'docs/INCIDENTS.md'), 'utf8');
  for (const alert of alerts) {
    assert.match(tests, new RegExp(`alertname: ${alert}\\n +exp_alerts: \\[\\{`), `no test lets ${alert} fire`);
    assert.match(help, new RegExp(`^## ${alert}$`, 'm'), `docs/INCIDENTS.md does not tell of ${alert}`);
  }
});

test('what the dashboard asks is PromQL', async () => {
  const { panels } = JSON.parse(await readFile(path.join(folder, 'dashboard.json'), 'utf8'));
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(asked.length > 30);
  const rules = asked.map((expr, index) => ({ record: `asked:${index}`, expr }));
  const file = await makeFolder({ 'rules.yml': JSON.stringify({ groups: [{ name: 'dashboard', rules }] }) });
  try {
    await run(promtool, ['check', 'rules', file.path('rules.yml')]).catch((error) => assert.fail(error.stdout + error.stderr));
  } finally {
    await file.remove();
  }
});

test('alerts and dashboard name metrics that a node has', async () => {
  const known = new Set([...metrics.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) => (type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])));
  for (const file of ['alerts.yml', 'dashboard.json']) {
    const text = await readFile(path.join(folder, file), 'utf8');
    const named = new Set(text.match(/\b(?:videosync|process)_[a-z_]+\b/g));
    assert.ok(named.size > 10, file);
    assert.deepEqual([...named].filter((name) => !known.has(name)), [], file);
  }
});
