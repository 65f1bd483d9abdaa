// One viewer of a soak: holds the newest state it was told, says where its player is, and comes back as a page does.
//
// It lives over several connections: lose() and come back by resume token, leave() and come as somebody new. What it
// finds wrong goes to `world.onFault(text)`, what happens to `world.count(name)`; nothing is thrown. One thread.
import { WebSocket } from '../../tests/support/member.mjs';
import { HeldState } from './held_state.mjs';

const RESUME_MS = 20_000; // within 30 s who comes back is who it was; some are spent on the way
const RETRY_MS = 1_000;
const BUFFERS = 0.0005; // of reports
// Ends that a page takes for a reason to come back: the server ends, heard nothing, or the viewer did not read.
const COMES_BACK = new Set([1001, 4003]);

export class Viewer {
  #world;
  #query;
  #socket = null;
  #held = new HeldState();
  #resume = null;
  #id = null;
  #lostMs = 0;
  #reportEveryMs = 5_000;
  #nextReportMs = 0;
  #onState = () => {};

  // world: {wsOrigin, onFault(text), count(name), isCalm(): nobody buffers}. query: of the handshake, besides the session.
  constructor(world, key, query = {}) {
    this.#world = world;
    this.key = key;
    this.#query = query;
    this.phase = 'out'; // 'out' -> 'joining' -> 'in' -> 'out'
    this.mayJoinAtMs = 0;
    this.pausedUntilMs = 0;
  }

  get digest() {
    return this.#held.digest;
  }

  // Each `state` and refusal from now on, as it comes.
  listen(onMessage) {
    this.#onState = onMessage;
  }

  connect() {
    const back = this.#resume ? { resume: this.#resume, held: this.#held.text } : {};
    const socket = new WebSocket(`${this.#world.wsOrigin}/ws?${new URLSearchParams({ session: this.key, ...this.#query, ...back })}`, { perMessageDeflate: false });
    this.#socket = socket;
    this.phase = 'joining';
    const ifOwn = (act) => (...words) => (socket === this.#socket ? act(...words) : undefined);
    socket.on('message', ifOwn((data) => this.#onMessage(String(data))));
    socket.on('close', ifOwn((code) => this.#onClosed(code)));
    socket.on('unexpected-response', ifOwn((_, answer) => this.#onRefused(answer)));
    // What was given up by us may say so; a 'close' follows otherwise.
    socket.on('error', ifOwn((error) => this.#fault(`a connection failed: ${error.message}`)));
  }

  send(type, fields = {}) {
    if (this.phase === 'in') this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  // As a player does, once it is due.
  report(nowMs, random) {
    if (this.phase !== 'in' || nowMs < this.#nextReportMs) return;
    this.#nextReportMs = nowMs + this.#reportEveryMs;
    const buffering = !this.#world.isCalm() && random() < BUFFERS;
    this.send('report', { driftMs: Math.round(40 * random() - 20), rttMs: Math.round(5 + 60 * random()), buffering, form: 'file' });
    if (buffering) this.#nextReportMs = nowMs + 500; // and then no more
    this.#world.count('reports');
  }

  // A network that vanishes: no Close. Comes back after `afterMs`.
  lose(afterMs) {
    this.#abandon((socket) => socket.terminate(), afterMs);
    this.#lostMs = performance.now();
  }

  // For good; who comes after `afterMs` is somebody new.
  leave(afterMs) {
    this.#abandon((socket) => socket.close(1000), afterMs);
    this.#resume = null;
    this.#held = new HeldState();
  }

  // Reads nothing until then.
  rest(untilMs) {
    this.pausedUntilMs = untilMs;
    this.#socket.pause();
  }

  readOn() {
    this.pausedUntilMs = 0;
    if (this.phase === 'in') this.#socket.resume();
  }

  #abandon(act, afterMs) {
    const socket = this.#socket;
    this.#socket = null;
    this.phase = 'out';
    this.pausedUntilMs = 0;
    this.mayJoinAtMs = performance.now() + afterMs;
    if (!socket) return;
    socket.removeAllListeners('message'); // nobody reads these any more
    socket.resume(); // a close waits for what was sent before
    act(socket);
  }

  #onMessage(text) {
    const message = JSON.parse(text);
    if (message.type === 'state') this.#take(message);
    if (message.type === 'welcome') this.#onWelcome(message);
    if (message.type === 'notice') this.#world.count(`notice ${message.code}`);
    if (message.type === 'notice' && message.code === 'undone') this.#fault('something was undone');
    if (message.type === 'state' || message.type === 'error') this.#onState(message);
    this.#world.count(message.type === 'state' ? 'states' : 'messages');
  }

  #onWelcome({ you, state, reportEveryMs }) {
    const wasAwayMs = performance.now() - this.#lostMs;
    if (this.#resume && wasAwayMs < RESUME_MS && you.id !== this.#id) this.#fault(`came back after ${Math.round(wasAwayMs)} ms as ${you.id} and was ${this.#id}`);
    this.#take(state);
    this.#resume = you.resume;
    this.#id = you.id;
    this.#reportEveryMs = reportEveryMs;
    this.#nextReportMs = performance.now() + Math.random() * reportEveryMs;
    this.phase = 'in';
    this.#world.count('joins');
  }

  #take(state) {
    const fault = this.#held.take(state);
    if (fault) this.#fault(fault);
  }

  #onClosed(code) {
    this.#lostMs = performance.now();
    this.#abandon(() => {}, RETRY_MS * (0.5 + Math.random()));
    this.#world.count(`closed with ${code}`);
    if (!COMES_BACK.has(code)) this.#fault(`was closed with ${code}`);
  }

  // 503: somebody else's time, and one tries again. Anything else is no answer to who has been told of this session.
  #onRefused(answer) {
    answer.resume();
    const { statusCode, headers } = answer;
    this.#abandon((socket) => socket.on('error', () => {}).terminate(), RETRY_MS * (Number(headers['retry-after'] ?? 1) + Math.random()));
    this.#world.count(`refused with ${statusCode}`);
    if (statusCode !== 503) this.#fault(`was refused with ${statusCode}`);
  }

  #fault(text) {
    this.#world.onFault(`a viewer of ${this.key.slice(0, 8)} ${text}`);
  }
}
