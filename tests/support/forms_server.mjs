// Servers that make forms of a film, for tests of what they do when something goes wrong.
import { execFile } from 'node:child_process';
import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { fetchFilm, readMaster, readPlaylist } from './forms.mjs';
import { copyOfMade } from './media.mjs';
import { makerBinary } from './maker.mjs';
import { projectRoot, serverBinary, startServer } from './server.mjs';

const run = promisify(execFile);
const SECONDS = 64;

export const ffmpeg = (...words) => run('ffmpeg', ['-v', 'error', '-y', ...words]);

// H.264 with AC-3 in two languages, a key frame every two seconds.
const filmWords = [
  '-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=25:duration=${SECONDS}`,
  '-f', 'lavfi', '-i', `anoisesrc=duration=${SECONDS}:color=pink:sample_rate=48000:amplitude=0.3:seed=3`,
  '-map', '0:v', '-map', '1:a', '-map', '1:a', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'ac3',
  '-metadata:s:a:0', 'language=ger', '-metadata:s:a:1', 'language=eng', '-disposition:a:0', 'default', '-f', 'matroska',
];

// A folder with that film, film.mkv, beside the program: it is linked to, for servers with another videosync-media
// beside them. Resolves to {root, film, serve(t, options), remove()}.
export async function formsFolder() {
  const root = await mkdtemp(path.join(path.dirname(serverBinary()), 'forms-'));
  const film = path.join(root, 'film.mkv');
  await copyOfMade(filmWords, film, (made) => ffmpeg(...filmWords, made));
  return { root, film, serve: (t, options) => serve(t, { root, source: film, ...options }), remove: () => rm(root, { recursive: true, force: true }) };
}

// Starts a server with a film; it ends with the test. script: what stands in videosync-media's place, a shell's, with
// the real one as $REAL, a folder of its own, which it sees, as $HERE, and the one that it may write to as $MINE, for it is
// confined; null: nothing does. media, cache: folders to take instead of its own. Resolves to the server with {here, media: the film's path, cache, runs(): the verbs that were run}.
async function serve(t, { root, script, args = [], env = {}, name = 'film.mkv', source, media, cache }) {
  const here = await mkdtemp(path.join(root, 'server-'));
  const folder = media ?? path.join(here, 'media');
  if (!media) {
    await mkdir(folder);
    await copyFile(source, path.join(folder, name));
  }
  const kept = cache ?? path.join(here, 'cache');
  await link(serverBinary(), path.join(here, 'videosync'));
  if (script !== null) await writeProgram(here, kept, script);
  const server = await startServer({
    binary: path.join(here, 'videosync'), args: ['--media', folder, '--www', path.join(projectRoot, 'www'), ...args], env: { VIDEOSYNC_CACHE: kept, ...env },
  });
  t.after(() => server.stop());
  return { ...server, here, media: path.join(folder, name), cache: kept, runs: () => runsIn(kept) };
}

// The verbs that the programs of recorderBeside() were run with, film by film.
export async function runsIn(cache) {
  const films = await readdir(path.join(cache, 'forms')).catch(() => []);
  const records = await Promise.all(films.map((film) => readFile(path.join(cache, 'forms', film, 'runs'), 'utf8').catch(() => '')));
  return records.join('').split('\n').filter(Boolean);
}

// Puts the real videosync-media into the folder, and resolves to {real: its path, record: what a shell's script begins with
// to write down what it is run for, where it may: $mine, the film's folder in the cache}.
export async function recorderBeside(here, cache) {
  const real = path.join(here, 'the-real-one');
  await link(makerBinary(), real);
  const forms = path.join(cache, 'forms');
  const mine = `for word; do case "$word" in "${forms}"/*) mine="\${word#"${forms}/"}"; mine="${forms}/\${mine%%/*}";; esac; done\n`;
  return { real, record: `${mine}echo "$1" >> "$mine/runs"\n` };
}

async function writeProgram(here, cache, script) {
  const { real, record } = await recorderBeside(here, cache);
  // What the list of videos asks first is none of this.
  const learning = `case "$1 $3" in "describe --plan") ;; describe*) exec "${real}" "$@";; esac\n`;
  const text = script === undefined ? `exec "${real}" "$@"` : script.replaceAll('$REAL', real).replaceAll('$HERE', here).replaceAll('$MINE', '$mine');
  await writeFile(path.join(here, 'videosync-media'), `#!/bin/sh\n${learning}${record}${text}\n`, { mode: 0o755 });
}

// The address of a form's master playlist.
export const formOf = (origin, { forms }, name) => new URL(forms.find(({ form }) => form === name).url, origin).href;

// The addresses of a form's picture, segment by segment.
export async function segmentsOf(origin, form, id = 'film') {
  const { variants } = await readMaster(formOf(origin, await fetchFilm(origin, id), form));
  return (await readPlaylist(variants[0].url)).segments.map(({ url }) => url);
}
