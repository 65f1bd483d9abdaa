// The beeps of the bench's film: what they are, when they come, and how they are found in a recording. Pure.
//
// A beep is seven chirps in a row, each up or down. Four make sixteen kinds, so that one heard alone says where in
// the film it is, to 8 s. The three others follow from them as in Hamming's code: two chirps mistaken, for a player
// that stretches sound cuts and pieces, make no other kind. A chirp meets its like in one moment only; that moment
// is the reading, to a fraction of a millisecond. Between beeps the film is silent.

export const BEEP_EVERY_S = 0.5;
export const FIRST_BEEP_S = 0.25;
export const KINDS = 16;
const CHIRPS = 7;
const CHECKS = [[0, 1, 3], [0, 2, 3], [1, 2, 3]]; // the chirps of the kind that each of the others makes even
const CHIRP_S = 0.01;
const LOW_HZ = 500;
const HIGH_HZ = 5_000;
const EDGE_S = 0.001; // faded in and out: no click
const LOUDNESS = 0.5;

const BLOCK_S = 0.0025;
const QUIET_S = 0.1; // what comes after so much of it is a beep's beginning
const QUIET_SHARE = 0.1; // of the loudest
const FAINT = 0.01; // a recording that is nowhere louder is silent
const AROUND_S = 0.015; // of the first loud block
const CHIRP_LIKENESS_MIN = 0.35; // of each: up and down are alike by 0.1
const LIKENESS_MIN = 0.5; // 1: its like; another sound has less than 0.3

// The media time at which the beep of a number begins, in seconds; its kind is number % KINDS.
export function beepTime(number) {
  return FIRST_BEEP_S + number * BEEP_EVERY_S;
}

// The sound as an expression of ffmpeg's aevalsrc.
export function beepExpression() {
  const parts = [
    `st(0,floor((t-${FIRST_BEEP_S})/${BEEP_EVERY_S}))`, // number
    `st(1,t-${FIRST_BEEP_S}-ld(0)*${BEEP_EVERY_S})`, // since it began
    `st(2,floor(ld(1)/${CHIRP_S}))`, // which chirp
    `st(3,ld(1)-ld(2)*${CHIRP_S})`, // since that began
    `st(6,mod(ld(0),${KINDS}))`,
    ...CHECKS.map((check, i) => `st(${7 + i},mod(${check.map((bit) => `floor(ld(6)/${2 ** bit})`).join('+')},2))`),
    `st(6,ld(6)+${CHECKS.map((_, i) => `${KINDS << i}*ld(${7 + i})`).join('+')})`, // as bits, the downward ones
    `st(4,if(mod(floor(ld(6)/pow(2,ld(2))),2),${CHIRP_S}-ld(3),ld(3)))`, // downwards is backwards
    `st(5,min(1,min(ld(3),${CHIRP_S}-ld(3))/${EDGE_S}))`,
    `gte(ld(0),0)*lt(ld(2),${CHIRPS})*${LOUDNESS}*ld(5)*sin(2*PI*(${LOW_HZ}*ld(4)+${(HIGH_HZ - LOW_HZ) / (2 * CHIRP_S)}*ld(4)*ld(4)))`,
  ];
  return parts.join(';');
}

// A beep as samples.
export function beep(kind, rateHz) {
  const chirp = chirpUp(rateHz);
  const backwards = chirp.slice().reverse();
  const samples = new Float32Array(CHIRPS * chirp.length);
  const downs = codeOf(kind);
  for (let i = 0; i < CHIRPS; i++) samples.set((downs >> i) & 1 ? backwards : chirp, i * chirp.length);
  return samples;
}

// Finds them. Returns {beeps: [{at, kind, likeness}], garbled}: `at` is the sample with which it begins,
// `garbled` how many sounds were none.
export function findBeeps(samples, rateHz) {
  const up = chirpUp(rateHz);
  const likes = [up, up.slice().reverse()];
  const beeps = [];
  let garbled = 0;
  for (const start of startsOf(samples, rateHz)) {
    const found = matchAround(samples, start, likes, Math.round(AROUND_S * rateHz));
    if (found.likeness >= LIKENESS_MIN && found.weakest >= CHIRP_LIKENESS_MIN && found.downs === codeOf(found.downs % KINDS)) {
      beeps.push({ at: found.at, kind: found.downs % KINDS, likeness: found.likeness });
    } else {
      garbled++;
    }
  }
  return { beeps, garbled };
}

// As bits, the chirps of a kind that go down.
function codeOf(kind) {
  return CHECKS.reduce((code, check, i) => code | (check.reduce((sum, bit) => sum ^ ((kind >> bit) & 1), 0) * (KINDS << i)), kind);
}

function chirpUp(rateHz) {
  const samples = new Float32Array(Math.round(CHIRP_S * rateHz));
  for (let i = 0; i < samples.length; i++) {
    const t = i / rateHz;
    const edge = Math.min(1, t / EDGE_S, (CHIRP_S - t) / EDGE_S);
    samples[i] = LOUDNESS * edge * Math.sin(2 * Math.PI * (LOW_HZ * t + ((HIGH_HZ - LOW_HZ) / (2 * CHIRP_S)) * t * t));
  }
  return samples;
}

// The first samples of the loud blocks that follow silence.
function startsOf(samples, rateHz) {
  const length = Math.round(BLOCK_S * rateHz);
  const loudness = [];
  for (let from = 0; from + length <= samples.length; from += length) {
    let loudest = 0;
    for (let i = from; i < from + length; i++) loudest = Math.max(loudest, Math.abs(samples[i]));
    loudness.push(loudest);
  }
  const loudest = loudness.reduce((most, value) => Math.max(most, value), 0);
  if (loudest < FAINT) return [];
  const starts = [];
  let quiet = 0;
  loudness.forEach((value, block) => {
    if (value > loudest * QUIET_SHARE) {
      if (quiet * BLOCK_S >= QUIET_S) starts.push(block * length);
      quiet = 0;
    } else {
      quiet++;
    }
  });
  return starts;
}

// Where, at most `around` from `start`, what follows is most like seven chirps, and, as bits, which of them go down.
function matchAround(samples, start, likes, around) {
  const step = likes[0].length;
  const from = Math.max(0, start - around);
  const [ups, downs] = likes.map((like) => likenesses(samples, from, 2 * around + (CHIRPS - 1) * step + 1, like));
  let best = { at: from, downs: 0, likeness: -1, weakest: -1 };
  for (let lag = 0; lag <= 2 * around; lag++) {
    let bits = 0;
    let sum = 0;
    let weakest = 1;
    for (let i = 0; i < CHIRPS; i++) {
      const place = lag + i * step;
      if (downs[place] > ups[place]) bits |= 1 << i;
      const likeness = Math.max(ups[place], downs[place]);
      sum += likeness;
      weakest = Math.min(weakest, likeness);
    }
    if (sum / CHIRPS > best.likeness) best = { at: from + lag, downs: bits, likeness: sum / CHIRPS, weakest };
  }
  return best;
}

// The normalized correlation of `like` with what begins at each of `count` samples from `from` on.
function likenesses(samples, from, count, like) {
  const energy = like.reduce((sum, value) => sum + value * value, 0);
  const floor = FAINT * FAINT * like.length; // silence is like nothing
  const result = new Float32Array(count);
  for (let lag = 0; lag < count; lag++) {
    const begin = from + lag;
    if (begin + like.length > samples.length) break;
    let product = 0;
    let own = 0;
    for (let i = 0; i < like.length; i++) {
      const value = samples[begin + i];
      product += value * like[i];
      own += value * value;
    }
    result[lag] = product / Math.sqrt(energy * Math.max(own, floor));
  }
  return result;
}
