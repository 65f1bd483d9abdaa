// The program as its operator meets it: flags, files, complaints, listeners.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { makeFolder } from '../support/files.mjs';
import { ask } from '../support/http_connection.mjs';
import { projectRoot, serverBinary, startServer } from '../support/server.mjs';
import { until, untilLogged } from '../support/until.mjs';

let media;
before(async () => {
  media = await makeFolder({ 'film.mp4': 'film' });
});
after(() => media?.remove());

// Runs a command that is expected to end by itself: {code, stdout, stderr}.
function run(command, args, env = {}) {
  const child = spawn(command, args, { cwd: projectRoot, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const result = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (result[name] += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...result });
    });
  });
}

const runServer = (args, env) => run(serverBinary(), args, env);

// What keeps a server from the fixed default ports, should it start after all.
const harmless = ['--listen', '127.0.0.1:0', '--admin', 'none'];

// Ends with 1, says nothing on stdout and one line for each of these on stderr.
async function assertRefused(args, patterns, env) {
  const { code, stdout, stderr } = await runServer([...harmless, ...args], env);
  assert.equal(code, 1, `${args.join(' ')}: ${stdout}${stderr}`);
  assert.equal(stdout, '');
  for (const pattern of patterns) assert.match(stderr, pattern);
  assert.ok(stderr.startsWith('videosync: ') && stderr.endsWith('\n') && stderr.length < 500, stderr);
}

test('--help names every flag that others rely on, --version the version', async () => {
  const help = await runServer(['--help']);
  assert.equal(help.code, 0);
  assert.equal(help.stderr, '');
  for (const flag of ['listen', 'admin', 'media', 'video', 'www', 'workers', 'redis', 'allow-origin', 'trusted-proxy',
    'session-rate', 'message-rate', 'max-connections', 'max-per-address', 'session-ttl', 'host-grace', 'drain',
    'log-level', 'log-format', 'config', 'check-config', 'version', 'help']) {
    assert.match(help.stdout, new RegExp(`--${flag}[ ,]`), flag);
  }
  const version = await runServer(['--version']);
  assert.deepEqual(version, { code: 0, stdout: version.stdout, stderr: '' });
  assert.match(version.stdout, /^videosync \d+\.\d+\.\d+\S*\ncommit: \S+\ncompiler: \S+ \d.*\nlibraries: .*\nTLS to Redis: (not )?there.*\nkernel: Linux \d.*\n$/);
  for (const library of ['fmt', 'simdjson', 'CLI11', 'pugixml', 'uring', 'wslay', 'hiredis', 'llhttp', 'OpenSSL']) {
    assert.match(version.stdout, new RegExp(`[ ,]${library} \\d`), library);
  }
  assert.match(version.stdout, /io_uring: there; cachestat: (not )?there/);
});

test('a value that will not do: exit 1, naming the flag, the value and what would do', async () => {
  await assertRefused(['--workers', 'many'], [/--workers/, /many/]);
  await assertRefused(['--workers', '0'], [/--workers/, /'0'/, /1/]);
  await assertRefused(['--max-body', '64XB'], [/--max-body/, /64XB/]);
  await assertRefused(['--drain', 'soon'], [/--drain/, /soon/]);
  await assertRefused(['--log-level', 'loud'], [/--log-level/, /loud/, /debug/]);
  await assertRefused(['--listen', 'nowhere'], [/--listen/, /nowhere/]);
  await assertRefused(['--listen', '127.0.0.1:70000'], [/--listen/, /70000/]);
  await assertRefused(['--trusted-proxy', '10.0.0.0/99'], [/--trusted-proxy/, /10\.0\.0\.0\/99/]);
  await assertRefused(['--allow-origin', 'example.com/path'], [/--allow-origin/, /example\.com\/path/]);
  await assertRefused(['--redis', 'http://x'], [/--redis/, /http:\/\/x/]);
  await assertRefused(['--media', media.directory, '--state', '/no/such/folder/state'], [/--state/, /\/no\/such\/folder/, /No such file or directory/]);
  await assertRefused(['--no-such-flag'], [/--no-such-flag/, /--help/]);
  await assertRefused(['stray'], [/stray/]);
  await assertRefused(['--workers'], [/--workers/]);
});

test('a missing folder: exit 1, naming the flag and the folder', async () => {
  await assertRefused(['--media', '/no/such/folder'], [/--media/, /\/no\/such\/folder/, /No such file or directory/, /make the folder/]);
  await assertRefused(['--media', media.path('film.mp4')], [/--media/, /film\.mp4/, /Not a directory/]);
  await assertRefused(['--media', media.directory, '--www', '/no/such/pages'], [/--www/, /\/no\/such\/pages/, /name the folder with --www/]);
  await assertRefused(['--media', media.directory, '--video', 'none'], [/--video/, /none/]);
});

test('an address in use: exit 1, naming it', async () => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address();
  try {
    await assertRefused(['--media', media.directory, '--listen', `127.0.0.1:${port}`], [/--listen/, new RegExp(`127.0.0.1:${port}`), /in use/]);
    await assertRefused(['--media', media.directory, '--admin', `127.0.0.1:${port}`], [/--admin/, new RegExp(`127.0.0.1:${port}`), /in use/]);
  } finally {
    holder.close();
  }
  const other = await startServer({ args: ['--media', media.directory] });
  try {
    await assertRefused(['--media', media.directory, '--listen', new URL(other.origin).host], [/in use/]);
  } finally {
    await other.stop();
  }
});

test('settings come from the file, the environment over it, flags over both; --check-config shows them', async () => {
  const folder = await makeFolder({ 'a.toml': 'workers = 3\nlog-level = "warn"\ndrain = "7s"\nallow-origin = ["https://a.example"]\n' });
  try {
    const { code, stdout, stderr } = await runServer(
      ['--check-config', '--config', folder.path('a.toml'), '--drain', '9s'],
      { VIDEOSYNC_LOG_LEVEL: 'error', VIDEOSYNC_DRAIN: '8s' },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^workers = "3"$/m);
    assert.match(stdout, /^log-level = "error"$/m);
    assert.match(stdout, /^drain = "9s"$/m);
    assert.match(stdout, /^allow-origin = \["https:\/\/a\.example"\]$/m);
    // What it prints is a file that says the same.
    await writeFile(folder.path('b.toml'), stdout);
    assert.equal((await runServer(['--check-config', '--config', folder.path('b.toml')])).stdout, stdout);

    await assertRefused(['--config', folder.path('none.toml')], [/--config/, /none\.toml/]);
    await writeFile(folder.path('c.toml'), 'wokers = 3\n');
    await assertRefused(['--config', folder.path('c.toml')], [/c\.toml/, /wokers/]);
    await writeFile(folder.path('d.toml'), 'workers = "x"\n');
    await assertRefused(['--config', folder.path('d.toml')], [/workers/, /d\.toml/, /'x'/]);
    await assertRefused([], [/VIDEOSYNC_WORKERS/, /'x'/], { VIDEOSYNC_WORKERS: 'x' });
  } finally {
    await folder.remove();
  }
});

test('it says where it listens, in one line', async () => {
  const server = await startServer({ args: ['--media', media.directory] });
  try {
    assert.match(server.stdout(), /^listening on 127\.0\.0\.1:\d+, admin on 127\.0\.0\.1:\d+\n$/);
  } finally {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  }
});

test('several public listeners, one of them a unix socket, which is taken away at the end', async () => {
  const folder = await makeFolder();
  const path = folder.path('videosync.sock');
  const server = await startServer({ args: ['--media', media.directory, '--listen', `unix:${path}`, '--listen', '127.0.0.2:0'] });
  try {
    assert.ok(server.stdout().includes(`unix:${path}`));
    assert.ok((await stat(path)).isSocket());
    const [, second] = /127\.0\.0\.2:(\d+)/.exec(server.stdout());
    for (const address of [{ path }, `http://127.0.0.2:${second}`, server.origin]) {
      for (let i = 0; i < 10; ++i) assert.equal((await ask(address, 'GET', '/api/videos')).status, 200);
    }
    await assertRefused(['--media', media.directory, '--listen', `unix:${path}`], [/--listen/, /in use/]);
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    assert.ok((await stat(path)).isSocket(), 'left behind by a killed server');
    const next = await startServer({ args: ['--media', media.directory, '--listen', `unix:${path}`] });
    assert.equal((await ask({ path }, 'GET', '/api/videos')).status, 200);
    await next.stop();
    await assert.rejects(stat(path), { code: 'ENOENT' });
    await folder.add('a-file', 'precious');
    await assertRefused(['--media', media.directory, '--listen', `unix:${folder.path('a-file')}`], [/a-file/, /not a socket/]);
  } finally {
    await server.stop('SIGKILL');
    await folder.remove();
  }
});

test('a server that was killed is started again at once, in the same place', async () => {
  let server = await startServer({ args: ['--media', media.directory] });
  const [listen, admin] = [server.origin, server.adminOrigin].map((origin) => new URL(origin).host);
  try {
    for (let i = 0; i < 3; ++i) {
      await server.stop('SIGKILL');
      server = await startServer({ args: ['--media', media.directory], listen, admin });
      assert.equal((await ask(server.origin, 'GET', '/api/videos')).status, 200);
    }
  } finally {
    await server.stop();
  }
});

test('log lines in JSON are JSON', async () => {
  const server = await startServer({ args: ['--media', media.directory, '--log-format', 'json', '--log-level', 'debug'] });
  await server.stop();
  const lines = server.stderr().trimEnd().split('\n');
  for (const line of lines) assert.equal(typeof JSON.parse(line), 'object');
  assert.ok(lines.some((line) => line.includes('drained')));
});

// A seccomp filter that refuses io_uring_setup (425) with EPERM, as container runtimes do.
const WITHOUT_IO_URING = `
  my $filter = join '', map { pack 'SCCL', @$_ }
    [0x20, 0, 0, 0], [0x15, 0, 1, 425], [0x06, 0, 0, 0x00050001], [0x06, 0, 0, 0x7fff0000];
  my $program = pack 'Sx6P', 4, $filter;
  my $prctl = shift;
  syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
  syscall($prctl, 22, 2, $program) == 0 or die "seccomp: $!";
  exec { $ARGV[0] } @ARGV;
`;

test('without io_uring: exit 2 and a line that names the usual causes', async (context) => {
  const prctl = { x64: '157', arm64: '167' }[process.arch];
  if (prctl === undefined) return context.skip(`prctl's number on ${process.arch} is not known here`);
  const { code, stdout, stderr } = await run('perl', ['-e', WITHOUT_IO_URING, prctl, serverBinary(), ...harmless, '--media', media.directory]);
  assert.equal(code, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /io_uring/);
  assert.match(stderr, /6\.1/);
  assert.match(stderr, /io_uring_disabled/);
  assert.match(stderr, /--security-opt seccomp=seccomp\.json/);
});

test('a folder that may not be read is refused with the reason', { skip: process.getuid() === 0 && 'root may read all' }, async () => {
  const folder = await makeFolder();
  await chmod(folder.directory, 0o000);
  try {
    await assertRefused(['--media', folder.directory], [/--media/, /Permission denied/]);
  } finally {
    await chmod(folder.directory, 0o700);
    await folder.remove();
  }
});

test('without a folder of videos the first start serves an empty library, and finds it when it is made', async () => {
  const empty = await makeFolder({});
  const server = await startServer({ cwd: empty.directory, args: ['--www', path.join(projectRoot, 'www')] });
  try {
    const videos = async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos;
    assert.deepEqual(await videos(), []);
    await untilLogged(server, /no folder of videos/);
    await mkdir(empty.path('media'));
    await writeFile(empty.path('media/film.mp4'), 'film');
    process.kill(server.pid, 'SIGHUP');
    await until(async () => (await videos()).length === 1, 'the new video');
  } finally {
    await server.stop();
    await empty.remove();
  }
});
