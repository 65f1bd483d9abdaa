// Another site that has films, over TLS: a folder, by path.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import { makeCertificate } from './certificate.mjs';
import { makeFolder } from './files.mjs';

const TYPES = { '.mp4': 'video/mp4', '.m3u8': 'application/vnd.apple.mpegurl', '.m4s': 'video/iso.segment', '.txt': 'text/plain' };

// What lies under /shared/ other sites' pages may read (CORS), the same under any other path not.
// Resolves to {origin, selfSignedKey, stop()}.
export async function startFilmSite(directory) {
  const folder = await makeFolder();
  const selfSignedKey = await makeCertificate(folder);
  const [key, cert] = await Promise.all(['key.pem', 'certificate.pem'].map((name) => readFile(folder.path(name))));
  const site = https.createServer({ key, cert }, (request, answer) => {
    serve(directory, request, answer).catch(() => answer.destroy());
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  return {
    origin: `https://127.0.0.1:${site.address().port}`,
    selfSignedKey,
    stop: async () => {
      site.closeAllConnections();
      site.close();
      await once(site, 'close');
      await folder.remove();
    },
  };
}

async function serve(directory, request, answer) {
  const { pathname } = new URL(request.url, 'https://site');
  const [, shared, name] = /^\/(shared\/)?(.*)$/.exec(pathname);
  const file = path.join(directory, path.normalize(`/${decodeURIComponent(name)}`));
  const size = await stat(file).then((found) => (found.isFile() ? found.size : null), () => null);
  const fields = shared ? { 'Access-Control-Allow-Origin': '*' } : {};
  if (size === null) return answer.writeHead(404, fields).end();
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [null, '0', ''];
  const [first, last] = [Number(from), Math.min(to === '' ? size - 1 : Number(to), size - 1)];
  answer.writeHead(request.headers.range ? 206 : 200, {
    ...fields,
    'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream',
    'Content-Length': last - first + 1,
    'Accept-Ranges': 'bytes',
    ...(request.headers.range ? { 'Content-Range': `bytes ${first}-${last}/${size}` } : {}),
  });
  if (request.method === 'HEAD') return answer.end();
  return createReadStream(file, { start: first, end: last }).on('error', () => answer.destroy()).pipe(answer);
}
