// Takes the pictures of docs/STATES.md: runs the browser tests that bring each state about, has them
// leave pictures, and makes these small. Part of `make screenshots`.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './server.mjs';

const run = promisify(execFile);
const TESTS = ['states_playback', 'states_forms', 'states_connection', 'states_refused', 'states_nodes', 'persons_acts', 'company', 'evening', 'bring_a_film', 'door', 'faults', 'parts', 'continued'];
const QUALITY = 60; // of WebP; text stays clean
const docs = path.join(projectRoot, 'docs', 'states');

async function main() {
  const raw = await mkdtemp(path.join(tmpdir(), 'videosync-states-'));
  try {
    for (const test of TESTS) {
      const file = path.join(projectRoot, 'tests/browser', `${test}.test.mjs`);
      await run('node', ['--test', file], { cwd: projectRoot, env: { ...process.env, VIDEOSYNC_SCREENSHOTS: raw } });
    }
    await mkdir(docs, { recursive: true });
    const shown = await readFile(path.join(projectRoot, 'docs/STATES.md'), 'utf8');
    let bytes = 0;
    for (const name of await readdir(raw)) {
      const small = path.join(docs, name.replace(/\.png$/, '.webp'));
      if (!shown.includes(path.basename(small))) continue; // of what is tested, but not shown
      await run('ffmpeg', ['-v', 'error', '-y', '-i', path.join(raw, name), '-c:v', 'libwebp', '-quality', String(QUALITY), small]);
      bytes += (await stat(small)).size;
    }
    console.log(`docs/states: ${(bytes / 1024).toFixed(0)} KiB`);
  } finally {
    await rm(raw, { recursive: true, force: true });
  }
}

await main();
