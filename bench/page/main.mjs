// Measures the way from a link into the room, in a real browser: `make bench-page`, --help for its options.
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { launchBrowser } from '../../tests/support/browser.mjs';
import { launch } from '../../tests/support/engines/engines.mjs';
import { packageHls } from '../../tests/support/hls.mjs';
import { makeMedia } from '../../tests/support/media.mjs';
import { createSession, join } from '../../tests/support/member.mjs';
import { startNginx } from '../../tests/support/nginx.mjs';
import { startServer } from '../../tests/support/server.mjs';
import { startShapedProxy } from '../../tests/support/shaped_proxy.mjs';
import { median } from '../harness/statistics.mjs';
import { costOf, observe, openGate, passGate, readGate, whatHappened } from './visit.mjs';
import { drawWaterfall } from './waterfall.mjs';

const VIDEO_S = { file: 180, stream: 60 }; // to package one takes longer
const PHONE = { width: 390, height: 780 };
const ENGINES = { chromium: openChromium, firefox: () => openOther('firefox'), webkit: () => openOther('webkit') };
const FRONTS = {
  'http/1.1': { tls: null, words: 'HTTP/1.1' },
  'http/1.1 tls': { tls: 'http/1.1', words: 'HTTP/1.1 over TLS, behind nginx' },
  'h2 tls': { tls: 'h2', words: 'HTTP/2 over TLS, behind nginx' },
};
const FILMS = Object.keys(VIDEO_S);
const GATE_READ_MS = 1_000; // of silence

const HELP = `Measures how long it takes from the click on a session's link until one may join, and from that to the
first moving picture, over slow networks, with an empty and with a full cache.

  --engine LIST     some of ${Object.keys(ENGINES).join(', ')}, by commas (all)
  --rtt LIST        round trips in ms, by commas (20,150,300)
  --front LIST      some of ${Object.keys(FRONTS).join(', ')}, by commas (all)
  --film KIND       ${FILMS.join(' or ')}: one mp4, or HLS segments that hls.js plays (file)
  --rounds N        visits each, of which the median is shown (3)
  --www DIR         other pages than the build's
  --json FILE       write every visit
  --svg FILE        draw the waterfall of a cold visit for each engine and front, at the longest round trip but one
  --help

The session's host plays the film meanwhile. Round trips are counted by the proxy that delays: TCP and
TLS are among them. The gate is read for a second after everything has come. In
WebKit Join counts as enabled when all scripts of the page have run, which is no sooner; its clock begins when it
asks for the page, and its profile here keeps no cache.`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      engine: { type: 'string', default: Object.keys(ENGINES).join(',') },
      rtt: { type: 'string', default: '20,150,300' },
      front: { type: 'string', default: Object.keys(FRONTS).join(',') },
      film: { type: 'string', default: 'file' },
      rounds: { type: 'string', default: '3' },
      www: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const rtts = values.rtt.split(',').map(Number);
  if (!rtts.every((rtt) => rtt >= 0)) throw new Error(`--rtt takes milliseconds, not "${values.rtt}"`);
  if (!/^[1-9]\d*$/.test(values.rounds)) throw new Error(`--rounds takes a whole number, not "${values.rounds}"`);
  const [engines, fronts] = [listOf('engine', values.engine, ENGINES), listOf('front', values.front, FRONTS)];
  if (!FILMS.includes(values.film)) throw new Error(`--film takes ${FILMS.join(' or ')}, not "${values.film}"`);
  return { ...values, engines, rtts, fronts, rounds: Number(values.rounds) };
}

function listOf(what, text, known) {
  const names = text.split(',');
  const unknown = names.find((name) => !known[name]);
  if (unknown !== undefined) throw new Error(`no ${what} "${unknown}"; there are ${Object.keys(known).join(', ')}`);
  return names;
}

// An engine: {openVisitor(), close()}; a visitor, with a cache of their own: {page, close()}.
async function openChromium({ selfSignedKey }) {
  const browser = await launchBrowser(selfSignedKey ? [`--ignore-certificate-errors-spki-list=${selfSignedKey}`] : []);
  const openVisitor = async () => {
    const context = await browser.newContext({ viewport: PHONE });
    const page = await context.newPage();
    await page.addInitScript(observe);
    return { page, close: () => context.close() };
  };
  return { openVisitor, close: () => browser.close() };
}

async function openOther(name) {
  const engine = await launch(name, { trustsAll: true });
  return { openVisitor: () => engine.openPerson({ viewport: PHONE, scripts: [observe] }), close: () => engine.close() };
}

// One visit, with what it took. From about:blank, and over new connections: what is open is no part of the cache.
async function visit(page, link, proxy) {
  await page.goto('about:blank');
  proxy.reset();
  proxy.trips.restart();
  await openGate(page, link);
  await readGate(page, GATE_READ_MS);
  await passGate(page);
  const seen = await whatHappened(page);
  const atGate = costOf(seen, seen.joinedMs);
  return {
    ...seen,
    ...costOf(seen, seen.joinableMs),
    requestsAtGate: atGate.requests,
    bytesAtGate: atGate.bytes,
    trips: proxy.trips.countAt(seen.originMs + seen.joinableMs),
    fromJoinMs: seen.movingMs - seen.joinedMs,
  };
}

// Cold and warm visits over one network: a person comes, and comes again.
async function measure({ engine, front, key, rttMs, rounds }) {
  const found = { cold: [], warm: [] };
  for (let round = 0; round < rounds; round += 1) {
    const proxy = await startShapedProxy(front.origin, { up: { delayMs: rttMs / 2 }, down: { delayMs: rttMs / 2 }, slowToConnect: true });
    const visitor = await engine.openVisitor();
    try {
      const link = `${proxy.origin}/player.html?session=${key}`;
      for (const cache of ['cold', 'warm']) found[cache].push(await visit(visitor.page, link, proxy));
    } finally {
      await visitor.close();
      await proxy.stop();
    }
  }
  return found;
}

const COLUMNS = [
  ['requests', ({ requests }) => requests, 0], ['KB', ({ bytes }) => bytes / 1000, 1], ['round trips', ({ trips }) => trips, 0],
  ['ms to Join', ({ joinableMs }) => joinableMs, 0], ['of it own', ({ joinableMs, trips, rttMs }) => joinableMs - trips * rttMs, 0],
  ['requests at the gate', ({ requestsAtGate }) => requestsAtGate, 0], ['KB at the gate', ({ bytesAtGate }) => bytesAtGate / 1000, 1],
  ['ms from Join to the picture', ({ fromJoinMs }) => fromJoinMs, 0],
];

function tableRow({ engine, words, rttMs, cache, visits }) {
  const cells = COLUMNS.map(([, of, digits]) => median(visits.map((visit) => of({ ...visit, rttMs }))).toFixed(digits));
  return `| ${[engine, words, rttMs, cache, ...cells].join(' | ')} |`;
}

async function makeFilm(kind) {
  const media = await makeMedia([{ name: 'film', seconds: VIDEO_S[kind], rate: 30 }]);
  if (kind === 'file') return media;
  const file = path.join(media.directory, 'film.mp4');
  await packageHls(file, media.directory);
  await rm(file);
  return media;
}

// Every network and cache, in one engine behind one front.
async function measureAll({ server, engineName, frontName, options, onResult }) {
  const { tls, words } = FRONTS[frontName];
  const front = tls ? await startNginx([server], { tls }) : { origin: server.origin, stop() {} };
  const { key, hostToken } = await createSession(server);
  const host = await join(server, key, { name: 'Host', host: hostToken });
  const engine = await ENGINES[engineName](front);
  try {
    for (const rttMs of options.rtts) {
      host.send('play', { position: 20 });
      const found = await measure({ engine, front, key, rttMs, rounds: options.rounds });
      for (const cache of ['cold', 'warm']) onResult({ engine: engineName, words, rttMs, cache, visits: found[cache] });
    }
  } finally {
    await engine.close();
    await host.close();
    await front.stop();
  }
}

async function main() {
  const options = readOptions();
  const media = await makeFilm(options.film);
  const server = await startServer({
    args: ['--media', media.directory, '--session-rate', '0', '--trusted-proxy', '127.0.0.1', ...(options.www ? ['--www', options.www] : [])],
  });
  const results = [];
  const onResult = (result) => {
    results.push(result);
    console.log(tableRow(result));
  };
  console.log(`| engine | way | round trip, ms | cache | ${COLUMNS.map(([name]) => name).join(' | ')} |\n${'|---'.repeat(COLUMNS.length + 4)}|`);
  try {
    for (const engineName of options.engines) {
      for (const frontName of options.fronts) await measureAll({ server, engineName, frontName, options, onResult });
    }
    if (options.json) await writeFile(options.json, JSON.stringify(results, null, 1));
    if (options.svg) await writeFile(options.svg, waterfallOf(results, options.rtts));
  } finally {
    await server.stop();
    await media.remove();
  }
}

function waterfallOf(results, rtts) {
  const rttMs = [...rtts].sort((a, b) => b - a)[Math.min(1, rtts.length - 1)];
  const shown = results.filter((result) => result.rttMs === rttMs && result.cache === 'cold');
  const middle = ({ visits }) => [...visits].sort((a, b) => a.joinableMs - b.joinableMs)[Math.floor(visits.length / 2)];
  return drawWaterfall(`From the click on a link to Join, a round trip of ${rttMs} ms, empty cache`,
    shown.map((result) => ({ words: `${result.engine}, ${result.words}`, ...middle(result) })));
}

if (process.argv.includes('--help')) {
  console.log(HELP);
} else {
  await main();
}
