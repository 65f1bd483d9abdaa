// Measures how far apart real browsers are: `make bench-sync`, --help for its options.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ENGINES, launch } from '../../tests/support/engines/engines.mjs';
import { packageHls } from '../../tests/support/hls.mjs';
import { makeMedia } from '../../tests/support/media.mjs';
import { startServer } from '../../tests/support/server.mjs';
import { drawChart } from './chart.mjs';
import { judge } from './judge.mjs';
import { adaptivePlan, calmPlan, quickPlan, wholePlan } from './plans.mjs';
import { profiles } from './profiles.mjs';
import { report } from './report.mjs';
import { fetchFilm } from '../../tests/support/forms.mjs';
import { Showing } from './showing.mjs';
import { beepExpression } from './sound/beeps.mjs';
import { Room } from './sound/room.mjs';

const VIDEO_S = 180;
const SPARE_S = 60;
const FORMS = ['file', 'copy', 'transcode']; // the cheapest first
const HLS_SIZE = '440x440'; // the smallest of which `make hls` makes two renditions

const HELP = `Measures the skew of real browsers' pages on a real server behind bad networks.

  --profile NAMES   some of ${Object.keys(profiles).join(', ')}, by commas (all)
  --quick           two networks and the main events: a minute
  --calm SECONDS    nothing but playing, for so long
  --hls             the video as HLS, packaged by deploy/make-hls and played by hls.js; one viewer changes its quality
  --forms           one viewer with the film's file, one with its copy, one with its picture made anew
  --engine NAMES    ${ENGINES.join(', ')}, some by commas, or mixed: all of them in one session (chromium)
  --sound           record what viewers play, each with a browser of its own, and find the film's beeps in it
  --two-browsers    deal the viewers out to two browsers of each engine
  --seed N          of the networks' jitter (1)
  --json FILE       write every figure
  --svg FILE        draw the skew over time
  --help

Two or three pages with a small video (320x180, as HLS 360x360 and 440x440; 30 frames a second, decoded
by the processor) play at once. A whole profile takes about 100 seconds. Frames are taken as the browser presents them.
Goals are judged only where the machine let them be: one that stalls is said to be loaded.`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      profile: { type: 'string' },
      quick: { type: 'boolean' },
      calm: { type: 'string' },
      hls: { type: 'boolean' },
      forms: { type: 'boolean' },
      engine: { type: 'string', default: 'chromium' },
      sound: { type: 'boolean' },
      'two-browsers': { type: 'boolean' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      svg: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const fallback = values.quick ? 'clean,jitter' : values.calm ? 'clean' : Object.keys(profiles).join(',');
  const names = (values.profile ?? fallback).split(',');
  const unknown = names.find((name) => !profiles[name]);
  if (unknown) throw new Error(`no profile "${unknown}"; there are ${Object.keys(profiles).join(', ')}`);
  const calmS = values.calm === undefined ? 0 : Number(values.calm);
  if (!(calmS >= 0)) throw new Error(`--calm takes seconds, not "${values.calm}"`);
  if (!/^\d+$/.test(values.seed)) throw new Error(`--seed takes a whole number, not "${values.seed}"`);
  const engines = values.engine === 'mixed' ? ENGINES : values.engine.split(',');
  if (values.forms && values.hls) throw new Error('--forms and --hls exclude each other: a package has its own forms');
  const unknownEngine = engines.find((name) => !ENGINES.includes(name));
  if (unknownEngine) throw new Error(`no engine "${unknownEngine}"; there are ${ENGINES.join(', ')}, and mixed`);
  return { ...values, names, calmS, engineNames: engines, seats: Math.max(values.forms ? FORMS.length : 2, engines.length), seed: Number(values.seed) };
}

// The library of the measurement: one file, or one package without its file.
async function makeLibrary({ hls, calmS }) {
  const seconds = Math.max(VIDEO_S, calmS + SPARE_S);
  if (!hls) return makeMedia([{ name: 'bench', seconds, rate: 30, sound: beepExpression() }]);
  const media = await makeMedia([{ name: 'bench', seconds, size: HLS_SIZE, rate: 30, sound: beepExpression() }]);
  const file = path.join(media.directory, 'bench.mp4');
  await packageHls(file, media.directory);
  await rm(file);
  return media;
}

// As Viewer.open() has them: each with those that its viewer is not to take.
async function formsOf(server, { forms }) {
  if (!forms) return undefined;
  const film = await fetchFilm(server.origin, 'bench');
  const names = film.forms.map(({ form, type, codecs }) => [form, type, codecs]);
  const missing = FORMS.find((name) => !names.some(([form]) => form === name));
  if (missing) throw new Error(`the film has no form "${missing}" here`);
  return FORMS.map((name, index) => ({ name, cheaper: names.filter(([form]) => FORMS.indexOf(form) < index) }));
}

// Which engine each viewer gets: one of each, two of each, or, where each plays to a seat of its own, one for each
// that may come.
function enginesFor(options, room) {
  const late = options.calmS > 0 ? 0 : 1;
  const count = room ? options.seats + late : options.engineNames.length * (options['two-browsers'] ? 2 : 1);
  return Array.from({ length: count }, (_, index) => {
    const name = options.engineNames[index % options.engineNames.length];
    return () => launch(name, { autoplay: 'allowed', env: room?.envOf(index) ?? {} });
  });
}

async function measure({ server, engines, room, name, options, forms, say }) {
  const profile = profiles[name];
  const plan = options.calmS > 0 ? calmPlan(options.calmS) : options.quick ? quickPlan : options.hls ? adaptivePlan : wholePlan;
  const showing = await Showing.open({ server, engines, seats: options.seats, room, profile, seed: options.seed, forms, say });
  try {
    await plan(showing);
    await checkForms(showing);
    for (const viewer of showing.viewers) {
      const faults = await viewer.faults();
      if (faults.length > 0) say(`${viewer.name}: ${faults.join('; ')}`);
    }
    return { name, words: profile.words, goal: profile.goal, judged: judge(showing, profile) };
  } finally {
    await showing.close();
  }
}

async function checkForms({ viewers }) {
  for (const viewer of viewers.filter(({ form }) => form)) {
    const played = await viewer.playedForm();
    if (played !== viewer.form) throw new Error(`${viewer.name} was to play the film as ${viewer.form}, and played it as ${played}`);
  }
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const startedMs = performance.now();
  const say = (text) => console.error(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  say('making a video');
  const media = await makeLibrary(options);
  const cache = options.forms ? await mkdtemp(path.join(tmpdir(), 'videosync-bench-cache-')) : 'none';
  const server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'], env: { VIDEOSYNC_CACHE: cache } });
  const engines = [];
  let room = null;
  try {
    const forms = await formsOf(server, options);
    if (options.sound) room = await Room.open();
    for (const start of enginesFor(options, room)) engines.push(await start());
    say(`with ${[...new Set(engines.map(({ name, version }) => `${name} ${version}`))].join(', ')}`);
    const results = [];
    for (const name of options.names) {
      say(`-- ${name}: ${profiles[name].words}`);
      results.push(await measure({ server, engines, room, name, options, forms, say }));
    }
    console.log(report(results));
    if (options.json) await writeFile(options.json, JSON.stringify(results));
    if (options.svg) await writeFile(options.svg, drawChart(results));
  } finally {
    await Promise.allSettled(engines.map((engine) => engine.close())); // also what comes after one that cannot be ended
    await room?.close();
    await server.stop();
    await media.remove();
    if (options.forms) await rm(cache, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
