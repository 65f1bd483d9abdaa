import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeekBudget } from '../../www/sync/seek_budget.js';

// Times of the seeks that it allows within `forMs` where one is wanted all the time, and each leaves `left`
// of a gap of a second.
function seeksWithin(forMs, left, budget = new SeekBudget()) {
  const times = [];
  for (let nowMs = 0; nowMs < forMs; nowMs += 100) {
    if (!budget.allows(nowMs)) continue;
    times.push(nowMs);
    budget.spend(nowMs, -1);
    if (left !== null) budget.came(left);
  }
  return times;
}

test('seeks that bring a player nearer may follow each other every five seconds', () => {
  assert.deepEqual(seeksWithin(16_000, 0.2), [0, 5_000, 10_000, 15_000]);
});

test('seeks that do not, or that never come to an end, wait twice as long each time, up to a bound', () => {
  for (const left of [0.9, -3]) assert.deepEqual(seeksWithin(120_000, left), [0, 10_000, 30_000, 70_000, 110_000]);
  assert.deepEqual(seeksWithin(80_000, null), [0, 5_000, 15_000, 35_000, 75_000]);
});

test('one that did is the end of waiting, and so is an event', () => {
  const budget = new SeekBudget();
  seeksWithin(80_000, 1, budget);
  budget.spend(200_000, 1);
  budget.came(0.1);
  assert.equal(budget.allows(205_000), true);
  budget.spend(205_000, 1);
  budget.came(1);
  assert.equal(budget.allows(210_000), false);
  budget.renew();
  assert.equal(budget.allows(205_001), true);
  assert.equal(budget.untouched, true);
});
