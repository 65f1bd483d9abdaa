// Forms of films, as a player sees them: playlists and what they name.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { timesOf } from './fragments.mjs';

export async function fetchBytes(url, options) {
  const response = await fetch(url, options);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw Object.assign(new Error(`${url}: ${response.status} ${bytes}`), { status: response.status, body: String(bytes) });
  return bytes;
}
export const fetchText = async (url) => String(await fetchBytes(url));
export const fetchFilm = async (origin, id) => JSON.parse(await fetchText(`${origin}/forms/${id}/film.json`));

// As a player: what is told to come again does, when it was told to.
export async function fetchPatiently(url, told = () => {}) {
  for (;;) {
    const response = await fetch(url);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status === 200) return bytes;
    assert.equal(response.status, 503, `${url}: ${bytes}`);
    told();
    await sleep(1_000 * Number(response.headers.get('retry-after')));
  }
}

// {sound: [{name, lang, isDefault, url}], variants: [{url, codecs, resolution}]} of a master playlist.
export async function readMaster(url) {
  const lines = (await fetchText(url)).trim().split('\n');
  const sound = [];
  const variants = [];
  lines.forEach((line, i) => {
    const field = (name) => new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line)?.slice(1).find(Boolean);
    if (line.startsWith('#EXT-X-MEDIA:')) sound.push({ name: field('NAME'), lang: field('LANGUAGE'), isDefault: field('DEFAULT') === 'YES', url: new URL(field('URI'), url).href });
    if (line.startsWith('#EXT-X-STREAM-INF:')) variants.push({ url: new URL(lines[i + 1], url).href, codecs: field('CODECS'), resolution: field('RESOLUTION') });
  });
  return { sound, variants };
}

// {init, segments: [{url, start, length}]} of a media playlist, in seconds.
export async function readPlaylist(url) {
  const lines = (await fetchText(url)).trim().split('\n');
  const init = new URL(/URI="([^"]+)"/.exec(lines.find((line) => line.startsWith('#EXT-X-MAP')))[1], url).href;
  const segments = [];
  let start = 0;
  lines.forEach((line, i) => {
    if (!line.startsWith('#EXTINF:')) return;
    const length = Number.parseFloat(line.slice('#EXTINF:'.length));
    segments.push({ url: new URL(lines[i + 1], url).href, start, length });
    start += length;
  });
  return { init, segments, end: start };
}

export const fetchTimes = async (url) => timesOf(await fetchBytes(url));

// The processes that prepare films for this server.
// `program`: only those of that name. What describes films for the library is one of them, too, now and then.
export function makersOf(pid, program) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => {
    try {
      const stat = readFileSync(`/proc/${one}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // Others of its children are itself, to open files, and those that make posters.
      const file = readlinkSync(`/proc/${one}/exe`);
      if (Number(parent) !== pid || state === 'Z' || file === readlinkSync(`/proc/${pid}/exe`)) return false;
      return program === undefined ? !/\/ff(mpeg|probe)$/.test(file) : path.basename(file) === program;
    } catch {
      return false;
    }
  });
}
