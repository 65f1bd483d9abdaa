// How often a page asks for the rest of a film that breaks off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestWatch } from '../../www/session/rest_watch.js';
import { FakeTime } from './support/fake_network.mjs';

const S = 1_000;

// random: what each wait is spread by; 0.5 leaves it as it is.
function watch({ random = () => 0.5 } = {}) {
  const time = new FakeTime();
  const page = Object.assign(new EventTarget(), { hidden: false });
  const is = { breaksOff: true, mayAsk: true, changes: false };
  const askedS = [];
  new RestWatch({
    breaksOff: () => is.breaksOff, mayAsk: () => is.mayAsk, page, random, timers: time.timers,
    learn: async () => {
      askedS.push((time.nowMs - 1_000) / S);
      return is.changes;
    },
  });
  // Second by second, for what is asked is answered in between.
  const pass = async (seconds) => {
    for (let i = 0; i < seconds; i += 1) {
      time.pass(S);
      await new Promise((done) => setImmediate(done));
    }
  };
  const show = (isShown) => {
    page.hidden = !isShown;
    page.dispatchEvent(new Event('visibilitychange'));
  };
  return { is, askedS, pass, show, time };
}

test('it is asked ever less often, and every five minutes in the end', async () => {
  const { askedS, pass } = watch();
  await pass(1_300);
  assert.deepEqual(askedS, [10, 30, 70, 150, 310, 610, 910, 1_210]);
});

test('pages do not ask in step', async () => {
  for (const [random, first] of [[0, 5], [0.9, 14]]) {
    const { askedS, pass } = watch({ random: () => random });
    await pass(first + 1);
    assert.deepEqual(askedS, [first]);
  }
});

test('an answer that is another one begins it anew', async () => {
  const { is, askedS, pass } = watch();
  await pass(100);
  is.changes = true;
  await pass(50);
  is.changes = false;
  await pass(30);
  assert.deepEqual(askedS, [10, 30, 70, 150, 160, 180]);
});

test('a film that goes on is not asked about, and the next one that breaks off is at once', async () => {
  const { is, askedS, pass } = watch();
  await pass(71);
  is.breaksOff = false;
  await pass(1_000);
  assert.deepEqual(askedS, [10, 30, 70]);
  is.breaksOff = true;
  await pass(10);
  assert.equal(askedS.length, 4);
});

test('who does not look asks nothing, and who comes back begins anew', async () => {
  const { askedS, pass, show, time } = watch();
  await pass(71);
  show(false);
  await pass(3_000);
  assert.deepEqual(askedS, [10, 30, 70]);
  show(true);
  assert.equal(time.pending, 1, 'one wait at a time');
  await pass(10);
  assert.equal(askedS.at(-1), 3_081);
});

test('nor does a page that may not', async () => {
  const { is, askedS, pass } = watch();
  is.mayAsk = false;
  await pass(1_000);
  assert.deepEqual(askedS, []);
  is.mayAsk = true;
  await pass(10);
  assert.deepEqual(askedS, [1_010]);
});
