// A real nginx before real nodes, with the operator's own file (deploy/nginx.conf).
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeCertificate } from './certificate.mjs';
import { startChild } from './child.mjs';
import { makeFolder } from './files.mjs';
import { freePort } from './redis.mjs';
import { projectRoot } from './server.mjs';
import { until } from './until.mjs';

const run = promisify(execFile);
const TRIES = 20;

// nodes: what startServer gives. prefersFirst: the first one gets everything while it lives, instead
// of what the file says. edit(text): what an operator has made of the file. tls: 'http/1.1' or 'h2', which it
// speaks to browsers over TLS then, with a certificate of its own making (selfSignedKey: of its key what
// Chromium's --ignore-certificate-errors-spki-list wants).
// keepsFilms: with deploy/nginx-cache.conf, as nginx.conf says how.
// Resolves to {origin, wsOrigin, folder, output(), stop()}.
export async function startNginx(nodes, { prefersFirst = false, keepsFilms = false, edit = keepsFilms ? keepFilms : (text) => text, tls = null } = {}) {
  const folder = await makeFolder();
  const selfSignedKey = tls && (await makeCertificate(folder));
  for (let left = TRIES; ; left -= 1) {
    const port = await freePort();
    await configure(folder, port, nodes, { prefersFirst, edit: (text) => edit(tls ? speakTls(text, folder, tls) : text) });
    const child = await startChild('nginx', ['-e', 'stderr', '-p', folder.directory, '-c', 'nginx.conf'],
      { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
    const isUp = () => child.hasEnded() || answers(origin);
    await until(isUp, () => `nginx:\n${child.output()}`);
    if (!child.hasEnded()) {
      return {
        origin,
        wsOrigin: origin.replace('http', 'ws'),
        folder,
        selfSignedKey,
        output: child.output,
        stop: async () => {
          await child.stop();
          await folder.remove();
        },
      };
    }
    if (left === 0 || !/Address already in use/.test(child.output())) throw new Error(`nginx ended:\n${child.output()}`);
  }
}

function answers(origin) {
  const { get } = origin.startsWith('https') ? https : http;
  return new Promise((resolve) => {
    get(origin, { rejectUnauthorized: false }, (answer) => resolve(answer.resume().statusCode === 200)).on('error', () => resolve(false));
  });
}

// What make-nginx-conf takes out, for another certificate.
function speakTls(text, folder, protocol) {
  return text.replace(/^ *listen (.*);$/m, [
    `  listen $1 ssl${protocol === 'h2' ? ' http2' : ''} sndbuf=128k;`, // loopback's megabytes would stand before every later answer
    `  ssl_certificate ${folder.path('certificate.pem')};`,
    `  ssl_certificate_key ${folder.path('key.pem')};`,
    '  ssl_protocols TLSv1.2 TLSv1.3;',
    '  ssl_session_cache shared:videosync_tls:10m;',
  ].join('\n'));
}

function keepFilms(text) {
  const on = text
    .replace('#proxy_cache_path /var/cache/nginx-videosync ', 'proxy_cache_path cache ')
    .replace('#include /etc/nginx/videosync-cache.conf', `include ${path.join(projectRoot, 'deploy/nginx-cache.conf')}`);
  if (on.split(/^ *(?:proxy_cache_path|include) /m).length !== 3) throw new Error('nginx.conf has not the two lines for the cache');
  return on;
}

async function configure(folder, port, nodes, { prefersFirst, edit }) {
  const places = nodes.map(({ origin }) => new URL(origin).host);
  await run(path.join(projectRoot, 'deploy/make-nginx-conf'), [folder.directory, `127.0.0.1:${port}`, ...places]);
  const file = folder.path('videosync.conf');
  let text = edit(await readFile(file, 'utf8'));
  if (prefersFirst) text = text.replace(/^ *hash .*\n/m, '');
  for (const place of prefersFirst ? places.slice(1) : []) text = text.replace(`server ${place} `, `server ${place} backup `);
  await writeFile(file, text);
}
