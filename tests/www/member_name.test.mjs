// The rule for names in the pages, against the table that the server's is held against as well
// (tests/unit/proto/wire/member_name_test.cpp).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cleanName } from '../../www/member_name.js';

const table = JSON.parse(readFileSync(new URL('../support/member_names.json', import.meta.url), 'utf8'));
const ALL = 0x110000;

function kindOf(code) {
  const text = String.fromCodePoint(code);
  const clean = (name) => cleanName(name).name;
  const flag = '\u{1f3f4}';
  if (clean(text) === text) return 'visible';
  if (clean(`a${text}b`) === 'a b') return 'blank';
  if (clean(`${flag}${text}b`) === `${flag}b`) return 'unseen';
  if (clean(flag + text) === flag) return 'joiner';
  return clean(`a${text}b`) === 'ab' ? 'tag' : 'selector';
}

// [[code, kind]] of every character there is.
function* characters() {
  let code = 0;
  for (const [kind, last] of table.characters) {
    for (; code <= last; code += 1) if (code < 0xd800 || code > 0xdfff) yield [code, kind];
  }
  assert.equal(code, ALL);
}

for (const { why, given, clean, fault } of table.cases) {
  test(`names: ${why}`, () => {
    assert.deepEqual(cleanName(given), fault ? { fault } : { name: clean });
    if (!fault) assert.deepEqual(cleanName(clean), { name: clean }, 'cleaning what is clean changes nothing');
  });
}

test('every character is what the table says', () => {
  for (const [code, kind] of characters()) assert.equal(kindOf(code), kind, code.toString(16));
});

// The table itself, against what Unicode says of characters.
test('whatever is blank, a control or ignored by default is not visible, and little else', () => {
  const BLANK = /^\p{White_Space}$/u;
  const UNSEEN = /^(?:\p{Cc}|\p{Default_Ignorable_Code_Point})$/u;
  const beyond = [];
  for (const [code, kind] of characters()) {
    const text = String.fromCodePoint(code);
    const expected = BLANK.test(text) ? 'blank' : UNSEEN.test(text) ? 'not visible' : 'visible';
    const found = kind === 'blank' || kind === 'visible' ? kind : 'not visible';
    if (found !== expected) beyond.push(code);
  }
  assert.deepEqual(beyond, [0x2800, 0xfff9, 0xfffa, 0xfffb]);
});

test('half of a pair is nothing', () => {
  assert.deepEqual(cleanName('A\ud83dnn\ude00'), { name: 'Ann' });
});
