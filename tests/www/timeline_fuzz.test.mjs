// A million messages, reordered, repeated and lost as no network would: every member ends in the
// server's state, and is never seen to go back on the way. SEED=n runs one case again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../../www/sync/timeline.js';

const MESSAGES = 1_000_000;
const ROUNDS = 1_000;
const STATES = 250; // of the server, in a round
const MEMBERS = 4;
const NOW_US = 1_795_000_000_000_000;

function lehmer(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

// What the server decides in a round: seq grows with every change, epoch now and then, by as little
// as one or to where its clock is in microseconds.
function serverStates(random) {
  let epoch = 1 + Math.floor(random() * 5);
  let seq = Math.floor(random() * 100);
  return Array.from({ length: STATES }, () => {
    seq += 1;
    if (random() < 0.05) epoch = random() < 0.5 ? epoch + 1 : Math.max(epoch + 1, NOW_US + Math.floor(random() * 1e9));
    return {
      epoch, seq, playing: random() < 0.7, position: random() * 7200, rate: 0.25 + 3.75 * random(),
      atMs: 1.7e12 + random() * 1e7, video: random() < 0.9 ? 'a' : 'b',
    };
  });
}

// One member's network: most messages come, out of order, some twice, some never. The last one comes:
// a member that has lost it gets it with its next welcome.
function* delivered(states, random) {
  for (let i = 0; i < states.length; i++) {
    const chance = random();
    if (chance < 0.6) yield states[i];
    else if (chance < 0.8) yield states[Math.floor(random() * states.length)];
    else if (chance < 0.97) yield states[Math.max(0, i - Math.floor(random() * 10))];
    else yield { ...states[i], position: NaN }; // and what is no state at all
  }
}

const isNewer = (a, b) => a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq);

test('a million reordered, repeated and lost messages end in the server\'s state', () => {
  const seed = Number(process.env.SEED ?? (Date.now() % 1e6) + 1);
  const random = lehmer(seed);
  let sent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const states = serverStates(random);
    const last = states.at(-1);
    for (let member = 0; member < MEMBERS; member++) {
      const timeline = new Timeline();
      const lastAt = Math.floor(random() * STATES); // the newest may come long before older ones
      let step = 0;
      for (const message of delivered(states, random)) {
        const before = timeline.state;
        const isTaken = timeline.accept(step++ === lastAt ? last : message);
        sent += 1;
        if (isTaken && before && !isNewer(timeline.state, before)) assert.fail(`went back, SEED=${seed}`);
        if (!isTaken && timeline.state !== before) assert.fail(`changed by what it refused, SEED=${seed}`);
      }
      if (timeline.state !== last) assert.fail(`round ${round} ends elsewhere, SEED=${seed}`);
      const at = last.atMs + 1000;
      assert.equal(timeline.positionAt(at), last.position + (last.playing ? last.rate : 0));
    }
  }
  assert.equal(sent, MESSAGES);
});
