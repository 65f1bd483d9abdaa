// What axe finds on a page, and whether a finger hits what there is to hit.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { until } from './until.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Nothing serious or critical.
//
// What comes out of it is told within the page: to bring all of axe's findings here took as much as the looking.
export async function assertAccessible(page, what = page.url()) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { passed, grave } = await page.evaluate(runAxe);
  assert.ok(passed > 10, `${what}: axe has looked`);
  assert.deepEqual(grave.map((one) => `${what}: ${one}`), []);
}

// Runs in a page. resultTypes: of what passed axe names one place, not all.
async function runAxe() {
  const { violations, passes } = await window.axe.run(document, { resultTypes: ['violations'] });
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return { passed: passes.length, grave: grave.map(({ id, nodes }) => `${id}: ${nodes[0].target}`) };
}

const TARGETS = 'button, a, input, select, summary, label:has(input), media-controller [role="button"], media-controller [role="menuitem"]';
const TARGET_MIN_PX = 24; // WCAG 2.2, 2.5.8

// Everything in sight that takes a tap is large enough for it, and nothing is cut off at the side,
// once the page has settled. A field within its label is hit with the label.
export async function assertTargets(page, what, { min = 1 } = {}) {
  let found;
  await until(async () => {
    found = await lookAtTargets(page);
    return found.count >= min && found.bad.length === 0 && found.overhangPx === 0;
  }, () => `${what}: ${JSON.stringify(found)}`, 5_000, 100);
}

async function lookAtTargets(page) {
  const seen = await page.$$eval(TARGETS, (all) => all
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches('label input, [tabindex="-1"]'))
    .map((one) => [one.id || one.className || one.localName, one.getBoundingClientRect()])
    .map(([name, { width, height, left, right }]) => ({ name, width, height, cut: left < 0 || right > innerWidth })));
  const bad = seen.filter(({ width, height, cut }) => width < TARGET_MIN_PX || height < TARGET_MIN_PX || cut);
  const overhangPx = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  return { count: seen.length, bad, overhangPx };
}
