// The pure parts of what the player page shows of the others: links, arrivals, drift.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals } from '../../www/player/company/arrivals.js';
import { splitLinks } from '../../www/player/company/links.js';
import { PersonRow, describeDrift } from '../../www/player/company/person_row.js';
import { fakeDocument } from './support/fake_document.mjs';
import { FakeTime } from './support/fake_network.mjs';

const hrefs = (text) => splitLinks(text).flatMap(({ href }) => href ?? []);

test('links are found, and the sentence around them stays text', () => {
  assert.deepEqual(splitLinks('see https://a.example/x?y=1, and (http://b.example/z).'), [
    { text: 'see ' },
    { text: 'https://a.example/x?y=1', href: 'https://a.example/x?y=1' },
    { text: ', and (' },
    { text: 'http://b.example/z', href: 'http://b.example/z' },
    { text: ').' },
  ]);
  assert.deepEqual(hrefs('https://a.example/wiki/X_(film)'), ['https://a.example/wiki/X_(film)']);
  assert.deepEqual(splitLinks('nothing here'), [{ text: 'nothing here' }]);
  assert.deepEqual(splitLinks(''), []);
});

test('an address without its scheme is one where it can be nothing else', () => {
  assert.deepEqual(hrefs('www.example.org, or (youtu.be/abc).'), ['https://www.example.org/', 'https://youtu.be/abc']);
  for (const text of ['and/or', 'example.org', 'ann@example.org/x', '1.5/2', 'a.b', 'no.html', '../x.y/z']) assert.deepEqual(hrefs(text), [], text);
});

test('a time of the film can be gone to; other figures stay text', () => {
  const times = (text) => splitLinks(text).flatMap(({ seconds }) => seconds ?? []);
  assert.deepEqual(splitLinks('at 1:07!'), [{ text: 'at ' }, { text: '1:07', seconds: 67 }, { text: '!' }]);
  assert.deepEqual(times('0:00, 12:34 and (1:02:03), 100:59'), [0, 754, 3_723, 6_059]);
  for (const text of ['1:7', '1:60', '1:07:5', 'a1:07', '1:07b', '3:2', '1:07:60', '1:07.5', '10:99', '1:2:3:4', 'http://a.example/1:07']) assert.deepEqual(times(text), [], text);
});

test('nothing but plain http and https becomes a link', () => {
  for (const text of [
    'javascript:alert(1)', 'JaVaScRiPt://x', 'data:text/html,<script>', 'file:///etc/passwd', 'vbscript:x', '//a.example',
    'https://', 'http://', 'https://user:secret@a.example/', 'https://bank.example@evil.example/',
    'https://a.exam\u202eple/x', 'https://a.example/\u200bx',
  ]) {
    assert.deepEqual(hrefs(text), [], text);
  }
});

test('whatever is written, the parts together are what was written', () => {
  const pieces = ['https://a.example', 'http://', '<b>', '"', ' ', '(', ')', '.', 'javascript:', '@', '\u202e', '😀', ',', 'x', 'www.', 'a.example/', '1:07', ':', '9'];
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: 1 + random() * 12 }, () => pieces[Math.floor(random() * pieces.length)]).join('');
    const parts = splitLinks(text);
    assert.equal(parts.map((part) => part.text).join(''), text);
    for (const { href } of parts.filter((part) => part.href)) {
      const { protocol, username } = new URL(href);
      assert.deepEqual([/^https?:$/.test(protocol), username, /[\s<>"]/.test(href)], [true, '', false], href);
    }
  }
});

function gather() {
  const time = new FakeTime();
  const said = [];
  const arrivals = new Arrivals((news) => said.push(news), time.timers);
  const named = (names) => names.map((name) => ({ id: name.toLowerCase(), name }));
  const note = (joined, left, count = 5) => arrivals.note({ joined: named(joined), left: named(left) }, count, 'you');
  return { time, said, note, arrivals };
}

test('many who come at once are one line', () => {
  const { time, said, note } = gather();
  note(['Ann'], []);
  time.pass(500);
  note(['Ben'], ['Cem']);
  time.pass(2_000);
  assert.deepEqual(said, [{ joined: ['Ann', 'Ben'], left: ['Cem'] }]);
});

test('who comes and speaks at once is told of before the words, and once', () => {
  const { time, said, note, arrivals } = gather();
  note(['Ann', 'Ben'], []);
  arrivals.beforeWordsOf('cem');
  assert.deepEqual(said, []);
  arrivals.beforeWordsOf('ann');
  assert.deepEqual(said, [{ joined: ['Ann', 'Ben'], left: [] }]);
  arrivals.beforeWordsOf('ann');
  note(['Cem'], []);
  time.pass(5_000);
  assert.deepEqual(said.slice(1), [{ joined: ['Cem'], left: [] }]);
});

test('who comes right back is no news, nor are you', () => {
  const { time, said, note } = gather();
  note([], ['Ann']);
  note(['Ann', 'You'], []);
  time.pass(5_000);
  assert.deepEqual(said, []);
});

test('in a crowd nobody is announced', () => {
  const { time, said, note } = gather();
  note(['Ann'], ['Ben'], 10_000);
  time.pass(5_000);
  assert.deepEqual(said, []);
});

test('how far somebody is off, in few signs', () => {
  assert.deepEqual([12.4, -340, -0.2, -1_500, 42_000].map(describeDrift),
    ['+12 ms', '−340 ms', '0 ms', '−1.5 s', '+42 s'].map((text) => text.replace(' ', '\u00a0')));
});

test('what a viewer plays is told in words that need no mouse', () => {
  fakeDocument();
  const told = [];
  const row = new PersonRow('ben', { explain: (text) => told.push(text) });
  const wordsWith = (report, state = null) => {
    row.fill({ name: 'Ben' }, report, { state, mayRule: false });
    return row.element.textContent;
  };
  assert.match(wordsWith({ driftMs: 3, form: 'copy' }), /copy: Plays the picture as it is/);
  assert.doesNotMatch(wordsWith({ driftMs: 3 }), /copy|Plays/);
  wordsWith({ driftMs: 3, form: 'copy' });
  row.element.querySelector('.person-form').dispatchEvent(new Event('click'));
  assert.deepEqual(told, ['Plays the picture as it is, with sound made anew'], 'a finger gets the words, too');
  const cannot = wordsWith({ driftMs: 3, form: 'copy' }, 'cannotPlay');
  assert.match(cannot, /cannot play/);
  assert.doesNotMatch(cannot, /copy|Plays|3.ms/);
  assert.match(wordsWith({ driftMs: 3 }, 'preparing'), /preparing/);
  assert.doesNotMatch(wordsWith({ driftMs: 3 }), /preparing|cannot/);
});
