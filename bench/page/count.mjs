// Counts what any page asks for until it can be used, in a real browser: this project's or another's. --help.
//
// Counted as `make bench-page` counts: the page's own performance entries, round trips by the proxy that delays.
// Nothing outside this machine is asked: what the page wants of other hosts fails at once, and is told.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { launchBrowser } from '../../tests/support/browser.mjs';
import { startShapedProxy } from '../../tests/support/shaped_proxy.mjs';
import { costOf, readGate, whatHappened } from './visit.mjs';

const WAIT_MS = 120_000;
const QUIET_MS = 3_000; // what is asked later than this after all else is not waited for
const ENTRIES_MAX = 10_000; // a browser keeps 250, unless told
const LOOPBACK = '127.0.0.1';
const PACKERS = { br: brotliCompressSync, gzip: gzipSync, none: null };
const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.woff2': 'font/woff2', '.png': 'image/png', '.ico': 'image/x-icon',
};
const IS_PACKED = /^text|json|svg|wasm/;

const HELP = `Counts what a page asks for until it can be used, and how many round trips that takes.

  node bench/page/count.mjs http://127.0.0.1:PORT/PATH    of a server that runs here
  node bench/page/count.mjs FOLDER                        of a folder, served here

  --ready SELECTOR  usable means: this can be seen; CSS, or "text=..." (else: all that was asked for has come)
  --path PATH       of the folder's page ("/"); where it has no such file, index.html is what comes
  --encoding NAME   ${Object.keys(PACKERS).join(', ')}: how the folder's texts are packed (br)
  --rtt MS          the network's round trip (150)
  --list            every request, too
  --picture FILE    the page at the end, as PNG
  --help

Requests and KB are all that is asked of the page's own host until nothing has been for ${QUIET_MS / 1000} s, WebSockets apart; the
round trips, TCP's among them, are those until it is usable.`;

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ready: { type: 'string' },
      path: { type: 'string', default: '/' },
      encoding: { type: 'string', default: 'br' },
      rtt: { type: 'string', default: '150' },
      list: { type: 'boolean' },
      picture: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return values;
  if (positionals.length !== 1) throw new Error('name one URL or one folder; --help says more');
  if (!(values.encoding in PACKERS)) throw new Error(`--encoding takes ${Object.keys(PACKERS).join(', ')}, not "${values.encoding}"`);
  if (!(Number(values.rtt) >= 0)) throw new Error(`--rtt takes milliseconds, not "${values.rtt}"`);
  return { ...values, rttMs: Number(values.rtt), target: positionals[0] };
}

// Resolves to {url, stop()}.
async function openTarget({ target, path: pagePath, encoding }) {
  if (!/^https?:/.test(target)) return serveFolder(path.resolve(target), pagePath, encoding);
  const { hostname } = new URL(target);
  if (hostname !== LOOPBACK) throw new Error(`only ${LOOPBACK} is visited, not "${hostname}"`);
  return { url: target, stop() {} };
}

async function serveFolder(folder, pagePath, encoding) {
  await readFile(path.join(folder, 'index.html')); // one that is none says so here
  const packed = new Map();
  const server = createServer(async (request, response) => {
    const answer = await answerOf(folder, request, encoding, packed);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, LOOPBACK, resolve));
  return { url: `http://${LOOPBACK}:${server.address().port}${pagePath}`, stop: () => server.close() };
}

// Of a page that draws itself for each path there is but one file; what is no page is there or not.
async function answerOf(folder, request, encoding, packed) {
  const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  const file = path.join(folder, name);
  if (request.method !== 'GET' || !file.startsWith(folder)) return { status: 404, headers: {} };
  const isPage = request.headers.accept?.includes('text/html');
  for (const candidate of isPage ? [file, path.join(folder, 'index.html')] : [file]) {
    const body = await readFile(candidate).catch(() => null);
    if (body) return packedAnswer(candidate, body, encoding, packed);
  }
  return { status: 404, headers: {} };
}

function packedAnswer(file, body, encoding, packed) {
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  const pack = IS_PACKED.test(type) && PACKERS[encoding];
  if (!pack) return { status: 200, headers: { 'content-type': type }, body };
  if (!packed.has(file)) packed.set(file, pack(body));
  return { status: 200, headers: { 'content-type': type, 'content-encoding': encoding }, body: packed.get(file) };
}

// Resolves to when that was, in milliseconds since the click on the link.
async function untilUsable(page, selector) {
  await page.locator(selector).first().waitFor({ timeout: WAIT_MS }).catch((error) => {
    throw new Error(`nothing that is "${selector}" can be seen after ${WAIT_MS / 1000} s; --picture without --ready shows what is`, { cause: error });
  });
  return page.evaluate(() => performance.now());
}

// Resolves to {requests, bytes, trips, usableMs, elsewhere, loads}; elsewhere: how often each other host was asked.
async function visit({ page, proxy, link, ready, picture }) {
  const elsewhere = new Map();
  page.on('request', (request) => {
    const { host, protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== proxy.origin) elsewhere.set(host, (elsewhere.get(host) ?? 0) + 1);
  });
  await page.addInitScript((most) => performance.setResourceTimingBufferSize(most), ENTRIES_MAX);
  proxy.trips.restart();
  await page.goto(link, { waitUntil: 'load', timeout: WAIT_MS });
  const seenMs = ready ? await untilUsable(page, ready) : null;
  await readGate(page, QUIET_MS);
  if (picture) await page.screenshot({ path: picture });
  const seen = await whatHappened(page);
  const loads = seen.loads.filter(({ url }) => url.startsWith('/'));
  const usableMs = seenMs ?? Math.max(...loads.map(({ endMs }) => endMs));
  return { ...costOf({ loads }), trips: proxy.trips.countAt(seen.originMs + usableMs), usableMs, elsewhere, loads };
}

function report({ requests, bytes, trips, usableMs, elsewhere, loads }, isList) {
  if (isList) {
    for (const { url, startMs, endMs, bytes: own } of loads) {
      console.log(`${startMs.toFixed(0).padStart(6)} ${endMs.toFixed(0).padStart(6)} ms ${(own / 1000).toFixed(1).padStart(8)} KB  ${url}`);
    }
  }
  const hosts = [...elsewhere].map(([host, times]) => `${host} (${times})`).join(', ') || 'none';
  console.log('| requests | KB | round trips | ms | other hosts it would ask |\n|---|---|---|---|---|');
  console.log(`| ${requests} | ${(bytes / 1000).toFixed(0)} | ${trips} | ${usableMs.toFixed(0)} | ${hosts} |`);
}

async function main(options) {
  const target = await openTarget(options);
  const { origin, pathname, search, hash } = new URL(target.url);
  const way = { delayMs: options.rttMs / 2 };
  const proxy = await startShapedProxy(origin, { up: way, down: way, slowToConnect: true });
  const browser = await launchBrowser([`--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${LOOPBACK}`]);
  try {
    const page = await browser.newPage();
    const link = proxy.origin + pathname + search + hash;
    report(await visit({ page, proxy, link, ready: options.ready, picture: options.picture }), options.list);
  } finally {
    await browser.close();
    await proxy.stop();
    await target.stop();
  }
}

const options = readOptions();
if (options.help) console.log(HELP);
else await main(options);
