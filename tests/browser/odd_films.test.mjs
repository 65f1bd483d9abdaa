// Some of the odd films play in a browser: in step with film time, seen and heard. `make test-media` plays all.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { oddFilms } from '../support/odd_films.mjs';
import { openOddLibrary, playOddFilm, reasonOf } from '../support/odd_playing.mjs';

// One for each thing that has to be done to a film, and each that once went wrong.
const chosen = ['edit-list-ac3.mp4', 'open-groups-ac3.mkv', 'begins-at-100.mkv', 'cut-short-ac3.mkv', 'text.mp4'];

describe('odd films', { concurrency: 2 }, () => {
  let library;
  before(async () => {
    library = await openOddLibrary(chosen);
  });
  after(() => library?.close());

  for (const name of chosen) {
    const { form, reason } = oddFilms[name];
    if (reason) it(`${name} is no film, and says why`, async () => assert.match(await reasonOf(library, name), reason));
    else it(`${name} plays as ${form}, on time`, () => playOddFilm(library, name));
  }
});
