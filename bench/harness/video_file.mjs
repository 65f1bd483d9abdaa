// A file to serve ranges of: made once, 256 MiB, read so that it is in the page cache.
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { peersBuild } from './servers.mjs';

const file = path.join(peersBuild, 'video.mp4');
const size = 256 * 1024 * 1024;
let made = null;

// Resolves to {file, size}.
export const videoFile = () => (made ??= make());

async function make() {
  const found = await stat(file).catch(() => null);
  if (found?.size !== size) {
    await mkdir(peersBuild, { recursive: true });
    const partial = `${file}.${process.pid}`;
    const out = await open(partial, 'w');
    const piece = randomBytes(1024 * 1024);
    for (let done = 0; done < size; done += piece.length) await out.write(piece);
    await out.sync();  // only clean pages can be dropped from the cache
    await out.close();
    await rename(partial, file);
  }
  for await (const piece of createReadStream(file, { highWaterMark: 1024 * 1024 })) void piece;
  return { file, size };
}
