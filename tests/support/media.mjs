// A throw-away media library for tests: a folder with short videos made by ffmpeg.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// videos: [{name, seconds, grain, size}]. Each has moving pictures of `size` (320x180), a tone and a key
// frame a second; with grain it is big, some 200 KB a second, and more pleasant to look at.
// Resolves to {directory, remove()}.
export async function makeMedia(videos = [{ name: 'demo', seconds: 30 }]) {
  const directory = await mkdtemp(path.join(tmpdir(), 'videosync-media-'));
  for (const { name, seconds, grain, size } of videos) {
    await makeVideo(path.join(directory, `${name}.mp4`), seconds, { grain, size });
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

// A picture to lie beside a video: its poster.
export function makePoster(file) {
  return run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'gradients=size=640x360:c0=0x1b2a6b:c1=0xf2a65a', '-frames:v', '1', file]);
}

async function makeVideo(file, seconds, { grain = false, size = '320x180' }) {
  const colours = 'nb_colors=3:c0=0x1b2a6b:c1=0xc4477f:c2=0xf2a65a:speed=0.02:seed=11';
  const pictures = grain
    ? `gradients=size=${size}:rate=15:duration=${seconds}:${colours},format=yuv420p,noise=alls=9:allf=t`
    : `testsrc2=size=${size}:rate=30:duration=${seconds}`;
  await run('ffmpeg', [
    '-v', 'error', '-y',
    '-f', 'lavfi', '-i', pictures,
    '-f', 'lavfi', '-i', `sine=frequency=330:duration=${seconds}`,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-g', grain ? '15' : '30', '-pix_fmt', 'yuv420p',
    '-c:a', 'aac', '-shortest', '-movflags', '+faststart', file,
  ]);
}
