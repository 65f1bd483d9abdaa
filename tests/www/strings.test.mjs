// The words of the pages: every language says everything, and the html files name nothing else.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import '../../www/strings/home.js';
import english from '../../www/strings/en.js';
import { chooseLanguage, chooseLocale, languages, wordsOf } from '../../www/strings/index.js';
import { attributes, lookUp } from '../../www/strings/page.js';
import { bringingWords } from '../../www/strings/bringing.js';
import { emojiWords } from '../../www/strings/emoji.js';
import { helpWords } from '../../www/strings/help.js';
import { passwordWords } from '../../www/strings/password.js';
import { pickerWords } from '../../www/strings/picker.js';

const www = new URL('../../www/', import.meta.url);
const pages = readdirSync(www).filter((name) => name.endsWith('.html'));

// 'home.tooMany' -> 'function(1)'
function kindsOf(strings, prefix = '', kinds = new Map()) {
  for (const [key, value] of Object.entries(strings)) {
    const path = prefix + key;
    if (Array.isArray(value)) kinds.set(path, `list(${value.length})`);
    else if (typeof value === 'object') kindsOf(value, `${path}.`, kinds);
    else kinds.set(path, typeof value === 'function' ? `function(${value.length})` : typeof value);
  }
  return kinds;
}

for (const language of Object.keys(languages).filter((name) => name !== 'en')) {
  test(`${language} has what English has, in the same order and of the same kinds`, async () => {
    const kinds = [...kindsOf(await wordsOf('en'))];
    assert.ok(kinds.length > 100);
    assert.deepEqual([...kindsOf(await wordsOf(language))], kinds);
  });

  test(`${language} says it in words of its own`, async () => {
    const [inEnglish, other] = [await wordsOf('en'), await wordsOf(language)];
    const texts = [...kindsOf(inEnglish)].filter(([, kind]) => kind === 'string').map(([path]) => path);
    const same = texts.filter((path) => lookUp(inEnglish, path) === lookUp(other, path));
    assert.ok(same.length < texts.length / 10, `the same in both: ${same}`);
    assert.deepEqual(texts.filter((path) => lookUp(other, path).trim() === ''), []);
  });
}

for (const [part, wordsOfPart] of Object.entries({ bringingWords, emojiWords, helpWords, passwordWords, pickerWords })) {
  test(`${part} come with their part alone, in every language`, () => {
    assert.deepEqual(Object.keys(wordsOfPart), Object.keys(languages));
    const [inEnglish, ...others] = Object.values(wordsOfPart).map((words) => [...kindsOf(words)]);
    assert.ok(inEnglish.length > 3);
    for (const other of others) assert.deepEqual(other, inEnglish);
  });
}

test('the html files name only strings that exist', async () => {
  const wordsOn = { 'index.html': await wordsOf('en'), 'player.html': english };
  const forms = ['data-string', ...attributes.map((name) => `data-string-${name}`)].join('|');
  const pattern = new RegExp(`\\s(data-string[a-z-]*)="([^"]*)"`, 'g');
  for (const page of pages) {
    const named = [...readFileSync(new URL(page, www), 'utf8').matchAll(pattern)];
    assert.ok(named.length > 10, page);
    for (const [, attribute, path] of named) {
      assert.match(attribute, new RegExp(`^(${forms})$`), page);
      assert.equal(typeof lookUp(wordsOn[page], path), 'string', `${page}: ${path}`);
    }
  }
});

test('the start page\'s own words are named by its own modules alone', () => {
  const modules = readdirSync(www, { recursive: true }).filter((name) => /^(?!home).*\.js$/.test(name));
  assert.ok(modules.includes('watch.js') && modules.length > 50);
  assert.equal(english.home, undefined);
  assert.deepEqual(modules.filter((name) => /strings\.home/.test(readFileSync(new URL(name, www), 'utf8').replace(/\/\/.*/g, ''))), []);
});

// Names and figures are the same in every language.
test('the html files hold no words themselves', () => {
  for (const page of pages) {
    const html = readFileSync(new URL(page, www), 'utf8').replace(/<kbd>[^<]*<\/kbd>|<title>[^<]*<\/title>/g, '');
    const words = [...html.matchAll(/>([^<>]*\p{L}{2}[^<>]*)</gu)].map(([, text]) => text.trim());
    assert.deepEqual(words.filter((text) => text !== 'VideoSync'), [], page);
    const labels = [...html.matchAll(/\s(aria-label|alt|placeholder|title)="([^"]*\p{L}{2}[^"]*)"/gu)];
    assert.deepEqual(labels.map(([, , text]) => text), [], page);
  }
});

test('the most wished language that there is', () => {
  assert.equal(chooseLanguage(['fr', 'de-AT', 'en']), 'de');
  assert.equal(chooseLanguage([null, undefined, 'EN-gb', 'de']), 'en');
  assert.equal(chooseLanguage(['constructor', '__proto__', '', 'tlh']), 'en');
  assert.equal(chooseLanguage([]), 'en');
});

test('times are written as where the viewer lives, in the language of the page', () => {
  const hours = (language, wishes) => {
    const clock = new Intl.DateTimeFormat(chooseLocale(language, wishes), { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
    return clock.format(new Date('2026-01-02T18:05:00Z')).replace(/\s/g, ' ');
  };
  assert.equal(hours('en', ['en-GB', 'en']), '18:05');
  assert.equal(hours('en', ['en-US']), '06:05 PM');
  assert.equal(hours('en', ['de-DE']), '18:05', 'English was chosen on the start page');
  assert.equal(hours('de', ['en-US', 'de-AT']), '18:05');
  assert.equal(hours('de', ['fr']), '18:05');
  assert.equal(chooseLocale('de', ['fr', 'DE-ch', 'de-AT']), 'DE-ch');
  assert.match(hours('en', []), /05/);
});

test('everything that the server may refuse is said in the viewer\'s language', async () => {
  const source = readFileSync(new URL('../../proto/wire/messages_encode.cpp', import.meta.url), 'utf8');
  const codes = [...source.matchAll(/case Refusal::(\w+):\n\s*return "(\w+)"/g)].map(([, , code]) => code);
  assert.ok(codes.length > 5);
  assert.deepEqual(codes.filter((code) => typeof english.refusals[code] !== 'string'), []);
});
