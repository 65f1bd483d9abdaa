// A throw-away media library for tests: a folder with short videos made by ffmpeg.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// videos: [{name, seconds, noise}]. Each has moving pictures, a tone and a key frame a second; noise
// makes it big, some 200 KB a second.
// Resolves to {directory, remove()}.
export async function makeMedia(videos = [{ name: 'demo', seconds: 30 }]) {
  const directory = await mkdtemp(path.join(tmpdir(), 'videosync-media-'));
  for (const { name, seconds, noise } of videos) {
    await makeVideo(path.join(directory, `${name}.mp4`), seconds, noise);
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

async function makeVideo(file, seconds, noise = false) {
  const pictures = `testsrc2=size=320x180:rate=${noise ? 15 : 30}:duration=${seconds}`;
  await run('ffmpeg', [
    '-v', 'error', '-y',
    '-f', 'lavfi', '-i', noise ? `${pictures},noise=alls=12:allf=t` : pictures,
    '-f', 'lavfi', '-i', `sine=frequency=330:duration=${seconds}`,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-g', noise ? '15' : '30', '-pix_fmt', 'yuv420p',
    '-c:a', 'aac', '-shortest', '-movflags', '+faststart', file,
  ]);
}
