// The library of a soak: a file that is downloaded and compared, and two films of which forms are made.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { makeFolder, patternBytes } from '../../tests/support/files.mjs';
import { copyOfMade } from '../../tests/support/media.mjs';

const run = promisify(execFile);
const FORMS_S = 90; // three runs of a form, of half a minute each

export const FILM_BYTES = 32 << 20;
export const FILM_SEED = 77;
export const filmBytes = () => patternBytes(FILM_BYTES, FILM_SEED);

// Resolves to a folder (tests/support/files.mjs) with film.mp4, which is none, copied.mkv and remade.avi. The two are made
// once for a build.
export async function makeLibrary() {
  const folder = await makeFolder({ 'film.mp4': filmBytes() });
  const pictures = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${FORMS_S},noise=alls=6:allf=t`];
  const sound = ['-f', 'lavfi', '-i', `anoisesrc=duration=${FORMS_S}:color=pink:amplitude=0.2:seed=5`];
  const make = (name, ...how) => {
    const words = [...pictures, ...sound, ...how];
    return copyOfMade(words, folder.path(name), (made) => run('ffmpeg', ['-v', 'error', '-y', ...words, made]));
  };
  // H.264 with AC-3 is copied but for its sound; MPEG-4 ASP with MP3 is made anew.
  await make('copied.mkv', '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '2M', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'ac3', '-f', 'matroska');
  await make('remade.avi', '-c:v', 'mpeg4', '-b:v', '1M', '-g', '50', '-c:a', 'libmp3lame', '-f', 'avi');
  return folder;
}
