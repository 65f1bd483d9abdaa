// What is there for containers, without one: is deploy/seccomp.json all that the program and its children need, and does
// deploy/compose.yaml say what they understand. `make try-image` runs both for real.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import YAML from 'yaml';
import { makeFolder } from '../support/files.mjs';
import { fetchBytes, readMaster, readPlaylist } from '../support/forms.mjs';
import { createSession, join } from '../support/member.mjs';
import { makeMedia } from '../support/media.mjs';
import { freePort, startRedis } from '../support/redis.mjs';
import { isKnownHere, numbersOfCalls, scriptUnder } from '../support/seccomp.mjs';
import { projectRoot, serverBinary, startServer } from '../support/server.mjs';
import { uploader } from '../support/tus.mjs';
import { until } from '../support/until.mjs';

const run = promisify(execFile);
const deploy = path.join(projectRoot, 'deploy');
const profile = JSON.parse(await readFile(path.join(deploy, 'seccomp.json'), 'utf8'));
const composeText = await readFile(path.join(deploy, 'compose.yaml'), 'utf8');
const compose = YAML.parse(composeText, { merge: true });
const nodes = ['node1', 'node2'].map((name) => compose.services[name]);
const noFilter = !isKnownHere ? `numbers of ${process.arch} are not known here` : process.env.VIDEOSYNC_SANITIZE ? 'a sanitizer makes calls of its own' : false;
let folder;

before(async () => {
  folder = await makeFolder();
});
after(() => folder?.remove());

test('the profile allows what it names and no more, and says why', () => {
  assert.equal(profile.defaultAction, 'SCMP_ACT_ERRNO');
  assert.ok(profile.syscalls.every(({ comment }) => comment.endsWith('.')));
  const allowed = profile.syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW');
  const always = allowed.filter(({ args }) => args === undefined).flatMap(({ names }) => names);
  for (const name of ['io_uring_setup', 'io_uring_enter', 'io_uring_register']) assert.ok(always.includes(name), name);
  assert.equal(new Set(always).size, always.length, 'each once');
  const all = profile.syscalls.flatMap(({ names }) => names);
  for (const name of ['bpf', 'chroot', 'kexec_load', 'keyctl', 'mount', 'perf_event_open', 'pivot_root', 'process_vm_readv', 'ptrace', 'reboot', 'setns', 'unshare', 'userfaultfd']) {
    assert.ok(!all.includes(name), name);
  }
  // New namespaces are not to be had by the calls that are there for threads.
  assert.deepEqual(allowed.filter(({ names }) => names.includes('clone')).map(({ args }) => args),
    [[{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]]);
  assert.ok(!always.includes('clone') && !always.includes('clone3') && !always.includes('socket'));
});

test('every name in it is a system call\'s', { skip: process.arch !== 'x64' && 'other machines lack the older ones' }, () => {
  const numbers = numbersOfCalls();
  assert.ok(Object.keys(numbers).length > 300);
  assert.deepEqual(profile.syscalls.flatMap(({ names }) => names).filter((name) => !(name in numbers)), []);
});

test('under it the program does all it is for', { skip: noFilter }, async (t) => {
  await writeFile(folder.path('videosync'), scriptUnder(profile, serverBinary()), { mode: 0o755 });
  await mkdir(folder.path('uploads'));
  const media = await makeMedia();
  t.after(() => media.remove());
  // Such as no browser plays: forms are made of it.
  await run('ffmpeg', ['-v', 'error', '-i', path.join(media.directory, 'demo.mp4'), '-c:v', 'mpeg4', '-c:a', 'ac3', path.join(media.directory, 'odd.avi')]);
  const redis = await startRedis();
  t.after(() => redis.stop());
  const server = await startServer({
    binary: folder.path('videosync'),
    args: ['--media', media.directory, '--uploads', folder.path('uploads'), '--redis', redis.url],
    env: { VIDEOSYNC_CACHE: folder.path('cache') },
  });
  t.after(() => server.stop());
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  assert.match(status, /^Seccomp:\t2$/m);

  const film = await until(async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos
    .find(({ poster, thumbnails, forms }) => poster && thumbnails && forms?.some(({ form }) => form !== 'file')), () => `what is made of the film: ${server.stderr()}`, 60_000);
  const { variants } = await readMaster(new URL(film.forms.find(({ form }) => form !== 'file').url, server.origin).href);
  const { segments } = await readPlaylist(variants[0].url);
  assert.ok((await fetchBytes(segments[0].url)).length > 0);
  assert.ok((await fetchBytes(new URL(film.poster, server.origin))).length > 0);
  assert.ok((await fetchBytes(new URL(film.url, server.origin))).length > 0);

  const host = await uploader(server);
  // It takes none before it has heard from Redis which nodes live, and has found them all in its folder.
  const made = await until(async () => {
    const answer = await host.create(100_000);
    return answer.status === 201 && answer;
  }, 'a film is taken');
  assert.equal((await host.patch(made.headers.location, 0, Buffer.alloc(100_000))).status, 204);
  const { key } = await createSession(server);
  const member = await join(server, key);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.equal((await member.closed).code, 1001);
});

test('the test of it notices what is missing', { skip: noFilter }, async () => {
  const less = { ...profile, syscalls: profile.syscalls.map((rule) => ({ ...rule, names: rule.names.filter((name) => name !== 'io_uring_setup') })) };
  await writeFile(folder.path('less'), scriptUnder(less, serverBinary()), { mode: 0o755 });
  await assert.rejects(startServer({ binary: folder.path('less') }), /SIGSYS/);
});

// As a runtime fills variables in: those that have no default are the test's.
const filled = (text, values) => text.replaceAll(/\$\{(\w+)(?::[-?]([^}]*))?\}/g, (_, name, otherwise) => values[name] ?? otherwise);

test('what the composition tells the program, it understands', async () => {
  for (const { command, environment } of nodes) {
    const args = command.map((word) => word.replace(/^--uploads=.*/, `--uploads=${folder.directory}`));
    assert.ok(args.length > 0 && args.every((word) => word.startsWith('--')));
    const variables = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(String(value), { REDIS_PASSWORD: 'secret' })]));
    const { stdout } = await run(serverBinary(), ['--check-config', '--media', folder.directory, ...args], { env: { ...process.env, ...variables } });
    const known = [...(await run(serverBinary(), ['--help'])).stdout.matchAll(/^ {2}(?:-\w,)?--([a-z-]+)/gm)].map(([, name]) => name);
    for (const name of Object.keys(environment)) assert.ok(known.includes(name.replace('VIDEOSYNC_', '').toLowerCase().replaceAll('_', '-')), name);
    assert.match(stdout, /^redis = "redis:\/\/.*@redis:6379/m);
    assert.match(stdout, /^admin = "0\.0\.0\.0:9090"$/m);
    const [, drain] = /^drain = "(\d+)s"$/m.exec(stdout);
    assert.ok(Number.parseInt(nodes[0].stop_grace_period, 10) >= Number(drain) + 5, 'they are killed before they have drained');
    assert.match(stdout, new RegExp(`^trusted-proxy = \\["${compose.services.nginx.networks.inside.ipv4_address}/32"\\]$`, 'm'));
  }
});

test('its containers are bound, named and explained', async () => {
  const [, version] = /^project\(videosync VERSION ([\d.]+)/m.exec(await readFile(path.join(projectRoot, 'CMakeLists.txt'), 'utf8'));
  for (const node of nodes) {
    assert.equal(node.image, `localhost/videosync:${version}`);
    assert.deepEqual(node.security_opt, ['no-new-privileges', 'seccomp=./seccomp.json']);
    assert.deepEqual(Object.keys(node.depends_on), ['redis']);
  }
  for (const [name, service] of Object.entries(compose.services)) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.ok(service.healthcheck.test.length > 1, name);
    for (const needed of Object.keys(service.depends_on ?? {})) assert.ok(needed in compose.services, needed);
    for (const volume of service.volumes) assert.ok(/^[./$]/.test(volume) || volume.split(':')[0] in compose.volumes, volume);
  }
  // A comment stands before what it is of, or as the first thing in it.
  const lines = composeText.split('\n');
  const unexplained = lines.filter((line, i) => /^(?: {2}| {4})?[a-z][\w-]*:/.test(line) && !/^(name|services|networks|volumes): ?/.test(line) && !/^ *(image|timeout|ipam):/.test(line)
    && ![lines[i - 1], lines[i + 1]].some((near) => /^ *#/.test(near ?? '')));
  assert.deepEqual(unexplained, []);
});

test('nginx takes the configuration that is made for it, and writes elsewhere', async () => {
  const addresses = nodes.map(({ networks }) => `${networks.inside.ipv4_address}:8080`);
  for (const name of ['settings', 'writable']) await mkdir(folder.path(name));
  await run(path.join(deploy, 'make-nginx-conf'), [folder.path('settings'), `127.0.0.1:${await freePort()}`, ...addresses]);
  await run('/usr/sbin/nginx', ['-t', '-e', 'stderr', '-p', folder.path('writable'), '-c', path.join(folder.path('settings'), 'nginx.conf')]);
  const made = await readFile(path.join(folder.path('settings'), 'videosync.conf'), 'utf8');
  for (const address of addresses) assert.ok(made.includes(`  server ${address} fail_timeout=2s;`), address);
});
