// bench/capacity.mjs: what it reckons is what was measured, within what docs/SCALE.md says, and what the simulator counts.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test, { describe } from 'node:test';
import { promisify } from 'node:util';
import { deliveryUs, messagesOf, readCoefficients, readOrder, reckon } from '../../bench/capacity.mjs';
import { projectRoot, serverBinary } from '../support/server.mjs';

const run = promisify(execFile);
const c = readCoefficients();
const reckoned = (...args) => reckon(readOrder(args), c);
const project = (file) => readFile(path.join(projectRoot, file), 'utf8');

function assertNear(actual, expected, share, what) {
  assert.ok(Math.abs(actual - expected) <= share * expected, `${what}: ${actual}, and not ${expected} within ${share * 100} %`);
}

describe('what was measured', () => {
  // The coefficients are of one node: three of them are foretold.
  test('50,000 on three nodes, all on one core', async () => {
    const row = /^\| three nodes \| ([\d,]+) \| ([\d.]+) .*\| (\d+) \| \d+ \|$/m.exec(await project('docs/PERFORMANCE.md'));
    assert.ok(row, 'the figures are in docs/PERFORMANCE.md');
    const [members, us, lastMs] = row.slice(1).map((text) => Number(text.replace(',', '')));
    const at = reckoned('--viewers', String(members), '--nodes', '3', '--cores', '1', '--commands', '1', '--chat', '0', '--video-elsewhere');
    assertNear(at.cpuUs.deliveries / at.deliveries, us, 0.15, 'us a delivery');
    assertNear(at.lastMs * 3, lastMs, 0.15, 'ms to the last member: one core, of three');
  });

  test('a seek to 1,000 members on each of two nodes', async () => {
    const [, ms] = /a seek takes ([\d.]+) ms of processor time on either node/.exec(await project('docs/NODES.md'));
    const at = reckoned('--viewers', '2000', '--nodes', '2', '--cores', '1', '--commands', '1', '--chat', '0', '--video-elsewhere');
    assertNear((at.cpuUs.deliveries + at.cpuUs.commands) / 2_000, Number(ms), 0.25, 'ms a node');
  });

  test('each coefficient says where it is from and is used', async () => {
    const { coefficients } = JSON.parse(await project('bench/capacity.json'));
    const program = await project('bench/capacity.mjs');
    for (const [name, one] of Object.entries(coefficients)) {
      assert.ok(one.value > 0 && one.unit.length > 0 && one.source.length > 0, name);
      assert.match(program, new RegExp(`\\bc\\.${name}\\b`), name);
    }
    for (const [, name] of program.matchAll(/\bc\.(\w+)/g)) assert.ok(name in coefficients, name);
    const settings = await project('docs/PROTOCOL.md');
    assert.match(settings, /sessions; members of one \| 100,000; 100,000/);
    assert.equal(c.members_max, 100_000);
  });
});

describe('what the simulator counts', () => {
  const census = async (nodes) => {
    const { stdout } = await run(path.join(path.dirname(serverBinary()), 'sim'), ['--census', '--nodes', String(nodes), '--members', String(4 * nodes), '--times', '5']);
    return new Map(JSON.parse(stdout).lines.map((line) => [line.act, line]));
  };
  const sum = ({ told }, of) => Object.values(told).reduce((total, one) => total + one[of], 0);

  for (const nodes of [1, 2, 5, 20]) {
    test(`${nodes} nodes with members of one session`, async () => {
      const lines = await census(nodes);
      const place = { sessions: 1, nodes, on: nodes, far: 0 };
      const quiet = { commands: 0, chat: 0, reportsFar: 0 };
      const rest = lines.get('rest');
      const told = messagesOf(place, quiet, c);
      assertNear(sum(rest, 'messages') / rest.seconds, told.messages, 0.03, 'messages at rest');
      assertNear(sum(rest, 'bytes') / rest.seconds, told.bytes, 0.03, 'bytes at rest');
      assertNear(sum(rest, 'published') / rest.seconds, told.publishes, 0.03, 'publishes at rest');
      assert.equal(rest.scripts, 0);
      // One of each, beside what goes by the clock.
      const cost = (changes, of, where = place) => messagesOf(where, { ...quiet, ...changes }, c)[of] - told[of];
      const elsewhere = { ...place, far: 1 };
      const acts = [['seek at home', 'Cast', { commands: 1 }, place], ['chat at home', 'Cast', { chat: 1 }, place]];
      if (nodes > 1) acts.push(['chat elsewhere', 'Cast', { chat: 1 }, elsewhere], ['report elsewhere', 'Said', { reportsFar: 1 }, elsewhere]);
      for (const [act, kind, changes, where] of acts) {
        const { times, scripts, told: { [kind]: one = { published: 0, messages: 0, bytes: 0 }, Said: said = { messages: 0, published: 0 } } } = lines.get(act);
        const more = act === 'chat elsewhere' ? said : { messages: 0, published: 0 };
        assert.equal((one.messages + more.messages) / times, cost(changes, 'messages', where), `messages of ${act}`);
        assert.equal((one.published + more.published) / times, cost(changes, 'publishes', where), `publishes of ${act}`);
        assert.equal(scripts / times, changes.commands ?? 0, `scripts of ${act}`);
        if (nodes > 1) assertNear(cost(changes, 'bytes', where), one.bytes / times, 0.2, `bytes of ${act}`);
      }
    });
  }
});

describe('what is reckoned', () => {
  test('nodes are enough for what moves with them, and one less is not', () => {
    for (const args of [['--viewers', '50000'], ['--viewers', '300000', '--members-per-session', '5', '--video-elsewhere'], ['--viewers', '20000', '--bitrate', '12', '--nic-gbit', '25']]) {
      const at = reckoned(...args);
      assert.equal(at.fits, true, args.join(' '));
      assert.equal(reckoned(...args, '--nodes', String(at.nodes)).fits, true, args.join(' '));
      if (at.nodes > 1) assert.equal(reckoned(...args, '--nodes', String(Math.floor(at.nodes * 0.97) - 1)).fits, false, args.join(' '));
    }
  });

  test('walls are named that no more nodes move', () => {
    const one = reckoned('--viewers', '150000', '--sessions', '1', '--video-elsewhere');
    assert.deepEqual(one.walls.map(({ name }) => name), ['members of a session (--max-members)']);
    const many = reckoned('--viewers', '1000', '--members-per-session', '10', '--nodes', '600', '--video-elsewhere');
    assert.ok(many.walls.some(({ name }) => name === "Redis' thread"), 'nodes that say that they live are one');
  });

  test('reports are the server\'s rate, or what is said', () => {
    assert.equal(reckoned('--viewers', '100000').reports.all, 2_000);
    assert.equal(reckoned('--viewers', '1000').reports.all, 200);
    assert.equal(reckoned('--viewers', '1000', '--reports', '1').reports.all, 1_000);
  });

  test('a delivery is not dearer than the dearest that was measured', () => {
    assert.deepEqual([1, 2_000, 16_667, 100_000].map((members) => deliveryUs(members, c)), [c.deliveryUsFew, c.deliveryUsFew, c.deliveryUsMany, c.deliveryUsMany]);
  });
});

describe('the program', () => {
  const program = path.join(projectRoot, 'bench/capacity.mjs');
  const started = (...args) => run('node', [program, ...args]).catch((error) => error);

  test('says a table, JSON, and by its status whether it fits', async () => {
    const { stdout } = await started('--viewers', '50000');
    assert.match(stdout, /^It fits\. First limit: nodes' networks\.$/m);
    assert.equal(JSON.parse((await started('--json')).stdout).fits, true);
    const refused = await started('--viewers', '200000', '--video-elsewhere');
    assert.equal(refused.code, 3);
    assert.match(refused.stdout, /^It does not fit: members of a session \(--max-members\)\.$/m);
    assert.match((await started('--help')).stdout, /--members-per-session/);
  });

  test('refuses what it cannot reckon with', async () => {
    for (const [args, words] of [[['--viewers', 'many'], /--viewers wants a number/], [['--cores', '0'], /--cores wants a number above 0/],
      [['--sessions', '2', '--members-per-session', '5'], /not both/], [['--nodes', '1.5'], /whole number/], [['--weather', '1'], /weather/]]) {
      const { code, stderr } = await started(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, words);
    }
  });
});
