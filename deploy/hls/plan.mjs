// What becomes of a video: the renditions, ffmpeg's arguments, the playlists. Pure.

export const SEGMENT_S = 2;
const LADDER = [360, 720, 1080]; // "p": the shorter side in pixels
const THUMBNAILS_MAX = 100;
const THUMBNAIL = { width: 160, height: 90, columns: 10 };

const even = (pixels) => Math.max(2, 2 * Math.floor(pixels / 2 + 1e-6)); // never larger than the source

// Bits a second that a rendition may take: about 0.8, 2.7 and 5.5 million for the ladder's rungs.
function rateOf(short) {
  return Math.round((800_000 * (short / 360) ** 1.75) / 10_000) * 10_000;
}

// Renditions, the smallest first: [{name, width, height, rate}]. None is larger than the source; a
// source between two rungs gets one of its own size where that is worth it.
export function planLadder({ width, height }) {
  const source = Math.min(width, height);
  const rungs = LADDER.filter((short) => short <= source);
  const top = rungs.at(-1) ?? 0;
  if (source < LADDER.at(-1) && source > top * 1.2) rungs.push(even(source));
  return rungs.map((short) => {
    const scale = short > source - 2 ? 1 : short / source;
    return { name: `${short}p`, width: even(width * scale), height: even(height * scale), rate: rateOf(short) };
  });
}

// source: {file, sounds, isInterlaced}. Writes DIRECTORY/<rendition>/index.m3u8 and DIRECTORY/master.m3u8.
//
// All renditions come from one decoder and get key frames at the same times, so that a player may
// change between any two segments. A single sound is in every rendition: small players know no separate one. Of
// several each is one of its own.
export function encodeArguments({ file, sounds, isInterlaced }, ladder, directory, preset) {
  const isApart = sounds.length > 1;
  const split = ladder.map((_, i) => `[in${i}]`).join('');
  const scaled = ladder.map(({ width, height }, i) => `[in${i}]scale=${width}:${height},setsar=1[out${i}]`);
  const args = ['-i', file, '-filter_complex', [`[0:v:0]${isInterlaced ? 'bwdif=mode=send_frame,' : ''}format=yuv420p,split=${ladder.length}${split}`, ...scaled].join(';')];
  ladder.forEach(({ rate }, i) => {
    args.push('-map', `[out${i}]`, `-maxrate:v:${i}`, String(rate), `-bufsize:v:${i}`, String(2 * rate));
  });
  args.push('-c:v', 'libx264', '-preset', preset, '-crf', '21', '-profile:v', 'high', '-sc_threshold', '0',
    '-force_key_frames', `expr:gte(t,n_forced*${SEGMENT_S})`);
  if (sounds.length > 0) {
    for (const { index } of isApart ? sounds : ladder.map(() => sounds[0])) args.push('-map', `0:${index}`);
    args.push('-c:a', 'aac', '-b:a', '128k', '-ac', '2');
  }
  const first = Math.max(0, sounds.findIndex(({ isDefault }) => isDefault));
  const streams = [
    ...ladder.map(({ name }, i) => `v:${i},${isApart ? 'agroup:sound,' : sounds.length > 0 ? `a:${i},` : ''}name:${name}`),
    ...(isApart ? sounds.map(({ lang, index }, i) => `a:${i},agroup:sound,language:${lang},${i === first ? 'default:yes,' : ''}name:sound-${index}`) : []),
  ].join(' ');
  return [...args, '-sn', '-dn', '-map_chapters', '-1', '-map_metadata', '-1',
    '-f', 'hls', '-hls_time', String(SEGMENT_S), '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4',
    '-hls_flags', 'independent_segments', '-hls_segment_filename', `${directory}/%v/%05d.m4s`,
    '-master_pl_name', 'master.m3u8', '-var_stream_map', streams, `${directory}/%v/index.m3u8`];
}

// ffmpeg's master playlist with the names of sounds: [{index, label}] at sound-<index>/index.m3u8. No two are the same.
export function nameSounds(master, sounds) {
  const taken = new Set();
  return sounds.reduce((text, { index, label }) => {
    const plain = label.replaceAll(/["\r\n]/g, ' ');
    const name = taken.has(plain) ? `${plain} (${index})` : plain;
    taken.add(name);
    return text.replace(new RegExp(`^(#EXT-X-MEDIA:TYPE=AUDIO,.*)NAME="[^"]*"(.*URI="sound-${index}/)`, 'm'), (_, before, after) => `${before}NAME="${name}"${after}`);
  }, master);
}

// ffmpeg's master playlist with the captions: [{name, lang, label}] at captions/<name>.m3u8.
export function addCaptions(master, captions) {
  if (captions.length === 0) return master;
  const media = captions.map(({ name, lang, label }) =>
    `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="${label.replaceAll('"', "'")}",LANGUAGE="${lang}",`
    + `AUTOSELECT=YES,DEFAULT=NO,URI="captions/${name}.m3u8"\n`).join('');
  const streams = master.replace(/^(#EXT-X-STREAM-INF:.*)$/gm, '$1,SUBTITLES="captions"');
  return streams.replace(/^#EXT-X-STREAM-INF:/m, (first) => media + first);
}

// The playlist of captions that are one file.
export function captionsPlaylist(name, durationS) {
  return `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:${Math.ceil(durationS)}\n#EXT-X-PLAYLIST-TYPE:VOD\n`
    + `#EXTINF:${durationS.toFixed(3)},\n${name}.vtt\n#EXT-X-ENDLIST\n`;
}

// Pictures for the seek bar: {filter, vtt} of an image of at most a hundred.
export function planThumbnails(durationS, image) {
  const { width, height, columns } = THUMBNAIL;
  const intervalS = Math.max(1, Math.ceil((durationS * 1000) / THUMBNAILS_MAX) / 1000);
  const count = Math.max(1, Math.ceil(durationS / intervalS));
  const wide = Math.min(columns, count);
  const filter = `fps=1000/${Math.round(intervalS * 1000)}:eof_action=pass,tpad=stop=${THUMBNAILS_MAX}:stop_mode=clone,`
    + `scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:-1:-1,setsar=1,`
    + `tile=${wide}x${Math.ceil(count / wide)}`;
  const time = (s) => new Date(Math.round(s * 1000)).toISOString().slice(11, 23);
  const cues = Array.from({ length: count }, (_, i) => `\n${time(i * intervalS)} --> ${time((i + 1) * intervalS)}\n`
    + `${image}#xywh=${(i % wide) * width},${Math.floor(i / wide) * height},${width},${height}\n`);
  return { filter, vtt: `WEBVTT\n${cues.join('')}` };
}
