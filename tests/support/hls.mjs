// Packages a film for a test the way people do.
import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { copyOfMade, digestOfFile } from './media.mjs';
import { projectRoot } from './server.mjs';

const run = promisify(execFile);
const PACKAGER = path.join(projectRoot, 'deploy/hls');

// Resolves to {stdout, stderr}; rejects with {code, stdout, stderr} where it fails.
export function packageHls(file, media, args = []) {
  return run(path.join(projectRoot, 'deploy/make-hls'), ['--media', media, '--preset', 'ultrafast', ...args, file]);
}

// In place of the film `name`.mp4 of a library its package. It is made once of each film by each form of the packager.
export async function replaceByPackage(directory, name) {
  const file = path.join(directory, `${name}.mp4`);
  const sources = (await readdir(PACKAGER)).sort().map((source) => path.join(PACKAGER, source));
  const words = await Promise.all([file, ...sources].map(digestOfFile));
  await copyOfMade(['package', ...words], path.join(directory, name), (made) =>
    packageHls(file, path.dirname(made), ['--name', path.basename(made)]));
  await rm(file);
}
