// A film that tells its own time: each picture shows in black and white blocks when it is due, and at each full
// second there is a beep. So whatever became of the film, and whoever plays it, can be asked how true it is.
import { writeFile } from 'node:fs/promises';

export const WIDTH = 160;
export const HEIGHT = 90;
export const RATE = 48_000;

// Two rows of eight blocks: a white one, 14 bits of milliseconds, and one that makes the number of white ones even.
const BLOCK = 20;
const BLOCKS = 16;
const BITS = BLOCKS - 2;
const [BLACK, GREY, WHITE] = [16, 110, 235];
const BEEP_S = 0.06;
const ATTACK_S = 0.001;
const pitchAt = (second) => 600 + 100 * second; // so that each is known for which it is

function blocksOf(ms) {
  const bits = [1];
  for (let i = BITS - 1; i >= 0; i -= 1) bits.push((ms >> i) & 1);
  return [...bits, bits.reduce((sum, bit) => sum + bit, 0) & 1];
}

function drawPicture(picture, ms) {
  picture.fill(GREY, 0, WIDTH * HEIGHT).fill(128, WIDTH * HEIGHT);
  const bits = blocksOf(ms);
  for (let y = 0; y < 2 * BLOCK; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) picture[y * WIDTH + x] = bits[Math.floor(y / BLOCK) * 8 + Math.floor(x / BLOCK)] ? WHITE : BLACK;
  }
  // And something moves.
  const left = Math.floor(ms / 8) % (WIDTH - 12);
  for (let y = 2 * BLOCK; y < HEIGHT; y += 1) picture.fill(200, y * WIDTH + left, y * WIDTH + left + 12);
}

// As y4m; rate: [pictures, seconds].
export async function writeClock(file, [pictures, seconds], lengthS) {
  const parts = [Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${pictures}:${seconds} Ip A1:1 C420mpeg2\n`)];
  for (let i = 0; i < (lengthS * pictures) / seconds; i += 1) {
    const picture = Buffer.alloc((WIDTH * HEIGHT * 3) / 2);
    drawPicture(picture, Math.round((i * seconds * 1_000) / pictures));
    parts.push(Buffer.from('FRAME\n'), picture);
  }
  await writeFile(file, Buffer.concat(parts));
}

// As samples of 16 bit, one channel.
export async function writeBeeps(file, lengthS) {
  const samples = new Int16Array(lengthS * RATE);
  for (let second = 1; second < lengthS; second += 1) {
    for (let i = 0; i < BEEP_S * RATE; i += 1) {
      const at = i / RATE;
      const loudness = Math.min(1, at / ATTACK_S, (BEEP_S - at) / ATTACK_S);
      samples[second * RATE + i] = 16_000 * loudness * Math.sin(2 * Math.PI * pitchAt(second) * at);
    }
  }
  await writeFile(file, Buffer.from(samples.buffer));
}

// The time that a picture shows, in milliseconds; null: it shows none. `brightness(x, y)` of a place in 160 by 90.
// It is also run in pages: it needs nothing from outside.
export function readClock(brightness) {
  const bits = [];
  for (let i = 0; i < 16; i += 1) bits.push(brightness((i % 8) * 20 + 10, Math.floor(i / 8) * 20 + 10) > 127 ? 1 : 0);
  const isEven = bits.reduce((sum, bit) => sum + bit, 0) % 2 === 0;
  return bits[0] === 1 && isEven ? bits.slice(1, 15).reduce((ms, bit) => ms * 2 + bit, 0) : null;
}

const loudest = (samples, from, to) => {
  let peak = 0;
  for (let i = Math.max(0, from); i < Math.min(samples.length, to); i += 1) peak = Math.max(peak, Math.abs(samples[i]));
  return peak;
};

// How much there is of a pitch.
function strengthOf(samples, from, count, pitch) {
  let [re, im] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    const angle = (2 * Math.PI * pitch * i) / RATE;
    re += (samples[from + i] ?? 0) * Math.cos(angle);
    im += (samples[from + i] ?? 0) * Math.sin(angle);
  }
  return Math.hypot(re, im);
}

function secondOfBeep(samples, from) {
  const strengths = Array.from({ length: 20 }, (_, second) => strengthOf(samples, from + 480, 1_920, pitchAt(second)));
  return strengths.indexOf(Math.max(...strengths));
}

// [{second, at}]: which beeps begin where in samples of one channel at 48 kHz, in seconds of these samples.
export function findBeeps(samples) {
  const peak = loudest(samples, 0, samples.length);
  const beeps = [];
  for (let i = 0; peak > 0.01 && i < samples.length; i += 1) {
    if (Math.abs(samples[i]) < peak * 0.3) continue;
    // One that is cut at an end is none.
    if (i > 240 && i + BEEP_S * RATE < samples.length) beeps.push({ second: secondOfBeep(samples, i), at: i / RATE });
    i += RATE / 2;
  }
  return beeps;
}
