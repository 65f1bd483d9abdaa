// What the server has given up when it serves, and what a program that reads films can do when a film has taken it over:
// seen from outside, of the real processes.
import assert from 'node:assert/strict';
import { link, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeFolder } from '../support/files.mjs';
import { makeMedia } from '../support/media.mjs';
import { isKnownHere, scriptUnder } from '../support/seccomp.mjs';
import { projectRoot, serverBinary, startServer } from '../support/server.mjs';
import { until, untilLogged } from '../support/until.mjs';

const skip = process.env.VIDEOSYNC_SANITIZE ? 'a build with a sanitizer is not confined' : false;
const www = ['--www', path.join(projectRoot, 'www')];
let films;
let secrets;
let root;

before(async () => {
  films = await makeMedia([{ name: 'film', seconds: 4 }]);
  secrets = await makeFolder({ 'secret.txt': 'not to be read' });
  root = await mkdtemp(path.join(path.dirname(serverBinary()), 'confined-'));
});
after(async () => {
  await films?.remove();
  await secrets?.remove();
  await rm(root, { recursive: true, force: true });
});

// {Seccomp, NoNewPrivs, PPid, Name} of a process, or of one of its threads.
async function statusOf(task) {
  const text = await readFile(`/proc/${task}/status`, 'utf8');
  return Object.fromEntries(['Name', 'PPid', 'Seccomp', 'NoNewPrivs'].map((field) => [field, new RegExp(`^${field}:\\t(.*)$`, 'm').exec(text)[1]]));
}

async function childrenOf(pid) {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const known = await Promise.all(all.map((one) => statusOf(one).then((status) => ({ ...status, pid: Number(one) }), () => null)));
  return known.filter((one) => one?.PPid === String(pid));
}

// A server with other programs beside it and in its PATH: {name: a shell's script}. What they lie in they may read.
async function serveWith(t, programs, { args = [], env = {} } = {}) {
  const tools = await mkdtemp(path.join(root, 'tools-'));
  const cache = await makeFolder();
  t.after(() => cache.remove());
  await link(serverBinary(), path.join(tools, 'videosync'));
  for (const [name, script] of Object.entries(programs)) await writeFile(path.join(tools, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const server = await startServer({
    binary: path.join(tools, 'videosync'), args: ['--media', films.directory, ...www, ...args],
    env: { VIDEOSYNC_CACHE: cache.directory, PATH: `${tools}:/usr/bin:/bin`, ...env },
  });
  t.after(() => server.stop());
  return { ...server, tools, cache: cache.directory };
}

const isConfined = ({ Seccomp, NoNewPrivs }) => `${Seccomp} ${NoNewPrivs}` === '2 1';

test('all of its threads, its helpers and its programs are confined; what starts these is not', { skip }, async (t) => {
  const server = await serveWith(t, { 'videosync-media': 'exec sleep 60', ffprobe: 'exec sleep 60' }, { args: ['--workers', '2'] });
  await untilLogged(server, /confined files="?Landlock \d+"? calls=filtered rings=restricted/);
  const threads = await readdir(`/proc/${server.pid}/task`);
  assert.ok(threads.length >= 5, `${threads.length} threads`);
  for (const thread of threads) assert.ok(isConfined(await statusOf(`${server.pid}/task/${thread}`)), `thread ${thread}`);
  const children = await until(async () => {
    const all = await childrenOf(server.pid);
    return all.some(({ Name }) => Name === 'sleep') && all;
  }, 'a program that reads a film');
  const named = (name) => children.filter(({ Name }) => Name === name);
  assert.equal(named('videosync-files').length, 10);
  assert.equal(named('videosync-spawn').length, 1);
  assert.ok(named('videosync-spawn').every(({ Seccomp }) => Seccomp === '0'), 'a successor comes from it');
  for (const one of children.filter(({ Name }) => Name !== 'videosync-spawn')) assert.ok(isConfined(one), one.Name);
});

test('a program that a film has taken over reads that film and reaches nothing else', { skip }, async (t) => {
  let calls = 0;
  const listener = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.after(() => listener.close());
  const other = path.join(films.directory, 'film.mp4');
  const hostile = [
    'try() { if eval "$2" > /dev/null 2>&1; then echo "$1: done"; else echo "$1: refused"; fi; }',
    'try film "head -c 1 /dev/fd/3"',
    `try by_path "head -c 1 '${other}'"`,
    'try list "ls $FILMS"',
    'try secret "cat $SECRET"',
    'try passwd "cat /etc/passwd"',
    'try server "cat /proc/$PPID/environ"',
    'try write "echo x > $SECRET.new"',
    'try overwrite "echo x >> $FILMS/film.mp4"',
    'try tmp "echo x > /tmp/videosync-hostile-$$"',
    'try beside "echo x > $(dirname $0)/planted"',
    'try kill "kill -0 $PPID"',
    'try call "perl -MIO::Socket::INET -e \'IO::Socket::INET->new(PeerAddr => q(127.0.0.1), PeerPort => $ENV{PORT}) or exit 1\'"',
  ].join('\n');
  // What is made of standard output is the poster, so its report is served.
  const server = await serveWith(t, { ffmpeg: hostile }, { env: { SECRET: secrets.path('secret.txt'), FILMS: films.directory, PORT: String(listener.address().port) } });
  const list = async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos[0];
  const { poster } = await until(async () => {
    const film = await list();
    return film.poster && film;
  }, () => `the report: ${server.stderr()}`);
  const report = await (await fetch(new URL(poster, server.origin))).text();
  const found = Object.fromEntries(report.trim().split('\n').map((line) => line.split(': ')));
  const { film, by_path: byPath, ...others } = found;
  assert.equal(film, 'done', report);
  // It is the one that it was given, by whatever name.
  assert.equal(byPath, 'done', report);
  for (const name of ['list', 'secret', 'passwd', 'server', 'write', 'overwrite', 'tmp', 'beside', 'kill', 'call']) assert.equal(others[name], 'refused', `${name}\n${report}`);
  assert.equal(calls, 0);
});

test('the same script has all of that where it is not confined', { skip }, async (t) => {
  const script = 'if cat "$SECRET" > /dev/null 2>&1 && kill -0 $PPID; then echo done; else echo refused; fi';
  const server = await serveWith(t, { ffmpeg: script }, { args: ['--confine', 'off'], env: { SECRET: secrets.path('secret.txt') } });
  await untilLogged(server, /not confined why="?--confine off/);
  assert.equal((await statusOf(server.pid)).Seccomp, '0');
  const poster = await until(async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos[0].poster, 'the report');
  assert.equal(await (await fetch(new URL(poster, server.origin))).text(), 'done\n');
});

test('what reads forms writes to its film\'s folder in the cache alone', { skip }, async (t) => {
  const hostile = [
    'for word; do case "$word" in "$CACHE"/forms/*) mine="${word#"$CACHE"/forms/}"; mine="$CACHE/forms/${mine%%/*}";; esac; done',
    '[ -z "$mine" ] && exit 1',
    '{ echo x > "$CACHE/planted" && echo cache; echo x > "$CACHE/forms/planted" && echo forms; mkdir "$CACHE/forms/other" && echo other; ',
    'ln "$SECRET" "$mine/linked" && echo linked; ln -s "$SECRET" "$mine/there" && cat "$mine/there"; } > "$mine/report" 2> /dev/null',
    'echo end >> "$mine/report"; exit 1',
  ].join('\n');
  const cache = await makeFolder();
  t.after(() => cache.remove());
  const server = await serveWith(t, { 'videosync-media': `case "$1 $3" in "describe --plan") ;; describe*) exec "${root}/real" "$@";; esac\n${hostile}` },
    { env: { VIDEOSYNC_CACHE: cache.directory, CACHE: cache.directory, SECRET: secrets.path('secret.txt') } });
  assert.notEqual((await fetch(`${server.origin}/forms/film/film.json`)).status, 200);
  const forms = cache.path('forms');
  const films_ = (await readdir(forms)).filter((name) => name !== 'version');
  const reports = await Promise.all(films_.map((name) => readFile(path.join(forms, name, 'report'), 'utf8').catch(() => '')));
  assert.equal(reports.join(''), 'end\n');
});

test('where the kernel or a container has none of it, it says so and serves; required, it does not', { skip: skip || (!isKnownHere && 'numbers are not known here') }, async (t) => {
  const profile = JSON.parse(await readFile(path.join(projectRoot, 'deploy/seccomp.json'), 'utf8'));
  const calls = ['seccomp', 'landlock_create_ruleset', 'landlock_add_rule', 'landlock_restrict_self'];
  const without = {
    syscalls: [...profile.syscalls.map((rule) => ({ ...rule, names: rule.names.filter((name) => !calls.includes(name)) })),
      { names: calls, action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
  };
  const binary = path.join(root, 'without');
  await writeFile(binary, scriptUnder(without, serverBinary()), { mode: 0o755 });
  const server = await startServer({ binary, args: ['--media', films.directory] });
  t.after(() => server.stop());
  await untilLogged(server, /confined in part.*files: this kernel has no Landlock; system calls: Function not implemented/);
  assert.equal((await fetch(`${server.origin}/api/videos`)).status, 200);
  await assert.rejects(startServer({ binary, args: ['--media', films.directory, '--confine', 'required'] }), /--confine: files cannot be restricted/);
  const required = await startServer({ args: ['--media', films.directory, '--confine', 'required'] });
  await required.stop();
});

test('the program that takes over is no more confined than the one before was, and as much', { skip }, async (t) => {
  const server = await startServer({ args: ['--media', films.directory] });
  t.after(() => server.stop());
  process.kill(server.pid, 'SIGUSR2');
  const [pid] = await until(() => server.successors().length > 0 && server.successors(), () => `a successor: ${server.stderr()}`);
  const status = await statusOf(pid);
  assert.ok(isConfined(status));
  assert.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^Seccomp_filters:\t1$/m, 'its own, and none that it was born with');
});
