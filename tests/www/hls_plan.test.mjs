// What `make hls` decides before it encodes anything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addCaptions, captionsPlaylist, encodeArguments, nameSounds, planLadder, planThumbnails } from '../../deploy/hls/plan.mjs';

const sizes = (width, height) => planLadder({ width, height }).map((rung) => `${rung.width}x${rung.height}`);

test('the renditions fit the source and none is larger', () => {
  assert.deepEqual(sizes(3840, 2160), ['640x360', '1280x720', '1920x1080']);
  assert.deepEqual(sizes(1280, 720), ['640x360', '1280x720']);
  assert.deepEqual(sizes(854, 480), ['640x360', '854x480']);
  assert.deepEqual(sizes(640, 360), ['640x360']);
  assert.deepEqual(sizes(640, 400), ['576x360']);
  assert.deepEqual(sizes(321, 181), ['320x180']);
  assert.deepEqual(sizes(1080, 1920), ['360x640', '720x1280', '1080x1920']);
  assert.deepEqual(sizes(1920, 800), ['864x360', '1728x720']);
});

test('a larger rendition may take more', () => {
  const rates = planLadder({ width: 1920, height: 1080 }).map(({ rate }) => rate);
  assert.ok(rates[0] >= 700_000 && rates[0] < rates[1] && rates[1] < rates[2] && rates[2] < 8_000_000, String(rates));
});

test('each rendition is mapped with its sound, or without where there is none', () => {
  const ladder = planLadder({ width: 1280, height: 720 });
  const value = (args, name) => args[args.indexOf(name) + 1];
  const loud = encodeArguments({ file: 'a.mp4', sounds: [{ index: 1 }] }, ladder, '/out', 'fast');
  assert.equal(value(loud, '-var_stream_map'), 'v:0,a:0,name:360p v:1,a:1,name:720p');
  assert.equal(loud.filter((argument) => argument === '0:1').length, 2);
  const silent = encodeArguments({ file: 'a.mp4', sounds: [] }, ladder, '/out', 'fast');
  assert.equal(value(silent, '-var_stream_map'), 'v:0,name:360p v:1,name:720p');
  assert.ok(!silent.includes('0:1'));
});

test('several sounds are renditions of their own, with names that differ; fields become pictures', () => {
  const ladder = planLadder({ width: 640, height: 360 });
  const sounds = [{ index: 1, lang: 'de', label: 'A "B"' }, { index: 3, lang: 'en', label: 'English', isDefault: true }, { index: 4, lang: 'en', label: 'English' }];
  const args = encodeArguments({ file: 'a.mp4', sounds, isInterlaced: true }, ladder, '/out', 'fast');
  assert.equal(args[args.indexOf('-var_stream_map') + 1], 'v:0,agroup:sound,name:360p a:0,agroup:sound,language:de,name:sound-1'
    + ' a:1,agroup:sound,language:en,default:yes,name:sound-3 a:2,agroup:sound,language:en,name:sound-4');
  assert.match(args[args.indexOf('-filter_complex') + 1], /^\[0:v:0\]bwdif/);
  const master = sounds.map(({ index }, i) => `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="audio_${i}",URI="sound-${index}/index.m3u8"\n`).join('');
  assert.deepEqual(nameSounds(master, sounds).match(/(?<=NAME=")[^"]*/g), ['A  B ', 'English', 'English (4)']);
});

test('captions stand before the first rendition, and each rendition names them', () => {
  const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n#EXT-X-STREAM-INF:BANDWIDTH=2\nb\n';
  assert.equal(addCaptions(master, []), master);
  const lines = addCaptions(master, [{ name: 'en.sdh', lang: 'en', label: 'The "English"' }]).split('\n');
  assert.equal(lines[1], '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="The \'English\'",LANGUAGE="en",'
    + 'AUTOSELECT=YES,DEFAULT=NO,URI="captions/en.sdh.m3u8"');
  assert.equal(lines.filter((line) => /^#EXT-X-STREAM-INF:.*,SUBTITLES="captions"$/.test(line)).length, 2);
  assert.match(captionsPlaylist('en', 12.5), /TARGETDURATION:13\n[^]*#EXTINF:12\.500,\nen\.vtt\n#EXT-X-ENDLIST/);
});

test('thumbnails cover every length with at most a hundred', () => {
  for (const [durationS, count] of [[0.5, 1], [5, 5], [100, 100], [7200, 100]]) {
    const { vtt } = planThumbnails(durationS, 'x.jpg');
    assert.equal(vtt.match(/-->/g).length, count);
  }
  assert.match(planThumbnails(7200, 'x.jpg').vtt, /01:58:48\.000 --> 02:00:00\.000\nx\.jpg#xywh=1440,810,160,90\n$/);
});
