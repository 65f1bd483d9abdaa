// Throw-away folders of files for tests: media libraries that need no real pictures, configurations.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

// files: path below the folder to content. Resolves to {directory, path(name), remove()}.
export async function makeFolder(files = {}) {
  const directory = await mkdtemp(path.join(tmpdir(), 'videosync-test-'));
  const folder = {
    directory,
    path: (name) => path.join(directory, name),
    add: async (name, content) => {
      await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
      await writeFile(path.join(directory, name), content);
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
  for (const [name, content] of Object.entries(files)) await folder.add(name, content);
  return folder;
}

// Bytes that look random and are the same in every run: a wrong offset shows.
export function patternBytes(length, seed = 1) {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed >>> 0 || 1;
  for (let i = 0; i < words.length; ++i) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}

// The paths of all files below a folder, as far as they are there: a server may remove folders meanwhile, which
// node's own recursive readdir() takes for an error.
export async function filesBelow(directory) {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = await Promise.all(entries.map((entry) => {
    const place = path.join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(place) : [place];
  }));
  return found.flat();
}
