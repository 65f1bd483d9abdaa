// Reads fMP4: what a media segment says of times.
function* boxes(bytes, from = 0, to = bytes.length) {
  for (let at = from; at < to; ) {
    const size = bytes.readUInt32BE(at);
    yield { type: bytes.toString('latin1', at + 4, at + 8), from: at + 8, to: at + size };
    at += size;
  }
}

function find(bytes, path, from = 0, to = bytes.length) {
  for (const box of boxes(bytes, from, to)) {
    if (box.type !== path[0]) continue;
    return path.length === 1 ? box : find(bytes, path.slice(1), box.from, box.to);
  }
  return null;
}

const flagsAt = (bytes, at) => bytes.readUIntBE(at + 1, 3);

function defaultDuration(bytes, { from }) {
  const flags = flagsAt(bytes, from);
  const at = from + 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
  return flags & 8 ? bytes.readUInt32BE(at) : 0;
}

function* samplesOf(bytes, run, start, usual) {
  const flags = flagsAt(bytes, run.from);
  const count = bytes.readUInt32BE(run.from + 4);
  let at = run.from + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  let dts = start;
  for (let i = 0; i < count; i += 1) {
    const duration = flags & 0x100 ? bytes.readUInt32BE(at) : usual;
    at += (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0) + (flags & 0x400 ? 4 : 0);
    const offset = flags & 0x800 ? bytes.readInt32BE(at) : 0;
    at += flags & 0x800 ? 4 : 0;
    yield { dts, pts: dts + offset, duration };
    dts += duration;
  }
}

// {start, end, pts: [in order], lateBy: how long after it is shown the latest sample is decoded} of a media segment
// with one fragment, in its track's unit.
export function timesOf(bytes) {
  const decodeTime = find(bytes, ['moof', 'traf', 'tfdt']);
  const start = bytes[decodeTime.from] ? Number(bytes.readBigUInt64BE(decodeTime.from + 4)) : bytes.readUInt32BE(decodeTime.from + 4);
  const usual = defaultDuration(bytes, find(bytes, ['moof', 'traf', 'tfhd']));
  const samples = [...samplesOf(bytes, find(bytes, ['moof', 'traf', 'trun']), start, usual)];
  return {
    start,
    end: samples.reduce((end, { duration }) => end + duration, start),
    pts: samples.map(({ pts }) => pts).sort((a, b) => a - b),
    lateBy: Math.max(...samples.map(({ dts, pts }) => dts - pts)),
  };
}
