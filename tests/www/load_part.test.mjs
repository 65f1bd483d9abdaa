// Parts of the pages that come later: tried again until they are there, and told of where only a page that is
// loaded anew helps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPart } from '../../www/load_part.js';

const PART = { enter: () => {} };
console.warn = () => {}; // each failure says so there

// A part that fails so many times, and a server that has this page, another one, or cannot be had: `served`
// has an answer for each failure, the last one for all later ones.
function network({ failures, served = [true] }) {
  const waitsMs = [];
  const troubles = [];
  let tries = 0;
  let asked = 0;
  const load = async () => {
    tries += 1;
    if (tries <= failures) throw new TypeError('Failed to fetch dynamically imported module');
    return PART;
  };
  const isServed = async () => {
    const answer = served[Math.min(asked++, served.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const means = { isServed, wait: async (ms) => void waitsMs.push(ms) };
  const onTrouble = ({ code, status, needsReload }) => troubles.push([code, status, needsReload]);
  return { waitsMs, troubles, run: (options) => loadPart(load, { onTrouble, ...options }, means), tries: () => tries };
}

test('a part that comes is asked for once, and nothing else', async () => {
  const { run, troubles, tries } = network({ failures: 0, served: [new Error('is not asked')] });
  assert.equal(await run(), PART);
  assert.deepEqual([tries(), troubles], [1, []]);
});

test('one that fails comes with a later try, at longer and longer intervals', async () => {
  const { run, waitsMs } = network({ failures: 6 });
  assert.equal(await run(), PART);
  assert.deepEqual(waitsMs, [300, 1_000, 2_000, 5_000, 5_000, 5_000]);
});

test('one failure may be chance; after the second a page that stands on the same server needs to be loaded anew', async () => {
  const { run, troubles } = network({ failures: 3 });
  await run();
  assert.deepEqual(troubles, [['missing', null, false], ['missing', null, true], ['missing', null, true]]);
});

test('where the server has another version of the page, only that one helps', async () => {
  const { run, troubles } = network({ failures: 1, served: [false] });
  await run();
  assert.deepEqual(troubles, [['outdated', null, true]]);
});

test('while nobody answers, or a proxy does, that is told, and no page is loaded anew', async () => {
  const refused = Object.assign(new Error(), { code: 'refused', status: 502 });
  const { run, troubles } = network({ failures: 3, served: [Object.assign(new Error(), { code: 'unreachable' }), refused, true] });
  await run();
  assert.deepEqual(troubles.slice(0, 2), [['unreachable', null, false], ['refused', 502, false]]);
});

test('who has something else to show gives up after some tries, and knows why', async () => {
  const { run, troubles, tries } = network({ failures: Infinity, served: [true, true, false] });
  await assert.rejects(run({ triesMax: 3 }), { code: 'outdated', needsReload: true });
  assert.deepEqual([tries(), troubles.length], [3, 2]);
});

test('how long a server asks to wait is told with the trouble', async () => {
  const served = async () => {
    throw Object.assign(new Error(), { code: 'refused', status: 429, retryAfterS: 7 });
  };
  const failing = loadPart(async () => { throw new TypeError('Failed to fetch'); }, { triesMax: 1 }, { isServed: served });
  await assert.rejects(failing, { code: 'refused', status: 429, retryAfterS: 7, needsReload: false });
});
