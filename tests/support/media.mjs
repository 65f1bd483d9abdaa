// A throw-away media library for tests: a folder with short videos made by ffmpeg.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// videos: [{name, seconds}]. Each has moving pictures, a tone and a key frame a second.
// Resolves to {directory, remove()}.
export async function makeMedia(videos = [{ name: 'demo', seconds: 30 }]) {
  const directory = await mkdtemp(path.join(tmpdir(), 'videosync-media-'));
  for (const { name, seconds } of videos) {
    await makeVideo(path.join(directory, `${name}.mp4`), seconds);
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

async function makeVideo(file, seconds) {
  await run('ffmpeg', [
    '-v', 'error', '-y',
    '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=30:duration=${seconds}`,
    '-f', 'lavfi', '-i', `sine=frequency=330:duration=${seconds}`,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-pix_fmt', 'yuv420p',
    '-c:a', 'aac', '-shortest', '-movflags', '+faststart', file,
  ]);
}
