import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Room } from '../../www/session/room.js';
import { FakeTime, fakeWebSocket } from './support/fake_network.mjs';

const SERVER_MS = 1.8e12;
const playing = { epoch: 1, seq: 1, playing: true, position: 0, rate: 1, atMs: SERVER_MS, video: 'v', by: null, cause: 'play' };

const welcome = (changes = {}) => ({
  type: 'welcome', protocol: 1, you: { id: 'b', name: 'Ben', role: 'participant', resume: 'b.secret' },
  session: { key: 'k', video: 'v', control: 'host', onStall: 'continue' }, host: 'a', state: playing,
  members: { count: 2, list: [{ id: 'a', name: 'Ann', role: 'host' }, { id: 'b', name: 'Ben', role: 'participant' }] },
  serverTimeMs: SERVER_MS, reportEveryMs: 5000, ...changes,
});

function enter(memory = { resume: null, hostToken: null, controlGivenAway: false }, name = 'Ben') {
  const time = new FakeTime();
  const network = fakeWebSocket();
  const room = new Room({
    origin: 'ws://host', key: 'k', name, memory, WebSocket: network.WebSocket,
    timers: time.timers, now: time.now, wallNow: time.now, random: () => 1,
  });
  const events = [];
  for (const type of ['state', 'settings', 'people', 'host', 'chat', 'reaction', 'refused', 'waiting', 'notice', 'undone', 'queue', 'upNext', 'ready', 'history', 'knocks']) {
    room.addEventListener(type, ({ detail }) => events.push({ type, detail }));
  }
  room.connection.start();
  return { room, time, network, memory, events, of: (type) => events.filter((event) => event.type === type) };
}

test('the welcome puts a late joiner in place at once', () => {
  const { room, time, network } = enter();
  time.pass(40);
  network.latest().receive(welcome({ serverTimeMs: SERVER_MS + 60_000 }));
  assert.ok(Math.abs(room.timeline.positionAt(room.serverTimeMs()) - 60) < 0.05);
  assert.equal(room.presence.hostName, 'Ann');
});

test('what was told over HTTP puts a joiner in place before the connection is there', () => {
  const { room, time, network, of } = enter();
  const info = { state: { ...playing, position: 7, seq: 2 }, serverTimeMs: SERVER_MS + 10_000, members: 2 };
  room.foretell({ info, askedMs: time.nowMs - 150, heardMs: time.nowMs });
  const seenS = () => room.timeline.positionAt(room.serverTimeMs());
  assert.ok(Math.abs(seenS() - 17.075) < 0.001, `${seenS()}`);
  assert.equal(of('state').length, 1);
  assert.equal(room.you, null);
  time.pass(450);
  network.latest().receive(welcome({ state: info.state, serverTimeMs: SERVER_MS + 10_500 }));
  assert.ok(Math.abs(seenS() - 17.525) < 0.05, `${seenS()}`);
  assert.equal(of('state').length, 1, 'the same once more is nothing new');
});

test('the welcome is right against what was told before, and of what comes after it nothing is taken', () => {
  const { room, time, network, of } = enter();
  const info = (seq, position) => ({ state: { ...playing, seq, position }, serverTimeMs: SERVER_MS });
  room.foretell({ info: info(2, 7), askedMs: 900, heardMs: 1000 });
  network.latest().receive(welcome({ state: { ...playing, seq: 4, position: 100 } }));
  assert.deepEqual(of('state').map(({ detail: { state } }) => state.seq), [2, 4]);
  const boundMs = room.clock.errorBoundMs(time.nowMs);
  room.foretell({ info: info(5, 200), askedMs: 999, heardMs: 1000 });
  assert.equal(room.timeline.state.seq, 4);
  assert.equal(room.clock.errorBoundMs(time.nowMs), boundMs);
});

test('eight pings in the first 1.6 seconds, then one every ten; pongs sharpen the clock', () => {
  const { room, time, network } = enter();
  time.pass(400);
  network.latest().receive(welcome());
  const coarse = room.clock.errorBoundMs(time.nowMs);
  time.pass(1600 - 1);
  const pings = network.latest().sent;
  assert.equal(pings.length, 8);
  const { id, t1 } = pings[7];
  network.latest().receive({ type: 'pong', id, t1, t2: SERVER_MS + 1400, t3: SERVER_MS + 1400 });
  assert.ok(room.clock.errorBoundMs(time.nowMs) < coarse);
  const clockPings = () => pings.filter((ping) => ping.id !== 'heartbeat').length;
  time.pass(10_000);
  assert.equal(clockPings(), 9);
});

test('the pages of a session ask no more often together than a server answers in passing', () => {
  for (const [count, everyMs] of [[1, 2_000], [1_000, 2_000], [2_000, 4_000], [5_000, 10_000], [50_000, 10_000]]) {
    const { room, time, network } = enter();
    network.latest().receive({ ...welcome(), members: { ...welcome().members, count } });
    const beats = () => network.latest().sent.filter(({ id }) => id === 'heartbeat').length;
    time.pass(everyMs - 1);
    assert.equal(beats(), 0, `${count}`);
    time.pass(1);
    assert.equal(beats(), 1, `${count}`);
    time.pass(1_000);
    assert.equal(room.isSilent, false, `${count}`);
    time.pass(1);
    assert.equal(room.isSilent, true, `${count}`);
  }
});

test('whoever hears nothing for two seconds asks every two, so that silence is known for what it is', () => {
  const { room, time, network } = enter();
  network.latest().receive(welcome());
  time.pass(2_000);
  const socket = network.latest();
  const beats = () => socket.sent.filter(({ id }) => id === 'heartbeat').length;
  assert.equal(beats(), 1);
  const boundMs = room.clock.errorBoundMs(time.nowMs);
  socket.receive({ type: 'pong', id: 'heartbeat', t1: 0, t2: 5, t3: 5 });
  assert.equal(room.silentMs, 0);
  assert.equal(room.clock.errorBoundMs(time.nowMs), boundMs, 'the clock does not count it');
  time.pass(1_500);
  socket.receive({ type: 'chat', from: 'a', name: 'Ann', text: 'hello' });
  time.pass(1_999);
  assert.equal(beats(), 1, 'while anything is said nothing is asked');
  time.pass(1);
  assert.equal(beats(), 2);
  time.pass(4_000);
  assert.equal(beats(), 4);
  assert.deepEqual([room.silentMs, room.isSilent], [6_000, true]);
  socket.drop();
  assert.deepEqual([room.silentMs, room.isSilent], [0, false], 'of a connection that is gone the phase tells');
  time.pass(400);
  assert.equal(beats(), 4);
});

test('a reconnection presents the resume token and drops what it knew of the clock', () => {
  const { room, time, network, memory } = enter();
  network.latest().receive(welcome());
  assert.equal(memory.resume, 'b.secret');
  network.latest().drop();
  assert.ok(!Number.isNaN(room.serverTimeMs()), 'the showing goes on meanwhile');
  time.pass(500);
  assert.equal(network.latest().url.searchParams.get('resume'), 'b.secret');
  network.latest().receive(welcome({ serverTimeMs: SERVER_MS + 90_000 }));
  assert.ok(Math.abs(room.serverTimeMs() - SERVER_MS - 90_000) < 1);
});

test('who comes back says which state was seen last, again after a refusal, until there is a newer one', () => {
  const { room, time, network } = enter();
  const held = () => network.latest().url.searchParams.get('held');
  assert.equal(held(), null);
  network.latest().receive(welcome());
  network.latest().receive({ type: 'state', ...playing, seq: 3, playing: false, cause: 'pause' });
  network.latest().drop();
  time.pass(500);
  assert.equal(held(), '1.3');

  network.latest().drop(); // 503, which a browser does not tell
  assert.deepEqual([room.connection.phase.name, room.connection.phase.cause], ['waiting', 'lost']);
  assert.equal(room.timeline.state.seq, 3, 'the showing goes on meanwhile');
  time.pass(1000);
  assert.deepEqual([network.sockets.length, held()], [3, '1.3']);

  network.latest().receive(welcome({ state: { ...playing, epoch: 2, seq: 0 } }));
  network.latest().drop();
  time.pass(2000);
  assert.deepEqual([network.sockets.length, held()], [4, '2.0']);
});

test('a page that was loaded anew says what the tab had seen before', () => {
  const memory = { resume: null, held: null, hostToken: null, controlGivenAway: false };
  const { network } = enter(memory);
  network.latest().receive(welcome({ state: { ...playing, epoch: 1.8e15, seq: 2 } }));
  network.latest().receive({ type: 'state', ...playing, epoch: 1.8e15, seq: 3 });
  network.latest().receive({ type: 'state', ...playing, epoch: 1.8e15, seq: 1 });
  assert.equal(memory.held, '1800000000000000.3');

  const { room, network: anew } = enter(memory);
  const query = anew.latest().url.searchParams;
  assert.deepEqual([query.get('resume'), query.get('held')], ['b.secret', '1800000000000000.3']);
  const past = { ...playing, epoch: 1.8e15, seq: 2, position: 50 };
  room.foretell({ info: { state: past, serverTimeMs: SERVER_MS }, askedMs: 900, heardMs: 1000 });
  assert.equal(room.timeline.state, null, 'a node that was left behind shows nobody the past');
  anew.latest().receive(welcome({ state: { ...playing, epoch: 1.8e15, seq: 3 } }));
  assert.equal(room.timeline.state.seq, 3, 'the same state is news to a page that was loaded anew');
  anew.latest().drop();
  assert.equal(memory.held, '1800000000000000.3');
});

test('what is no place is not said to have been seen', () => {
  for (const held of [undefined, null, '', '7', 'a.b', '1.', '.1', '1.2.3', '1.5e99', '-1.2']) {
    const { network } = enter({ resume: 'b.secret', held, hostToken: null, controlGivenAway: false });
    const query = network.latest().url.searchParams;
    assert.deepEqual([query.get('resume'), query.get('held')], ['b.secret', null], `${held}`);
  }
});

test('no pings go out while there is no connection', () => {
  const { time, network } = enter();
  network.latest().receive(welcome());
  network.latest().drop();
  const before = network.sockets[0].sent.length;
  time.pass(300);
  assert.equal(network.sockets[0].sent.length, before);
});

test('the creator presents the host token, but not after giving control away', () => {
  const { room, time, network, memory } = enter({ resume: null, hostToken: 'secret', controlGivenAway: false });
  assert.equal(network.latest().url.searchParams.get('host'), 'secret');
  network.latest().receive(welcome({ host: 'b' }));
  assert.equal(room.mayControl, true);
  network.latest().receive({ type: 'host', epoch: 2, id: 'a', reason: 'given' });
  assert.equal(memory.controlGivenAway, true);
  assert.equal(room.mayClaim, true);
  network.latest().drop();
  time.pass(500);
  assert.equal(network.latest().url.searchParams.get('host'), null);
  network.latest().receive(welcome());
  room.claim();
  assert.deepEqual(network.latest().sent.at(-1), { type: 'claim', hostToken: 'secret' });
  network.latest().receive({ type: 'host', epoch: 3, id: 'b', reason: 'claimed' });
  assert.equal(memory.controlGivenAway, false);
});

test('losing control by absence does not count as giving it away', () => {
  const { network, memory } = enter({ resume: null, hostToken: 'secret', controlGivenAway: false });
  network.latest().receive(welcome({ host: 'b' }));
  network.latest().receive({ type: 'host', epoch: 2, id: 'a', reason: 'left' });
  assert.equal(memory.controlGivenAway, false);
});

test('only newer states become events', () => {
  const { network, of } = enter();
  network.latest().receive(welcome());
  network.latest().receive({ type: 'state', ...playing, seq: 3, playing: false, cause: 'pause' });
  network.latest().receive({ type: 'state', ...playing, seq: 2 });
  assert.deepEqual(of('state').map(({ detail }) => detail.state.seq), [1, 3]);
});

test('the notice that what was done is undone is no state of the service', () => {
  const { network, of } = enter();
  network.latest().receive(welcome());
  network.latest().receive({ type: 'notice', code: 'degraded' });
  network.latest().receive({ type: 'notice', code: 'undone' });
  assert.deepEqual(of('notice').map(({ detail }) => detail.code), ['degraded']);
  assert.equal(of('undone').length, 1);
});

test('who comes back to a session that was taken over is told once if what it saw is undone', () => {
  const takenOver = [{ epoch: 1.795e15, after: { epoch: 1, seq: 1 } }];
  const after = { ...playing, epoch: 1.795e15, seq: 2 };
  for (const [seenSeq, isUndone] of [[2, true], [1, false]]) {
    const { time, network, events, of } = enter();
    network.latest().receive(welcome());
    network.latest().receive({ type: 'state', ...playing, seq: seenSeq });
    network.latest().drop();
    time.pass(500);
    network.latest().receive(welcome({ state: after, takenOver }));
    assert.equal(of('undone').length, isUndone ? 1 : 0);
    if (isUndone) assert.deepEqual(events.slice(-2).map(({ type }) => type), ['state', 'undone'], 'with what counts in place');
    network.latest().drop();
    time.pass(1000);
    network.latest().receive(welcome({ state: { ...after, seq: 3 }, takenOver }));
    assert.equal(of('undone').length, isUndone ? 1 : 0, 'no news any more');
  }
});

test('who comes to it for the first time has seen nothing that could be undone', () => {
  const { network, of } = enter();
  network.latest().receive(welcome({ takenOver: [{ epoch: 1, after: { epoch: 0, seq: 0 } }] }));
  assert.deepEqual(of('undone'), []);
});

test('changed settings are told, and say who may control', () => {
  const { room, network, of } = enter();
  network.latest().receive(welcome());
  assert.equal(room.mayControl, false);
  network.latest().receive({ type: 'settings', control: 'everyone', onStall: 'wait' });
  assert.equal(room.mayControl, true);
  assert.deepEqual(of('settings').at(-1).detail, { control: 'everyone', onStall: 'wait', audioLanguage: '', queue: 'host', controllers: [], door: 'open' });
  network.latest().receive({ type: 'settings', control: 'everyone', onStall: 'wait', audioLanguage: 'de' });
  assert.equal(of('settings').at(-1).detail.audioLanguage, 'de');
});

test('whom the host names may control, too; who may add to the queue may take back what is theirs', () => {
  const { room, network } = enter();
  network.latest().receive(welcome());
  const settings = { type: 'settings', control: 'host', onStall: 'continue' };
  network.latest().receive({ ...settings, queue: 'everyone', controllers: [] });
  assert.deepEqual([room.mayControl, room.mayQueue], [false, true]);
  assert.deepEqual([{ id: 'b', name: 'Ben' }, { id: 'a', name: 'Ann' }, null].map((by) => room.mayDequeue({ by })), [true, false, false]);
  network.latest().receive({ ...settings, queue: 'host', controllers: ['b'] });
  assert.deepEqual([room.mayControl, room.mayQueue, room.mayDequeue({ by: null })], [true, true, true]);
  network.latest().receive({ ...settings, queue: 'host', controllers: [] });
  assert.deepEqual([room.mayControl, room.mayQueue, room.mayDequeue({ by: { id: 'b', name: 'Ben' } })], [false, false, false]);
});

const itemOf = (item) => ({ item, video: `v${item}`, title: item, by: null });
const queueOf = (version, items, more = {}) => ({ type: 'queue', epoch: 1, version, list: items.map(itemOf), ...more });
const itemsOf = (room) => room.queue.list.map(({ item }) => item).join('');

test('the host knows who waits at the door, as long as it hears of them', () => {
  const { room, time, network, of } = enter();
  const hear = (ms) => {
    for (let heardMs = 0; heardMs < ms; heardMs += 1_000) {
      time.pass(1_000);
      network.latest().receive({ type: 'pong', id: 'heartbeat' });
    }
  };
  network.latest().receive(welcome({ host: 'b' }));
  assert.equal(room.settings.door, 'open', 'a server that knows no door has an open one');
  network.latest().receive({ type: 'knock', id: 'k1', name: 'Cem' });
  network.latest().receive({ type: 'knock', id: 'k2', name: 'Dan' });
  hear(20_000);
  network.latest().receive({ type: 'knock', id: 'k2', name: 'Dan' });
  assert.deepEqual(room.knocks.list, [{ id: 'k1', name: 'Cem' }, { id: 'k2', name: 'Dan' }]);
  assert.equal(of('knocks').length, 2);
  hear(11_000);
  room.forgetSilentKnocks();
  assert.deepEqual(room.knocks.list, [{ id: 'k2', name: 'Dan' }]);
  network.latest().receive({ type: 'knock', id: 'k2', gone: true });
  network.latest().receive({ type: 'knock', id: 'k2', gone: true });
  assert.equal(of('knocks').length, 4);
  network.latest().receive({ type: 'knock', id: 'k3', name: 'Eda' });
  network.latest().receive({ type: 'host', epoch: 2, id: 'a', reason: 'given' });
  assert.deepEqual(room.knocks.list, []);
});

test('who knocks asks whether anybody is there, too', () => {
  const { room, time, network } = enter();
  network.latest().receive({ type: 'knocking' });
  time.pass(2_001);
  assert.deepEqual(network.latest().sent.map(({ id }) => id), ['heartbeat']);
  time.pass(2_000);
  assert.equal(room.isSilent, true);
});

test('the latest queue counts, however it is cut up, and a new connection begins with none', () => {
  const { room, network } = enter();
  const tell = (message) => network.latest().receive(message);
  tell(welcome());
  tell(queueOf(2, ['a', 'b']));
  tell(queueOf(1, ['x']));
  assert.equal(itemsOf(room), 'ab', 'an older one');
  tell(queueOf(2, ['c'], { from: 2 }));
  tell(queueOf(2, ['c'], { from: 2 }));
  assert.equal(itemsOf(room), 'abc', 'the rest, once');
  tell(queueOf(3, ['d'], { from: 3 }));
  assert.equal(itemsOf(room), 'abc', 'a part of what was not begun');
  tell({ ...queueOf(1, ['e']), epoch: 2 });
  assert.equal(itemsOf(room), 'e', 'a later epoch');
  tell(welcome());
  assert.equal(itemsOf(room), '');
  tell({ ...queueOf(1, ['e']), epoch: 2 });
  assert.equal(itemsOf(room), 'e', 'the same one, told again');
});

test('what begins by itself is known from the welcome on, until another film is there', () => {
  const { room, network, of } = enter();
  const upNext = { item: 'i1', video: 'w', title: 'W', atMs: SERVER_MS + 8_000 };
  network.latest().receive(welcome({ upNext }));
  assert.deepEqual(room.upNext, upNext);
  network.latest().receive({ type: 'upNext', item: null });
  assert.equal(room.upNext, null);
  network.latest().receive({ type: 'upNext', ...upNext });
  network.latest().receive({ ...playing, type: 'state', seq: 2, video: 'w', cause: 'load' });
  assert.equal(room.upNext, null);
  assert.deepEqual(of('upNext').map(({ detail }) => detail?.item), ['i1', undefined, 'i1', undefined]);
});

test('who is ready is ready until a film is loaded or begins', () => {
  const { room, network } = enter();
  network.latest().receive(welcome({ members: { count: 2, ready: 1, list: [] }, you: { id: 'b', name: 'Ben', role: 'participant', ready: true } }));
  assert.deepEqual([room.youAreReady, room.readyCount], [true, 1]);
  network.latest().receive({ ...playing, type: 'state', seq: 2, cause: 'seek' });
  assert.equal(room.youAreReady, true);
  network.latest().receive({ ...playing, type: 'state', seq: 3, cause: 'play' });
  network.latest().receive({ type: 'members', count: 2, ready: 0 });
  assert.deepEqual([room.youAreReady, room.readyCount], [false, 0]);
  room.setReady(true);
  assert.equal(room.youAreReady, true);
  assert.deepEqual(network.latest().sent.at(-1), { type: 'ready', ready: true });
  network.latest().receive({ type: 'error', re: 'ready', code: 'rate_limited' });
  assert.equal(room.youAreReady, false, 'it was refused');
});

test('what was said before is told, and asked for no second time', () => {
  const { network, time, of } = enter();
  network.latest().receive(welcome());
  network.latest().receive({ type: 'history', list: [{ id: 'c4', from: 'a', name: 'Ann', text: 'hi', atMs: SERVER_MS }] });
  network.latest().receive({ type: 'chat', id: 'c7', from: 'a', name: 'Ann', text: 'ho', atMs: SERVER_MS });
  assert.deepEqual(of('history').map(({ detail }) => detail.map(({ id }) => id)), [['c4']]);
  network.latest().drop();
  time.pass(5_000);
  assert.equal(new URL(network.latest().url).searchParams.get('chat'), 'c7');
});

test('reactions of one turn come in one message and are told one by one', () => {
  const { network, of } = enter();
  network.latest().receive(welcome());
  const one = (emoji) => ({ from: 'a', emoji, atMs: SERVER_MS });
  network.latest().receive({ type: 'reaction', ...one('👍'), more: [one('🎉'), one('❤️')] });
  assert.deepEqual(of('reaction').map(({ detail }) => detail.emoji), ['👍', '🎉', '❤️']);
});

test('a refusal is told as such', () => {
  const { network, of } = enter();
  network.latest().receive(welcome());
  network.latest().receive({ type: 'error', code: 'not_host', message: 'no', re: 'play' });
  assert.equal(of('refused')[0].detail.code, 'not_host');
});

test('who came and went is told with the people', () => {
  const { network, of } = enter();
  network.latest().receive(welcome());
  const cem = { id: 'c', name: 'Cem', role: 'participant' };
  network.latest().receive({ type: 'members', count: 3, joined: [cem], left: [], changed: [] });
  assert.deepEqual(of('people').at(-1).detail, { joined: [cem], left: [] });
});

const changed = (...members) => ({ type: 'members', count: 2, joined: [], left: [], changed: members });
const named = (name, role = 'participant') => changed({ id: 'b', name, role });

test('a name is remembered when the server has let its bearer in under it, and not before', () => {
  const { network, memory } = enter();
  assert.equal('name' in memory, false);
  network.latest().receive(welcome());
  assert.equal(memory.name, 'Ben');
});

test('who left the name to the server is remembered as nobody', () => {
  const { network, memory } = enter({}, '');
  network.latest().receive(welcome({ you: { id: 'b', name: 'Guest 2', role: 'participant', resume: 'b.secret' } }));
  network.latest().receive(named('Guest 2', 'host'));
  assert.equal(memory.name, '');
});

test('another name is remembered, and goes along when the connection comes back, once it is taken', () => {
  const { room, time, network, memory } = enter();
  network.latest().receive(welcome());
  room.rename('Benny');
  assert.deepEqual(network.latest().sent.at(-1), { type: 'name', name: 'Benny' });
  network.latest().receive(changed({ id: 'a', name: 'Benny', role: 'host' }));
  network.latest().receive(named('Ben', 'host'));
  assert.equal(memory.name, 'Ben', 'that was somebody else, and only a role');
  network.latest().receive(named('Benny'));
  assert.deepEqual([memory.name, room.you.name], ['Benny', 'Benny']);
  network.latest().drop();
  time.pass(500);
  assert.equal(network.latest().url.searchParams.get('name'), 'Benny');
});

test('a name that was taken at once stands among those who have just come', () => {
  const { room, network, memory } = enter();
  network.latest().receive(welcome());
  room.rename('Benny');
  const joined = [{ id: 'b', name: 'Benny', role: 'participant' }];
  network.latest().receive({ type: 'members', count: 2, joined, left: [], changed: [] });
  assert.equal(memory.name, 'Benny');
});

test('a name that is refused is not remembered and not asked for again', () => {
  const { room, time, network, memory } = enter();
  network.latest().receive(welcome());
  room.rename('Benny');
  network.latest().receive({ type: 'error', code: 'out_of_range', message: 'no', re: 'name' });
  network.latest().drop();
  time.pass(500);
  assert.equal(network.latest().url.searchParams.get('name'), 'Ben');
  network.latest().receive(welcome());
  assert.deepEqual(network.latest().sent.filter(({ type }) => type === 'name'), []);
  assert.equal(memory.name, 'Ben');
});

test('a name whose answer was lost with the connection is asked for once more, or was taken', () => {
  for (const wasTaken of [true, false]) {
    const { room, time, network, memory } = enter();
    network.latest().receive(welcome());
    room.rename('Benny');
    network.latest().drop();
    time.pass(500);
    const name = wasTaken ? 'Benny' : 'Ben';
    network.latest().receive(welcome({ you: { id: 'b', name, role: 'participant', resume: 'b.secret' } }));
    const asked = network.latest().sent.filter(({ type }) => type === 'name');
    assert.deepEqual(asked, wasTaken ? [] : [{ type: 'name', name: 'Benny' }]);
    assert.equal(memory.name, wasTaken ? 'Benny' : 'Ben');
  }
});

test('the clock is measured anew when asked, and time goes on meanwhile', () => {
  const { room, time, network } = enter();
  network.latest().receive(welcome());
  time.pass(2_000);
  const before = network.latest().sent.length;
  room.measureClock();
  assert.ok(!Number.isNaN(room.serverTimeMs()));
  time.pass(1_000);
  assert.ok(network.latest().sent.length >= before + 5);
});

test('after a sleep the clock is measured anew at once, and a dead connection is given up soon', () => {
  const time = new FakeTime();
  const network = fakeWebSocket();
  let wallAheadMs = 0;
  const room = new Room({
    origin: 'ws://host', key: 'k', name: 'Ben', memory: { resume: null, hostToken: null, controlGivenAway: false },
    WebSocket: network.WebSocket, timers: time.timers, now: time.now, wallNow: () => time.nowMs + wallAheadMs, random: () => 1,
  });
  room.connection.start();
  network.latest().receive(welcome());
  time.pass(5000);
  network.latest().receive({ type: 'chat', from: 'a', name: 'Ann', text: 'hello' });
  assert.equal(room.lookForSleep(), false);
  const before = network.latest().sent.length;
  wallAheadMs = 60_000; // performance.now() stood still for a minute
  assert.equal(room.lookForSleep(), true);
  assert.equal(network.latest().sent.length, before + 1, 'a ping at once');
  assert.ok(Number.isNaN(room.serverTimeMs()), 'nothing is believed before it is answered');
  time.pass(3100);
  assert.equal(room.connection.phase.name, 'waiting', 'nobody answered for three seconds');
  time.pass(600);
  assert.equal(network.sockets.length, 2);
  network.latest().receive(welcome({ serverTimeMs: SERVER_MS + 70_000 }));
  assert.ok(room.serverTimeMs() > SERVER_MS + 69_000);
});

test('a page that did not run for long looks at the clock again, and keeps what it knows', () => {
  const { room, time, network } = enter();
  network.latest().receive(welcome());
  assert.equal(room.lookForSleep(), false);
  const { sent } = network.latest();
  time.nowMs += 20_000;
  assert.equal(room.lookForSleep(), true);
  assert.ok(!Number.isNaN(room.serverTimeMs()));
  const count = sent.length;
  time.pass(1500);
  assert.ok(sent.length >= count + 7, 'quick pings again');
  assert.equal(room.lookForSleep(), false);
});
