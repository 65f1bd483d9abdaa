// videosync-media: what it makes of a film lies where the film has it, by the tick and by the sample.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { decodeSegments, describe, lagOf, make, makerBinary, pictureTimes, readPlan, segmentTimes, soundOf } from '../support/maker.mjs';
import { cutShort, makeMedia } from '../support/media.mjs';
import { makePgs } from '../support/pgs.mjs';
import { projectRoot } from '../support/server.mjs';

const isSanitized = Boolean(process.env.VIDEOSYNC_SANITIZE);

const run = promisify(execFile);
const ffmpeg = (...words) => run('ffmpeg', ['-v', 'error', '-y', ...words]);
const SECONDS = 12;
const segmentTicks = 180_000;

let folder;
const at = (name) => path.join(folder, name);

// A film with B frames, key frames where scenes need them, 29.97 pictures a second, and noise, which fits at
// one place alone.
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'videosync-maker-'));
  await ffmpeg('-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=30000/1001:duration=${SECONDS}`,
    '-f', 'lavfi', '-i', `anoisesrc=duration=${SECONDS}:color=pink:sample_rate=48000:amplitude=0.3:seed=3`,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '3', '-b_strategy', '0', '-g', '75', '-pix_fmt', 'yuv420p', '-c:a', 'pcm_s16le', at('base.mkv'));
});
after(() => rm(folder, { recursive: true, force: true }));

const fresh = async (name) => {
  await mkdir(at(name), { recursive: true });
  return at(name);
};

// Everything about a film whose picture can be copied: both forms of the picture, and its sound.
async function checkFilm(t, film) {
  const name = path.basename(film);
  const plan = at(`${name}.plan`);
  let facts = await describe(film, '--plan', plan);
  if (!facts.segments) facts = { ...facts, ...JSON.parse((await make('plan', film, '--plan', plan)).trim().split('\n').at(-1)) };
  const { starts, end } = await readPlan(plan);
  const want = await pictureTimes(film);

  await t.test('the copied picture', async () => {
    const whole = await fresh(`${name}-copy`);
    await make('video', film, '--plan', plan, '--out', whole, '--from', 0, '--count', 1_000);
    const made = [];
    for (let i = 0; i < starts.length; i += 1) {
      const times = await segmentTimes(whole, i);
      assert.equal(times.start, starts[i], `segment ${i} begins where the playlist says`);
      assert.equal(times.end, starts[i + 1] ?? end, `segment ${i} ends where the next one begins`);
      const isOpen = times.pts[0] < times.start; // a group with pictures that are shown before its key frame
      assert.ok(isOpen || times.lateBy <= 0, `a picture of segment ${i} is decoded ${times.lateBy} ticks after it is shown`);
      made.push(...times.pts);
    }
    made.sort((a, b) => a - b);
    assert.equal(made.length, want.length);
    want.forEach((time, i) => assert.ok(Math.abs(time - made[i]) <= 1, `picture ${i}: ${made[i]} instead of ${time}`));

    const alone = await fresh(`${name}-alone`);
    const last = starts.length - 1;
    await make('video', film, '--plan', plan, '--out', alone, '--from', last, '--count', 1);
    assert.ok((await readFile(path.join(alone, `${last}.m4s`))).equals(await readFile(path.join(whole, `${last}.m4s`))), 'another run makes the same bytes');
  });
  await t.test('the sound', () => checkSound(film, facts));
  await t.test('the picture made anew', () => checkPicture(film, facts, want));
  return facts;
}

async function checkSound(film, { audio: [track], durationMs }) {
  const name = path.basename(film);
  const endTicks = durationMs * 90;
  const count = Math.ceil((durationMs / 1_000) * track.rate / track.segmentSamples);
  const order = ['--track', track.index, '--end-ticks', endTicks];
  const whole = await fresh(`${name}-sound`);
  await make('sound', film, ...order, '--out', whole, '--from', 0, '--count', count);
  const source = await soundOf(film, track.rate);
  for (const number of [1, count - 2]) {
    const alone = await fresh(`${name}-sound-${number}`);
    await make('sound', film, ...order, '--out', alone, '--from', number, '--count', 1);
    const begin = number * track.segmentSamples;
    assert.equal((await segmentTimes(alone, number)).start, begin);
    const samples = await decodeSegments(alone, [number], track.rate);
    const { lag, likeness } = lagOf(samples, source.samples, begin + source.zero);
    assert.ok(likeness > 0.75, `segment ${number} is the film's sound (${likeness})`);
    assert.equal(lag, 0, `segment ${number} lies at its place`);
    // Where a run meets another one there is no step: both have the same there.
    const other = await decodeSegments(whole, [number], track.rate);
    assert.equal(lagOf(samples, other, 0).lag, 0);
  }
  const last = await segmentTimes(whole, count - 1);
  assert.ok(Math.abs(last.end / track.rate - durationMs / 1_000) < 0.025, `sound ends at ${last.end / track.rate}`);
}

async function checkPicture(film, { durationMs }, want) {
  const out = await fresh(`${path.basename(film)}-picture`);
  const endTicks = durationMs * 90;
  const from = Math.floor(durationMs / 4_000);
  await make('picture', film, '--height', 90, '--end-ticks', endTicks, '--out', out, '--from', from, '--count', 2);
  for (const number of [from, from + 1]) {
    const [begin, end] = [number * segmentTicks, Math.min((number + 1) * segmentTicks, endTicks)];
    const { pts, lateBy } = await segmentTimes(out, number);
    assert.ok(lateBy <= 0, `a picture of segment ${number} is decoded ${lateBy} ticks after it is shown`);
    const due = want.filter((time) => time >= begin - 0.5 && time < end - 0.5);
    assert.equal(pts.length, due.length, `segment ${number}`);
    due.forEach((time, i) => assert.ok(Math.abs(time - pts[i]) <= 1, `picture at ${time}: ${pts[i]}`));
  }
}

for (const [codec, ending, ...options] of [
  ['ac3', 'mkv'], ['ac3', 'mp4'], ['eac3', 'mkv'], ['dca', 'mkv', '-strict', '-2'],
  ['alac', 'mp4'], ['flac', 'mkv'], ['aac', 'mkv'], ['libmp3lame', 'mkv'],
]) {
  test(`${codec} in ${ending}`, async (t) => {
    const film = at(`${codec}.${ending}`);
    await ffmpeg('-i', at('base.mkv'), '-c:v', 'copy', '-c:a', codec, ...options, film);
    await checkFilm(t, film);
  });
}

test('44.1 kHz stays as it is', async (t) => {
  await ffmpeg('-i', at('base.mkv'), '-c:v', 'copy', '-c:a', 'aac', '-ar', '44100', at('44.mp4'));
  const { audio } = await checkFilm(t, at('44.mp4'));
  assert.equal(audio[0].rate, 44_100);
});

test('a film whose beginning an edit list cuts off says what is before', async () => {
  await ffmpeg('-i', at('base.mkv'), '-c:v', 'copy', '-an', at('uncut.mp4'));
  assert.equal((await describe(at('uncut.mp4'))).startMs, 0);
  await ffmpeg('-ss', '1.4', '-i', at('uncut.mp4'), '-c', 'copy', at('edited.mp4'));
  const { startMs } = await describe(at('edited.mp4'));
  assert.ok(Math.abs(startMs - 1_400) < 100, `${startMs} ms`);
});

test('a film whose times begin at 100 s begins at 0', async (t) => {
  await ffmpeg('-i', at('base.mkv'), '-c:v', 'copy', '-c:a', 'ac3', '-output_ts_offset', '100', at('late.mkv'));
  const { startMs, durationMs, endsEarly } = await checkFilm(t, at('late.mkv'));
  assert.ok(Math.abs(startMs - 100_000) < 50);
  assert.ok(Math.abs(durationMs - SECONDS * 1_000) < 100);
  assert.equal(endsEarly, false);
});

test('a film without an index and without a duration is read once', async (t) => {
  await ffmpeg('-i', at('base.mkv'), '-c:v', 'copy', '-c:a', 'ac3', '-live', '1', at('live.mkv'));
  const { durationMs } = await checkFilm(t, at('live.mkv'));
  assert.ok(Math.abs(durationMs - SECONDS * 1_000) < 100);
});

test('a transport stream', async (t) => {
  await ffmpeg('-i', at('base.mkv'), '-c:v', 'copy', '-c:a', 'aac', at('a.ts'));
  await checkFilm(t, at('a.ts'));
});

test('open groups of pictures', async (t) => {
  await ffmpeg('-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=25:duration=${SECONDS}`, '-i', at('base.mkv'), '-map', '0:v', '-map', '1:a',
    '-c:v', 'libx264', '-preset', 'veryfast', '-x264-params', 'open-gop=1:keyint=60:bframes=3', '-pix_fmt', 'yuv420p', '-c:a', 'ac3', at('open.mkv'));
  const { video } = await checkFilm(t, at('open.mkv'));
  assert.equal(video.copyable, false, 'some players begin with instantaneous refreshes alone');
});

test('a single key frame: the picture is made anew, and from the middle, too', async () => {
  await ffmpeg('-i', at('base.mkv'), '-an', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10000', '-sc_threshold', '0', at('single.mp4'));
  const facts = await describe(at('single.mp4'), '--plan', at('single.plan'));
  assert.equal(facts.segments, 1);
  await checkPicture(at('single.mp4'), facts, await pictureTimes(at('single.mp4')));
});

test('MPEG-4 in avi, MPEG-2 with fields, a turned film: upright, square, progressive, even', async () => {
  const sizeOf = async (film, words) => {
    const { durationMs, video } = await describe(film);
    const out = await fresh(`${path.basename(film)}-p`);
    await make('picture', film, '--end-ticks', durationMs * 90, '--out', out, '--from', 1, '--count', 1, ...words);
    await writeFile(path.join(out, 'one.mp4'), Buffer.concat([await readFile(path.join(out, 'init.mp4')), await readFile(path.join(out, '1.m4s'))]));
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=width,height,sample_aspect_ratio,field_order,pix_fmt,level', '-of', 'json', path.join(out, 'one.mp4')]);
    const pictures = (await segmentTimes(out, 1)).pts.length;
    assert.ok(Math.abs(pictures - 2 * video.fps) < 1, `${film}: ${pictures} pictures in 2 s`);
    return JSON.parse(stdout).streams[0];
  };
  await ffmpeg('-i', at('base.mkv'), '-t', '6', '-c:v', 'mpeg4', '-bf', '2', '-c:a', 'libmp3lame', at('asp.avi'));
  assert.equal((await sizeOf(at('asp.avi'), [])).height, 90);
  await ffmpeg('-i', at('base.mkv'), '-t', '6', '-vf', 'scale=144:120,setdar=16/9,setfield=tff', '-c:v', 'mpeg2video', '-flags', '+ilme+ildct', '-top', '1', '-c:a', 'mp2', at('fields.mpg'));
  const fields = await sizeOf(at('fields.mpg'), []);
  assert.deepEqual([fields.width, fields.height, fields.sample_aspect_ratio, fields.field_order], [214, 120, '1:1', 'progressive']);
  await ffmpeg('-i', at('base.mkv'), '-t', '6', '-c', 'copy', '-c:a', 'aac', '-metadata:s:v', 'rotate=90', at('turned.mp4'));
  // That ffmpeg turns the other way.
  assert.equal((await describe(at('turned.mp4'))).video.rotation, 270);
  const turned = await sizeOf(at('turned.mp4'), ['--height', 64]);
  assert.ok(turned.height > turned.width && turned.width <= 64, JSON.stringify(turned));
  await ffmpeg('-i', at('base.mkv'), '-t', '6', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', '-color_trc', 'smpte2084', '-color_primaries', 'bt2020', '-colorspace', 'bt2020nc', '-an', at('hdr.mp4'));
  assert.equal((await describe(at('hdr.mp4'))).video.hdr, true);
  assert.equal((await sizeOf(at('hdr.mp4'), [])).pix_fmt, 'yuv420p');
});

test('a copied picture is turned, and its pixels are as wide, as its container says', async () => {
  await ffmpeg('-i', at('base.mkv'), '-t', '6', '-an', '-c', 'copy', '-metadata:s:v', 'rotate=90', '-aspect', '4:3', at('shown.mp4'));
  const plan = at('shown.plan');
  await describe(at('shown.mp4'), '--plan', plan);
  const out = await fresh('shown');
  await make('video', at('shown.mp4'), '--plan', plan, '--out', out, '--from', 0, '--count', 1);
  const shapeOf = async (film) => (await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=display_aspect_ratio:stream_side_data=rotation', '-of', 'csv=p=0', film])).stdout;
  await writeFile(path.join(out, 'one.mp4'), Buffer.concat([await readFile(path.join(out, 'init.mp4')), await readFile(path.join(out, '0.m4s'))]));
  const shape = await shapeOf(at('shown.mp4'));
  assert.match(shape, /4:3/);
  assert.match(shape, /90/);
  assert.equal(await shapeOf(path.join(out, 'one.mp4')), shape);
});

test('of 120 pictures a second 60 are shown, at their own times', async () => {
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=120:duration=5', '-c:v', 'mpeg4', '-g', '60', at('fast.mp4'));
  const [whole, alone] = [await fresh('fast'), await fresh('fast-alone')];
  await make('picture', at('fast.mp4'), '--end-ticks', 450_000, '--out', whole, '--from', 0, '--count', 3);
  await make('picture', at('fast.mp4'), '--end-ticks', 450_000, '--out', alone, '--from', 1, '--count', 1);
  const { pts } = await segmentTimes(whole, 1);
  assert.deepEqual(pts, Array.from({ length: 120 }, (_, i) => segmentTicks + i * 1_500));
  assert.deepEqual((await segmentTimes(alone, 1)).pts, pts);
});

test('5.1 stays 5.1 where it is asked for', async () => {
  await ffmpeg('-i', at('base.mkv'), '-t', '6', '-c:v', 'copy', '-c:a', 'ac3', '-ac', '6', at('surround.mkv'));
  const { audio: [track], durationMs } = await describe(at('surround.mkv'));
  assert.equal(track.channels, 6);
  const out = await fresh('surround');
  await make('sound', at('surround.mkv'), '--track', track.index, '--channels', 6, '--end-ticks', durationMs * 90, '--out', out);
  await decodeSegments(out, [0], 48_000);
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=channels', '-of', 'csv=p=0', path.join(out, 'joined-0.mp4')]);
  assert.equal(Number.parseInt(stdout, 10), 6);
});

test('a hole of hours in the sound costs no memory', { skip: isSanitized && 'a sanitizer needs more addresses than any limit leaves' }, async () => {
  // Half a GiB is enough for the program; the silence of ten hours would be 14 GB.
  const bounded = (...words) => run('sh', ['-c', 'ulimit -v 524288 && exec "$@"', 'sh', makerBinary(), ...words.map(String)]);
  const pcm = ['-c:a', 'pcm_s16le', '-ar', '48000', '-ac', '2'];
  await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=3', ...pcm, at('one.mka'));
  await writeFile(at('hole.txt'), `file ${at('one.mka')}\nduration 36000\nfile ${at('one.mka')}\n`);
  await ffmpeg('-f', 'concat', '-safe', '0', '-i', at('hole.txt'), '-c', 'copy', at('hole.mka'));
  const out = await fresh('hole');
  await bounded('sound', at('hole.mka'), '--track', 0, '--end-ticks', 36_003 * 90_000, '--out', out, '--from', 0, '--count', 2);
  const { audio: [{ segmentSamples }] } = await describe(at('hole.mka'));
  for (const number of [0, 1]) assert.equal((await segmentTimes(out, number)).start, number * segmentSamples);
  const samples = await decodeSegments(out, [0, 1], 48_000);
  const loudest = (from, to) => samples.subarray(from * 48_000, to * 48_000).reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  assert.ok(loudest(1, 2) > 0.1 && loudest(3.5, 7.5) < 0.001, 'sound, and then silence');
});

test('a file that was cut short says so, and where it ends', async () => {
  await ffmpeg('-i', at('base.mkv'), '-c:v', 'copy', '-c:a', 'ac3', '-movflags', '+faststart', at('cut.mp4'));
  const whole = (await run('ffprobe', ['-v', 'error', '-show_entries', 'format=size', '-of', 'csv=p=0', at('cut.mp4')])).stdout;
  await truncate(at('cut.mp4'), Math.floor(Number(whole) / 2));
  const facts = await describe(at('cut.mp4'), '--plan', at('cut.plan'));
  assert.equal(facts.endsEarly, true);
  assert.ok(facts.durationMs > SECONDS * 220 && facts.durationMs < SECONDS * 780, String(facts.durationMs));
  const { starts, end } = await readPlan(at('cut.plan'));
  assert.ok(starts.at(-1) < end && Math.abs(end / 90 - facts.durationMs) < 500);
});

test('so does one that ends with a key frame, of which nothing follows', async () => {
  const media = await makeMedia([{ name: 'film', seconds: 30 }]);
  const film = path.join(media.directory, 'film.mp4');
  await cutShort(film, 12);
  const { endsEarly, durationMs } = await describe(film);
  assert.equal(endsEarly, true);
  assert.ok(Math.abs(durationMs - 12_000) < 100, String(durationMs));
  await media.remove();
});

test('subtitles do not move the end of a film, however late or long they are', async () => {
  // The picture's key frames are 15 s apart, so that where there are no cues reading on shows it.
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x36:rate=5:duration=40', '-f', 'lavfi', '-i', 'sine=duration=40', '-c:v', 'libx264', '-preset', 'ultrafast',
    '-g', '75', '-sc_threshold', '0', '-pix_fmt', 'yuv420p', '-c:a', 'aac', at('forty.mkv'));
  const hide = (bytes, name, by) => {
    for (let found = bytes.indexOf(name); found >= 0; found = bytes.indexOf(name, found)) by.copy(bytes, found);
    return bytes;
  };
  const untagged = (bytes) => hide(bytes, Buffer.from('DURATION'), Buffer.from('NOTATION'));
  const uncued = (bytes) => hide(bytes, Buffer.from('1c53bb6b', 'hex'), Buffer.from('1c53bb6c', 'hex'));
  for (const [name, lines] of [['late', '00:01:00,000 --> 00:01:02,000'], ['little-late', '00:00:41,000 --> 00:00:43,000'], ['long', '00:00:02,000 --> 1193:03:56,000']]) {
    await writeFile(at(`${name}.srt`), `1\n00:00:01,000 --> 00:00:01,500\nA\n\n2\n${lines}\nB\n`);
    await ffmpeg('-i', at('forty.mkv'), '-i', at(`${name}.srt`), '-map', '0', '-map', '1', '-c', 'copy', '-c:s', 'srt', at(`${name}.mkv`));
    const whole = await readFile(at(`${name}.mkv`));
    for (const [kind, mended] of [['tagged', whole], ['untagged', untagged(Buffer.from(whole))], ['uncued', uncued(Buffer.from(whole))], ['bare', uncued(untagged(Buffer.from(whole)))]]) {
      const film = at(`${name}-${kind}.mkv`);
      await writeFile(film, mended);
      const { durationMs, endsEarly, segments } = await describe(film);
      assert.equal(endsEarly, false, film);
      if (kind === 'bare') assert.equal(durationMs, undefined, `${film}: only reading it tells`);
      else assert.ok(Math.abs(durationMs - 40_000) < 100, `${film}: ${durationMs}`);
      assert.equal(segments, { tagged: 3, untagged: 3 }[kind], film);
    }
  }
  const read = JSON.parse((await make('plan', at('long-bare.mkv'), '--plan', at('long.plan'))).trim().split('\n').at(-1));
  assert.ok(Math.abs(read.durationMs - 40_000) < 100, JSON.stringify(read));
});

test('a film of sound alone begins with its sound, though subtitles come before it', async () => {
  await writeFile(at('first.srt'), '1\n00:00:00,000 --> 00:00:01,000\nA\n');
  await ffmpeg('-itsoffset', '0.5', '-f', 'lavfi', '-i', 'sine=duration=3', '-i', at('first.srt'), '-map', '0', '-map', '1', '-c:a', 'flac', '-c:s', 'srt', at('first.mkv'));
  assert.equal((await describe(at('first.mkv'))).startMs, 500);
});

test('a picture with which a segment should begin, and which is not there, is not waited for', async () => {
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x36:rate=5:duration=60', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-sc_threshold', '0', '-pix_fmt', 'yuv420p', at('gap.mkv'));
  const plan = at('gap.plan');
  await describe(at('gap.mkv'), '--plan', plan);
  const { starts } = await readPlan(plan);
  const [head, ...cuts] = (await readFile(plan, 'utf8')).trim().split('\n');
  cuts[2] = cuts[2].replace(/^\d+/, (mark) => Number(mark) + 1);
  await writeFile(plan, [head, ...cuts, ''].join('\n'));
  const out = await fresh('gap');
  for (const from of [1, 2]) {
    const { code, stderr } = await make('video', at('gap.mkv'), '--plan', plan, '--out', out, '--from', from, '--count', 3).catch((error) => error);
    assert.equal(code, 1, stderr);
    assert.match(stderr, from === 1 ? /lacks a picture/ : /cannot be read at this place/);
  }
  assert.equal((await segmentTimes(out, 1)).end, starts[2], 'what can be made ends where the playlist says');
});

test('a last key frame of which half is missing is no segment', async () => {
  const media = await makeMedia([{ name: 'film', seconds: 30 }]);
  const film = path.join(media.directory, 'film.mp4');
  await cutShort(film, 12, { inPicture: true });
  const { endsEarly, segments } = await describe(film, '--plan', at('half.plan'));
  const { starts } = await readPlan(at('half.plan'));
  assert.deepEqual([endsEarly, segments], [true, starts.length]);
  assert.ok(starts.at(-1) < 12 * 90_000, String(starts));
  await media.remove();
});

test('what is no film says why', async () => {
  const reason = async (name, bytes) => {
    await writeFile(at(name), bytes);
    const { code, stderr } = await describe(at(name)).catch((error) => error);
    assert.equal(code, 1);
    return stderr.trim();
  };
  assert.match(await reason('text.mp4', 'hello, this is no film\n'.repeat(99)), /no film/);
  assert.match(await reason('zero.mp4', ''), /is empty/);
  assert.match(await reason('list.mp4', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://127.0.0.1:9/a.ts\n'), /no film/);
  const missing = await describe(at('nothing.mp4')).catch((error) => error);
  assert.match(missing.stderr, /cannot be read: No such file/);
  const wrong = await run(makerBinary(), ['explain', 'x']).catch((error) => error);
  assert.equal(wrong.code, 2);
});

test('a disk that cannot be read is no fault of the film', { skip: isSanitized && 'a sanitizer is to be loaded before all else' }, async () => {
  const library = at('failing_reads.so');
  await run(process.env.VIDEOSYNC_CC ?? 'cc', ['-shared', '-fPIC', '-O1', '-o', library, path.join(projectRoot, 'tests/support/failing_reads.c'), '-ldl']);
  const out = await fresh('failing');
  const plan = at('failing.plan');
  for (const film of ['failing.mkv', 'failing.mp4', 'failing.ts'].map(at)) {
    await ffmpeg('-i', at('base.mkv'), '-c:v', 'copy', '-c:a', 'ac3', '-movflags', '+faststart', film);
    const { audio: [{ index }], segments } = await describe(film, '--plan', plan);
    if (!segments) await make('plan', film, '--plan', plan);
    const { size } = await stat(film);
    const refused = async (from, verb, ...words) => {
      const env = { ...process.env, LD_PRELOAD: library, FAILING_FILE: film, FAILING_FROM: from };
      const error = await run(makerBinary(), [verb, film, ...words.map(String)], { env }).catch((one) => one);
      assert.equal(error.code, 4, `${verb} of ${film} from ${from}: ${error.stderr}`);
      assert.match(error.stderr, /cannot be read: Input.output error/);
    };
    const half = Math.floor(size / 2);
    await refused(0, 'describe');
    await refused(half, 'plan', '--plan', at('failed.plan'));
    await refused(half, 'video', '--plan', plan, '--out', out, '--count', 99);
    await refused(half, 'sound', '--track', index, '--end-ticks', SECONDS * 90_000, '--out', out, '--count', 99);
    await refused(half, 'picture', '--end-ticks', SECONDS * 90_000, '--height', 90, '--out', out, '--count', 99);
  }
  await writeFile(at('failing.srt'), caption.repeat(9));
  const env = { ...process.env, LD_PRELOAD: library, FAILING_FILE: at('failing.srt'), FAILING_FROM: 64 };
  assert.equal((await run(makerBinary(), ['convert', at('failing.srt')], { env }).catch((error) => error)).code, 4);
  assert.equal((await run(makerBinary(), ['convert', at('missing.srt')]).catch((error) => error)).code, 4);
});

test('what cannot be written says whether there is room', async () => {
  await ffmpeg('-i', at('base.mkv'), '-t', '8', '-c:v', 'copy', '-c:a', 'ac3', at('written.mkv'));
  const plan = at('written.plan');
  await describe(at('written.mkv'), '--plan', plan);
  const out = await fresh('written');
  const sh = (script, ...words) => run('bash', ['-c', script, 'bash', makerBinary(), ...words]).then(() => ({ code: 0 }), (error) => error);
  const copy = ['video', at('written.mkv'), '--plan', plan, '--out'];
  const ends = async (code, words, answer) => {
    const error = await answer;
    assert.deepEqual([error.code, words.test(error.stderr)], [code, true], error.stderr);
  };
  await ends(3, /File too large/, sh('ulimit -f 4; exec "$@"', ...copy, out));
  await ends(3, /No space left/, sh('exec "$@" > /dev/full', ...copy, out));
  await ends(3, /No space left/, sh('exec "$@" > /dev/full', 'describe', at('written.mkv')));
  await ends(5, /Bad file descriptor/, sh('exec "$@" 1< /dev/null', ...copy, out));
  await ends(5, /Broken pipe/, sh('exec 3> >(exec true); wait $!; exec "$@" >&3', 'describe', at('written.mkv')));
  await ends(5, /No such file/, sh('exec "$@"', ...copy, at('gone')));
  await rm(plan);
  await ends(5, /the plan cannot be read/, sh('exec "$@"', ...copy, out));
});

const caption = '1\n00:00:01,000 --> 00:00:02,500\n<i>Grüße</i> & <b>mehr</b>\n\n2\n00:00:04,000 --> 00:00:05,000\nÇa va?\n';
const expected = 'WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<i>Grüße</i> &amp; <b>mehr</b>\n\n00:00:04.000 --> 00:00:05.000\nÇa va?\n\n';

test('subtitles beside a film, in every usual charset and whatever their name says', async () => {
  const utf16 = Buffer.from(caption, 'utf16le');
  for (const [name, bytes] of [
    ['a.srt', Buffer.from(caption)], ['bom.srt', Buffer.from(`\ufeff${caption}`)], ['latin.srt', Buffer.from(caption, 'latin1')],
    ['wide.srt', utf16], ['marked.srt', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])],
    ['big.srt', Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])], ['named.vtt', Buffer.from(caption)],
  ]) {
    await writeFile(at(name), bytes);
    assert.equal(await make('convert', at(name)), expected, name);
  }
  await writeFile(at('none.srt'), 'nothing at all');
  assert.equal((await make('convert', at('none.srt')).catch((error) => error)).code, 1);
});

test('ASS keeps what WebVTT has words for', async () => {
  await writeFile(at('a.ass'), `[Script Info]\nScriptType: v4.00+\nPlayResX: 640\nPlayResY: 360\n\n[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\nStyle: Default,Arial,20,&H00FFFFFF,2\nStyle: Sign,Arial,20,&H00FFFFFF,8\n
[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}one{\\i0}\\Ntwo
Dialogue: 0,0:00:03.00,0:00:04.00,Sign,,0,0,0,,{\\pos(160,90)}{\\c&H0000FF&}red{\\p1}m 0 0 l 1 1{\\p0}\n`);
  assert.equal(await make('convert', at('a.ass')),
    'WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<i>one</i>\ntwo\n\n00:00:03.000 --> 00:00:04.000 position:25% line:25%\n<c.red>red</c>\n\n');
});

test('subtitles inside a film, in film time', async () => {
  await writeFile(at('in.srt'), caption);
  await ffmpeg('-i', at('base.mkv'), '-i', at('in.srt'), '-t', '8', '-map', '0:v', '-map', '1', '-map', '1', '-c:v', 'copy', '-c:s', 'srt',
    '-metadata:s:s:0', 'language=ger', '-metadata:s:s:1', 'language=fre', '-disposition:s:1', 'forced', '-output_ts_offset', '50', at('subs.mkv'));
  const { subtitles } = await describe(at('subs.mkv'));
  assert.deepEqual(subtitles.map(({ lang, forced, text }) => [lang, forced, text]), [['ger', false, true], ['fre', true, true]]);
  const out = await fresh('subs');
  await make('subtitles', at('subs.mkv'), '--out', out);
  for (const { index } of subtitles) assert.equal(await readFile(path.join(out, `${index}.vtt`), 'utf8'), expected);
});

test('subtitles that are pictures lie on the shown picture, whatever shape its pixels and theirs have', async () => {
  const cue = { from: 200, to: 900, x: 100, y: 200, w: 16, h: 16 };
  for (const [plane, picture, grid, at0] of [
    [[1920, 1080], 'scale=144:108,setsar=4/3', [1920, 1080], [100, 200]],
    [[1920, 1080], 'scale=144:80,setsar=4/3', [1920, 800], [100, 60]],
    [[1920, 1080], 'scale=192:108,setsar=1', [1920, 1080], [100, 200]],
    [[720, 576], 'scale=720:576,setsar=64/45', [720, 576], [100, 200]],
    [[720, 576], 'scale=720:432,setsar=64/45', [720, 432], [100, 128]],
    [[720, 576], 'scale=256:144,setsar=1', [720, 576], [100, 200]],
    [[720, 480], 'scale=256:192,setsar=1', [720, 480], [100, 200]],
  ]) {
    const name = `${plane.join('-')}-${picture.replaceAll(/[^\d]/g, '-')}`;
    await writeFile(at(`${name}.sup`), makePgs(plane, [cue]));
    await ffmpeg('-f', 'lavfi', '-i', 'color=duration=2:rate=5', '-i', at(`${name}.sup`), '-map', '0', '-map', '1', '-vf', picture, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:s', 'copy', at(`${name}.mkv`));
    const out = await fresh(name);
    await make('pictures', at(`${name}.mkv`), '--track', 1, '--out', out);
    const { width, height, cues: [{ x, y }] } = JSON.parse(await readFile(path.join(out, '0.json'), 'utf8'));
    assert.deepEqual([[width, height], [x, y]], [grid, at0], name);
  }
});

test('the cover that is in the file', async () => {
  await ffmpeg('-f', 'lavfi', '-i', 'color=red:size=64x64', '-frames:v', '1', at('cover.jpg'));
  await ffmpeg('-i', at('base.mkv'), '-i', at('cover.jpg'), '-t', '2', '-map', '0', '-map', '1', '-c', 'copy', '-c:a', 'aac', '-disposition:v:1', 'attached_pic', at('covered.mp4'));
  assert.ok((await describe(at('covered.mp4'))).cover > 0);
  const { stdout } = await run(makerBinary(), ['cover', at('covered.mp4')], { encoding: 'buffer' });
  assert.ok(stdout.equals(await readFile(at('cover.jpg'))));
  assert.equal((await make('cover', at('base.mkv')).catch((error) => error)).code, 1);
});
