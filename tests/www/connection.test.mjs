import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Connection } from '../../www/session/connection.js';
import { FakeTime, fakeWebSocket } from './support/fake_network.mjs';

function connect({ random = () => 1, whyRefused } = {}) {
  const time = new FakeTime();
  const network = fakeWebSocket();
  const phases = [];
  const messages = [];
  const connection = new Connection({
    url: () => 'ws://host/ws?session=k',
    onMessage: (message) => messages.push(message),
    onPhase: (phase) => phases.push(phase),
    whyRefused,
    WebSocket: network.WebSocket,
    timers: time.timers,
    now: time.now,
    random,
  });
  connection.start();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { connection, time, network, phases, messages, settle, phase: () => connection.phase };
}

test('it is open once the first message has come, and hands messages up', () => {
  const { connection, network, messages, phase } = connect();
  assert.deepEqual(phase(), { name: 'connecting', attempt: 1 });
  assert.equal(connection.send({ type: 'play' }), false);
  network.latest().receive({ type: 'welcome' });
  assert.equal(phase().name, 'open');
  assert.equal(connection.send({ type: 'play' }), true);
  assert.deepEqual(network.latest().sent, [{ type: 'play' }]);
  assert.deepEqual(messages, [{ type: 'welcome' }]);
});

test('who knocks is in with the welcome, and says nothing but pings before', () => {
  const { connection, network, phases } = connect();
  network.latest().receive({ type: 'knocking' });
  assert.equal(connection.phase.name, 'knocking');
  assert.equal(connection.send({ type: 'play' }), false);
  assert.equal(connection.ping({ type: 'ping' }), true);
  network.latest().receive({ type: 'pong' });
  network.latest().receive({ type: 'notice', code: 'degraded' });
  assert.equal(connection.phase.name, 'knocking');
  network.latest().receive({ type: 'welcome' });
  network.latest().receive({ type: 'state' });
  assert.deepEqual(phases.map(({ name }) => name), ['connecting', 'knocking', 'open']);
  assert.deepEqual(network.latest().sent, [{ type: 'ping' }]);
});

test('what is no message is passed over', () => {
  const { network, messages } = connect();
  for (const text of ['{', 'null', '7', '{"kind":1}']) network.latest().receive(text);
  assert.deepEqual(messages, []);
});

test('backing off stays short for ten attempts, then doubles up to 15 s, and jitter takes at most half of it', () => {
  for (const [random, share] of [[() => 1, 1], [() => 0, 0.5]]) {
    const { network, time, phase } = connect({ random });
    const delays = [];
    for (let i = 0; i < 16; i++) {
      network.latest().drop();
      delays.push(phase().untilMs - time.nowMs);
      time.pass(delays.at(-1));
    }
    const short = [500, 1000, ...Array(10).fill(2000)];
    const expected = [...short, 4000, 8000, 15_000, 15_000].map((delay) => delay * share);
    assert.deepEqual(delays, expected);
  }
});

test('a connection that held for ten seconds ends the backing off, a short one does not', () => {
  const { network, time, phase } = connect();
  network.latest().drop();
  time.pass(500);
  network.latest().receive({ type: 'welcome' });
  time.pass(1000);
  network.latest().drop();
  assert.equal(phase().untilMs - time.nowMs, 1000);
  time.pass(1000);
  network.latest().receive({ type: 'welcome' });
  time.pass(10_000);
  network.latest().drop();
  assert.equal(phase().untilMs - time.nowMs, 500);
});

test('trying now does not wait, and leaves no second attempt behind', () => {
  const { connection, network, time } = connect();
  network.latest().drop();
  connection.retryNow();
  assert.equal(network.sockets.length, 2);
  time.pass(5000);
  assert.equal(network.sockets.length, 2);
  connection.retryNow();
  assert.equal(network.sockets.length, 2, 'nothing to be hurried while connecting');
});

test('ended, elsewhere and removed are for good; the rest comes back', () => {
  for (const [code, reason] of [[4001, 'ended'], [4002, 'elsewhere'], [4004, 'removed'], [4005, 'turnedAway']]) {
    const { network, time, phase } = connect();
    network.latest().receive({ type: 'welcome' });
    network.latest().drop(code);
    assert.deepEqual(phase(), { name: 'closed', reason });
    assert.equal(time.pending, 0);
  }
  for (const code of [1000, 1001, 1002, 1006, 1008, 1009, 1011, 4003, 4008]) {
    const { network, phase } = connect();
    network.latest().receive({ type: 'welcome' });
    network.latest().drop(code);
    assert.equal(phase().name, 'waiting', `code ${code}`);
  }
});

test('a server that drains says when to come back; jitter spreads it', () => {
  for (const [random, expected] of [[() => 0, 3000], [() => 1, 6000]]) {
    const { network, time, phase } = connect({ random });
    network.latest().receive({ type: 'welcome' });
    network.latest().receive({ type: 'notice', code: 'draining', retryAfterMs: 3000 });
    network.latest().drop(1001);
    assert.equal(phase().cause, 'restarting');
    assert.equal(phase().untilMs - time.nowMs, expected);
    time.pass(expected);
    network.latest().drop();
    assert.equal(phase().cause, 'restarting', 'until a server answers');
  }
});

test('why it waits is told: lost, too slow, too talkative', () => {
  for (const [code, cause] of [[1006, 'lost'], [1001, 'lost'], [4003, 'slow'], [4008, 'flooding']]) {
    const { network, phase } = connect();
    network.latest().receive({ type: 'welcome' });
    network.latest().drop(code);
    assert.equal(phase().cause, cause, `code ${code}`);
  }
});

test('too slow or after too many messages it stays away longer', () => {
  for (const code of [4003, 4008]) {
    const { network, time, phase } = connect();
    network.latest().receive({ type: 'welcome' });
    network.latest().drop(code);
    assert.equal(phase().untilMs - time.nowMs, 8000);
  }
});

test('taken back here after another place took it', () => {
  const { connection, network, phase } = connect();
  network.latest().receive({ type: 'welcome' });
  network.latest().drop(4002);
  connection.start();
  network.latest().receive({ type: 'welcome' });
  assert.equal(phase().name, 'open');
  assert.equal(network.sockets.length, 2);
});

const refusal = (status, code = '') => async () => ({ status, code });
const unreachable = async () => {
  throw new Error('unreachable');
};

test('an attempt that was refused for good is the last, and says why', async () => {
  for (const [why, reason] of [
    [refusal(404, 'session_not_found'), 'gone'], [refusal(410), 'gone'], [refusal(400, 'bad_name'), 'badName'],
    [refusal(403, 'session_locked'), 'locked'], [refusal(403, 'removed'), 'removed'],
  ]) {
    const { network, phase, settle, time } = connect({ whyRefused: why });
    network.latest().drop();
    assert.equal(phase().name, 'waiting');
    await settle();
    assert.deepEqual(phase(), { name: 'closed', reason });
    assert.equal(time.pending, 0);
  }
});

test('what was never open is not lost, whoever refuses it', async () => {
  for (const [why, cause, delayMs] of [
    [unreachable, 'unreached', 500], [refusal(403, 'foreign_origin'), 'foreign', 10_000],
    [refusal(503, 'session_full'), 'full', 10_000], [refusal(503, 'too_many_connections'), 'crowded', 10_000],
    [refusal(503, 'unavailable'), 'unavailable', 500], [refusal(503, 'draining'), 'restarting', 500],
    [refusal(502), 'unavailable', 500], [refusal(403), 'refused', 10_000], [refusal(404), 'refused', 10_000],
    [refusal(400, 'bad_request'), 'refused', 10_000],
  ]) {
    const { network, phase, settle, time } = connect({ whyRefused: why });
    network.latest().drop();
    assert.equal(phase().cause, 'unreached', 'until that is known');
    await settle();
    assert.deepEqual([phase().name, phase().cause], ['waiting', cause]);
    assert.equal(phase().untilMs - time.nowMs, delayMs, cause);
    assert.equal(phase().status, cause === 'refused' ? (await why()).status : undefined);
  }
});

test('the cause stands until another one is known, or the connection is open', async () => {
  let why = refusal(403, 'foreign_origin');
  const { network, phase, settle, time } = connect({ whyRefused: () => why() });
  network.latest().drop();
  await settle();
  time.pass(10_000);
  network.latest().drop();
  assert.equal(phase().cause, 'foreign');
  why = unreachable;
  await settle();
  assert.equal(phase().cause, 'foreign', 'that answer was on its way');
  time.pass(10_000);
  network.latest().drop();
  await settle();
  assert.equal(phase().cause, 'unreached');
  time.pass(10_000);
  network.latest().receive({ type: 'welcome' });
  network.latest().drop();
  assert.equal(phase().cause, 'lost');
});

test('an upgrade has to be missed twice, for a server may have been away but a moment', async () => {
  for (const why of [refusal(426, 'upgrade_required'), refusal(200)]) {
    const { network, phase, settle, time } = connect({ whyRefused: why });
    network.latest().drop();
    await settle();
    assert.deepEqual([phase().cause, phase().untilMs - time.nowMs], ['unreached', 500]);
    time.pass(500);
    network.latest().drop();
    await settle();
    assert.deepEqual([phase().cause, phase().untilMs - time.nowMs], ['noUpgrade', 10_000]);
  }
});

test('an attempt that neither opens nor fails is asked about, too', async () => {
  const { phase, settle, time } = connect({ whyRefused: refusal(403, 'foreign_origin') });
  time.pass(10_000);
  await settle();
  assert.equal(phase().cause, 'foreign');
});

test('an answer that comes too late changes nothing', async () => {
  let answer;
  const { connection, network, phase, settle } = connect({ whyRefused: () => new Promise((resolve) => (answer = resolve)) });
  network.latest().drop();
  connection.retryNow();
  answer({ status: 410, code: '' });
  await settle();
  assert.equal(phase().name, 'connecting');
});

test('a connection that neither opens nor fails is given up after ten seconds', () => {
  const { network, time, phase } = connect();
  const first = network.latest();
  time.pass(10_000);
  assert.equal(phase().name, 'waiting');
  assert.notEqual(first.closedWith, null);
});

test('a ping without any answer for ten seconds gives the connection up', () => {
  const { connection, network, time, phase } = connect();
  network.latest().receive({ type: 'welcome' });
  connection.ping({ type: 'ping' });
  time.pass(9000);
  assert.equal(connection.ping({ type: 'ping' }), true);
  network.latest().receive({ type: 'state' });
  time.pass(9000);
  assert.equal(connection.ping({ type: 'ping' }), true, 'it was heard of in between');
  time.pass(11_000);
  assert.equal(connection.ping({ type: 'ping' }), false);
  assert.equal(phase().name, 'waiting');
});

test('what a socket left behind says is nobody\'s any more', () => {
  const { network, time, phase, messages } = connect();
  const first = network.latest();
  time.pass(10_000);
  time.pass(500);
  assert.equal(network.sockets.length, 2);
  first.receive({ type: 'welcome' });
  first.drop(4001);
  assert.equal(phase().name, 'connecting');
  assert.deepEqual(messages, []);
});

test('stopping closes the socket and leaves no timer', () => {
  const { connection, network, time, phase } = connect();
  network.latest().receive({ type: 'welcome' });
  connection.stop();
  assert.deepEqual(phase(), { name: 'closed', reason: 'stopped' });
  assert.equal(network.latest().closedWith, 1000);
  assert.equal(time.pending, 0);
});
