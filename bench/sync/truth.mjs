// What is really so: the session's state and the server's clock, seen from beside the server.
//
// One member that no proxy stands before. It is the host, gives the commands, keeps every state, and
// reads the server's clock by the least round trip of many.
import { createSession, join, sleep } from '../../tests/support/member.mjs';

const PINGS = 15;
const REFRESH_MS = 5_000;

// Milliseconds since the Unix epoch by this machine's steady clock, the one that its browsers have.
export function localMs() {
  return performance.timeOrigin + performance.now();
}

export class Truth {
  key;
  #member;
  #states = []; // {state, fromMs}: local time at which it began to hold, oldest first
  #offsets = []; // {atMs, offsetMs, rttMs}: server minus local
  #timer;

  // Creates the session on `server` and enters it as its host.
  static async open(server) {
    const truth = new Truth();
    const { key, hostToken } = await createSession(server);
    truth.key = key;
    truth.#member = await join(server, key, { name: 'Truth', host: hostToken });
    truth.#member.socket.on('message', (data) => truth.#onMessage(JSON.parse(data)));
    await truth.#readClock();
    truth.#onMessage({ type: 'state', ...truth.#member.welcome.state });
    truth.#timer = setInterval(() => truth.#readClock().catch(() => {}), REFRESH_MS);
    return truth;
  }

  // Sends a command; resolves to the local time of sending once its state is here.
  async command(type, fields = {}) {
    const before = this.#states.length;
    const sentMs = localMs();
    this.#member.send(type, fields);
    while (this.#states.length === before) await sleep(2);
    return sentMs;
  }

  get state() {
    return this.#states.at(-1).state;
  }

  // Half of the least round trip: how well the server's clock is known.
  get clockBoundMs() {
    return Math.min(...this.#offsets.map(({ rttMs }) => rttMs)) / 2;
  }

  serverMs(atMs) {
    let best = this.#offsets[0];
    for (const sample of this.#offsets) {
      if (Math.abs(sample.atMs - atMs) < Math.abs(best.atMs - atMs)) best = sample;
    }
    return atMs + best.offsetMs;
  }

  // The media position in seconds at a local time; null where the showing rests, or is not begun.
  positionAt(atMs) {
    const held = this.#states.findLast(({ fromMs }) => fromMs <= atMs)?.state;
    const elapsedMs = held ? this.serverMs(atMs) - held.atMs : 0;
    if (!held?.playing || elapsedMs < 0) return null;
    return held.position + (held.rate * elapsedMs) / 1000;
  }

  async close() {
    clearInterval(this.#timer);
    this.#member.send('end');
    await this.#member.closed;
  }

  #onMessage(message) {
    if (message.type === 'state') this.#states.push({ state: message, fromMs: localMs() });
  }

  // The best of a few quick pings. The median of the offsets of the last minute would not be better:
  // on one machine the round trip is a tenth of a millisecond.
  async #readClock() {
    let best = null;
    for (let i = 0; i < PINGS; i++) {
      const t1 = localMs();
      const answered = this.#pong(`truth ${t1} ${i}`);
      this.#member.send('ping', { id: `truth ${t1} ${i}`, t1 });
      const { pong, t4 } = await answered;
      const rttMs = t4 - t1 - (pong.t3 - pong.t2);
      if (!best || rttMs < best.rttMs) best = { atMs: t4, offsetMs: (pong.t2 - t1 + pong.t3 - t4) / 2, rttMs };
    }
    this.#offsets.push(best);
  }

  #pong(id) {
    const { socket } = this.#member;
    return new Promise((resolve) => {
      const look = (data) => {
        const t4 = localMs();
        const pong = JSON.parse(data);
        if (pong.type !== 'pong' || pong.id !== id) return;
        socket.off('message', look);
        resolve({ pong, t4 });
      };
      socket.on('message', look);
    });
  }
}
