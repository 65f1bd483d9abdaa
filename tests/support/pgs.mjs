// A track of subtitles that are pictures, as a Blu-ray has it (PGS), in a .sup file: rectangles of one colour.
//
// A display set is a composition, its windows, a palette, its objects, and an end; each segment has its time in
// ticks of 1/90000 s. What is shown ends with a set that composes nothing.
const PALETTE = 0x14;
const OBJECT = 0x15;
const COMPOSITION = 0x16;
const WINDOWS = 0x17;
const END = 0x80;
const EPOCH_START = 0x80;

const u8 = (...values) => Buffer.from(values);
const u16 = (...values) => Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 255])));
const u24 = (value) => Buffer.from([value >> 16, (value >> 8) & 255, value & 255]);

function segment(kind, ms, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(13);
  head.write('PG', 0, 'latin1');
  head.writeUInt32BE(ms * 90, 2);
  head.writeUInt8(kind, 10);
  head.writeUInt16BE(body.length, 11);
  return Buffer.concat([head, body]);
}

// Runs of colour 1, a row after the other; a run is at most 16383 wide.
function rowsOf(width, height) {
  const row = Buffer.concat([u8(0x00, 0xc0 | (width >> 8), width & 255, 1), u8(0, 0)]);
  return Buffer.concat(Array.from({ length: height }, () => row));
}

// size: [width, height] of the screen. cues: [{from, to, x, y, w, h}] in ms, one after the other.
// luma: of the colour, which is grey.
export function makePgs([width, height], cues, { luma = 235 } = {}) {
  let number = 0;
  const compose = (ms, objects) => segment(COMPOSITION, ms, u16(width, height), u8(0x10), u16(number++), u8(EPOCH_START, 0, 0, objects.length),
    ...objects.map(({ x, y }) => Buffer.concat([u16(0), u8(0, 0), u16(x, y)])));
  const windows = (ms, { x, y, w, h }) => segment(WINDOWS, ms, u8(1, 0), u16(x, y, w, h));
  return Buffer.concat(cues.flatMap((cue) => {
    const rows = rowsOf(cue.w, cue.h);
    return [
      compose(cue.from, [cue]),
      windows(cue.from, cue),
      segment(PALETTE, cue.from, u8(0, 0, 1, luma, 128, 128, 255)),
      segment(OBJECT, cue.from, u16(0), u8(0, 0xc0), u24(rows.length + 4), u16(cue.w, cue.h), rows),
      segment(END, cue.from),
      compose(cue.to, []),
      windows(cue.to, cue),
      segment(END, cue.to),
    ];
  }));
}
