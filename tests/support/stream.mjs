// An adaptive stream for tests: a video of the library in two qualities, as HLS with fMP4 segments of
// two seconds.
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { copyOfMade, digestOfFile } from './media.mjs';

const run = promisify(execFile);
const WORDS = [
  '-filter_complex', '[0:v]split=2[high][v];[v]scale=160:90[low]',
  '-map', '[high]', '-map', '[low]', '-map', '0:a', '-map', '0:a',
  '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-keyint_min', '30', '-sc_threshold', '0',
  '-b:v:0', '600k', '-b:v:1', '150k', '-c:a', 'aac',
  '-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4',
  '-master_pl_name', 'master.m3u8', '-var_stream_map', 'v:0,a:0 v:1,a:1',
];

// Makes <name>/master.m3u8 from <name>.mp4 in the library's folder, 180 and 90 lines high.
export async function makeStream(directory, name) {
  const film = path.join(directory, `${name}.mp4`);
  await copyOfMade(['stream', await digestOfFile(film), ...WORDS], path.join(directory, name), async (folder) => {
    await mkdir(folder);
    await run('ffmpeg', ['-v', 'error', '-i', film, ...WORDS, 'v%v.m3u8'], { cwd: folder });
  });
}
