// The names of captions' languages, in the language of the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languageName } from '../../www/language_name.js';

test('a language has its name, whatever the server calls it', () => {
  assert.equal(languageName('fr', 'Französisch'), 'French');
  assert.equal(languageName('zh-hans'), 'Simplified Chinese');
});

test('what nobody knows keeps what it was called', () => {
  assert.equal(languageName('und', 'Whatever'), 'Captions');
  assert.equal(languageName('xqz', 'Xqz of the sea'), 'Xqz of the sea');
  assert.equal(languageName('not a tag', 'Something'), 'Something');
  assert.equal(languageName('not a tag'), 'not a tag');
});
