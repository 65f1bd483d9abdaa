// Controllers on two nodes who race: one order for all, and what that costs in Redis.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster } from '../support/cluster.mjs';
import { createSession, eventually, join } from '../support/member.mjs';

const COMMANDS = 1_000;
const WAVE = 50; // what a reader cannot take in time is replaced by the newest
const MEMBERS = 6;
const ONE_BY_ONE = 50;
let cluster;

before(async () => {
  cluster = await startCluster({ args: ['--message-rate', '0', '--chat-rate', '0'] });
});

after(() => cluster?.stop());

async function crowdOf(settings) {
  const { key } = await createSession(cluster.nodes[0], settings);
  const crowd = [];
  for (let i = 0; i < MEMBERS; i += 1) crowd.push(await join(cluster.nodes[i % 2], key, { name: `p${i}` }));
  for (const member of crowd) await member.next('members', ({ count }) => count === MEMBERS);
  return { key, crowd };
}

const commandOf = (i) => {
  const type = ['seek', 'play', 'pause', 'rate'][i % 4];
  return [type, { seek: { position: i }, play: {}, pause: {}, rate: { rate: 1 + (i % 3) / 2 } }[type]];
};
const withoutTime = ({ receivedMs, ...message }) => message;

// What `act` made Redis do: {calls by command, of the session's channel, of other channels}.
async function costOf(key, act) {
  const heard = await cluster.redis.hear();
  const before = await cluster.redis.calls();
  await act();
  const after = await cluster.redis.calls();
  const calls = Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - (before[name] ?? 0)]));
  const isOfSession = ({ channel }) => channel.includes(key);
  const ofSession = () => heard.filter(isOfSession).length;
  await eventually(ofSession, (count) => count > 0, 'messages of the session');
  return { calls, session: ofSession(), others: heard.filter((message) => !isOfSession(message)) };
}

test(`${COMMANDS} commands of racing controllers: everyone everywhere sees one order without gaps`, async (t) => {
  const { key, crowd } = await crowdOf({ control: 'everyone' });
  const sent = [];
  const startMs = performance.now();
  const cost = await costOf(key, async () => {
    for (let i = 0; i < COMMANDS; i += 1) {
      const by = crowd[i % MEMBERS];
      const [type, fields] = commandOf(i);
      by.send(type, fields);
      sent.push(`${by.id} ${type}`);
      if (i % WAVE === WAVE - 1) for (const member of crowd) await member.next('state', ({ seq }) => seq === i + 1);
    }
  });
  const perSecond = COMMANDS / ((performance.now() - startMs) / 1_000);
  const order = crowd[0].of('state').map(withoutTime);
  assert.deepEqual(order.map(({ seq }) => seq), Array.from({ length: COMMANDS }, (_, i) => i + 1));
  assert.equal(new Set(order.map(({ epoch }) => epoch)).size, 1);
  for (const member of crowd) assert.deepEqual(member.of('state').map(withoutTime), order, member.id);
  assert.deepEqual(order.map(({ by, cause }) => `${by} ${cause}`).sort(), sent.sort());
  for (const node of cluster.nodes) {
    const { state } = await (await fetch(`${node.origin}/api/sessions/${key}`)).json();
    assert.equal(state.seq, COMMANDS);
  }
  assert.ok(cost.calls.evalsha <= COMMANDS + 5, `${cost.calls.evalsha} scripts`);
  assert.ok(cost.session <= COMMANDS + 5, `${cost.session} messages of the session`);
  t.diagnostic(`${perSecond.toFixed(0)} commands/s in waves of ${WAVE}; per command ` +
    `${(cost.calls.evalsha / COMMANDS).toFixed(2)} scripts, ${(cost.session / COMMANDS).toFixed(2)} messages a node`);
});

// How many of what costOf() has counted belong to a command; what goes by the clock is not much.
async function assertCost(t, key, crowd, by, forwards) {
  const cost = await costOf(key, async () => {
    for (let i = 0; i < ONE_BY_ONE; i += 1) {
      by.send('seek', { position: i });
      for (const member of crowd) await member.next('state', ({ position }) => position === i);
    }
  });
  const per = (count) => (count / ONE_BY_ONE).toFixed(2);
  t.diagnostic(`a command ${forwards ? 'from the other node' : 'on the home'}: ${per(cost.calls.evalsha)} scripts, ` +
    `${per(cost.session)} messages to each node on the session's channel, ${per(cost.others.length)} on others; ` +
    `Redis calls: ${JSON.stringify(cost.calls)}`);
  assert.ok(Math.abs(cost.calls.evalsha - ONE_BY_ONE) <= 2, `${cost.calls.evalsha} scripts`);
  assert.ok(Math.abs(cost.session - ONE_BY_ONE) <= 2, `${cost.session} messages of the session`);
  const few = 20; // the nodes say that they live
  assert.ok(cost.others.length <= (forwards ? ONE_BY_ONE : 0) + few, `${cost.others.length} other messages`);
  assert.ok(cost.calls.publish <= ONE_BY_ONE * (forwards ? 2 : 1) + few, `${cost.calls.publish} publish`);
}

test('a command costs one script, which publishes, and each node one message', async (t) => {
  const { key, crowd } = await crowdOf({ control: 'everyone' });
  await assertCost(t, key, crowd, crowd[0], false);
  await assertCost(t, key, crowd, crowd[1], true);
});
