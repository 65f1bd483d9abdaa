// A real nginx before real nodes, with the operator's own file (deploy/nginx.conf).
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { startChild } from './child.mjs';
import { makeFolder } from './files.mjs';
import { freePort } from './redis.mjs';
import { projectRoot } from './server.mjs';
import { until } from './until.mjs';

const run = promisify(execFile);
const TRIES = 20;

// nodes: what startServer gives. prefersFirst: the first one gets everything while it lives, instead
// of what the file says. edit(text): what an operator has made of the file. Resolves to {origin, wsOrigin, folder, output(), stop()}.
export async function startNginx(nodes, { prefersFirst = false, edit = (text) => text } = {}) {
  const folder = await makeFolder();
  for (let left = TRIES; ; left -= 1) {
    const port = await freePort();
    await configure(folder, port, nodes, { prefersFirst, edit });
    const child = await startChild('nginx', ['-e', 'stderr', '-p', folder.directory, '-c', 'nginx.conf'],
      { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    const origin = `http://127.0.0.1:${port}`;
    const isUp = () => child.hasEnded() || fetch(`${origin}/`).then(({ ok }) => ok, () => false);
    await until(isUp, () => `nginx:\n${child.output()}`);
    if (!child.hasEnded()) {
      return {
        origin,
        wsOrigin: `ws://127.0.0.1:${port}`,
        folder,
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

async function configure(folder, port, nodes, { prefersFirst, edit }) {
  const places = nodes.map(({ origin }) => new URL(origin).host);
  await run(path.join(projectRoot, 'deploy/make-nginx-conf'), [folder.directory, `127.0.0.1:${port}`, ...places]);
  const file = folder.path('videosync.conf');
  let text = edit(await readFile(file, 'utf8'));
  if (prefersFirst) text = text.replace(/^ *hash .*\n/m, '');
  for (const place of prefersFirst ? places.slice(1) : []) text = text.replace(`server ${place} `, `server ${place} backup `);
  await writeFile(file, text);
}
