// Films that are not of the library, by their address.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWebFilm, webAddress, webFilm } from '../../www/web_film.js';

test('an address is https, and written as a browser writes it', () => {
  const written = {
    ' https://Films.example/a film.mp4 ': 'https://films.example/a%20film.mp4',
    'HTTPS://films.example:443/ä.mp4#t=3': 'https://films.example/%C3%A4.mp4',
    'https://films.example': 'https://films.example/',
  };
  for (const [text, href] of Object.entries(written)) assert.equal(webAddress(text)?.href, href);
  for (const text of ['', 'film', 'films.example/a.mp4', 'http://films.example/a.mp4', 'javascript:alert(1)', 'https://', 'https://me@films.example/', 'https://:secret@films.example/'])
    assert.equal(webAddress(text), null, text);
});

test('no id of the library is taken for an address', () => {
  assert.ok(isWebFilm('https://films.example/'));
  for (const id of ['', 'a-film', 'https', 'film-https-1']) assert.ok(!isWebFilm(id), id);
});

test('a film has a name that can be read, and what ends with .m3u8 is a stream', () => {
  const seen = (url) => (({ title, hls }) => [title, hls !== undefined])(webFilm(url));
  assert.deepEqual(seen('https://films.example/x/A%20Film.mp4?token=1'), ['A Film', false]);
  assert.deepEqual(seen('https://films.example/x/master.M3U8?y=.mp4'), ['master', true]);
  assert.deepEqual(seen('https://films.example/x.m3u8/'), ['films.example', false]);
  assert.deepEqual(seen('https://films.example/%E0%A4%A'), ['%E0%A4%A', false]);
  assert.deepEqual(seen('https://films.example'), ['films.example', false]);
});
