// One member of a session, over the `ws` package: sends messages and waits for those that come.
//
// Every message is kept in `all`. next() looks at those that no earlier next() has passed, and then
// waits for more. A connection ends with close() or with the server; `closed` then resolves.
import assert from 'node:assert/strict';
import WebSocket from 'ws';

export { WebSocket };

const WAIT_MS = 15_000;

// Creates a session. Resolves to {key, hostToken, url}.
export async function createSession(server, settings = {}) {
  const response = await fetch(`${server.origin}/api/sessions`, {
    method: 'POST',
    body: JSON.stringify(settings),
  });
  assert.equal(response.status, 201, await response.clone().text());
  return response.json();
}

// Connects and waits for `welcome`. query: name, resume, host. headers: of the handshake.
export async function join(server, key, query = {}, options = {}) {
  const member = new Member(server, key, query, options);
  await member.opened;
  member.welcome = await member.next('welcome');
  member.id = member.welcome.you.id;
  member.resume = member.welcome.you.resume;
  return member;
}

// Connects, and waits for the word that the host has to let it in.
export async function knock(server, key, query = {}) {
  const member = new Member(server, key, query, {});
  await member.opened;
  await member.next('knocking');
  return member;
}

// As join(), one after the other, so that the first is the longest connected.
export async function joinMany(server, key, count) {
  const members = [];
  for (let i = 0; i < count; i += 1) members.push(await join(server, key, { name: `p${i}` }));
  return members;
}

// A session of its own with so many members, the first of which is its host: [...members, {key, hostToken, ...}].
export async function openRoom(server, count, settings) {
  const session = await createSession(server, settings);
  return [...(await joinMany(server, session.key, count)), session];
}

// The status with which a handshake is refused, and its JSON body.
export function refusal(server, query, options = {}) {
  const socket = new WebSocket(addressOf(server, query), options);
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.terminate();
      reject(new Error('the handshake was accepted'));
    });
    socket.once('error', reject);
    socket.once('unexpected-response', (_, response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () => {
        socket.removeAllListeners('error').on('error', () => {});
        socket.terminate();
        resolve({ status: response.statusCode, headers: response.headers, body: JSON.parse(text) });
      });
    });
  });
}

function addressOf(server, query) {
  return `${server.wsOrigin}/ws?${new URLSearchParams(query)}`;
}

class Member {
  #passed = 0; // messages of `all` that next() has looked at
  #held = { epoch: 0, seq: -1 }; // the state of the last message that next() has taken it from
  #wake = () => {};

  constructor(server, key, query, options) {
    this.all = [];
    this.socket = new WebSocket(addressOf(server, { session: key, ...query }), {
      perMessageDeflate: false,
      ...options,
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    // What the 101 has set, and as a browser would send it back.
    this.socket.once('upgrade', ({ headers }) => {
      this.setCookie = headers['set-cookie']?.join() ?? '';
      this.cookie = this.setCookie.split(';')[0];
    });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.socket.on('message', (data) => {
      const message = JSON.parse(data);
      message.receivedMs = Date.now();
      this.all.push(message);
      this.#wake();
    });
    this.socket.on('close', () => this.#wake());
  }

  // As docs/PROTOCOL.md has it: a state that is not newer than the one that is held is dropped. It is
  // told once more where a node may have missed something.
  #isNews(message) {
    const state = message.type === 'welcome' ? message.state : message.type === 'state' ? message : null;
    if (!state) return true;
    const isNewer = state.epoch > this.#held.epoch || (state.epoch === this.#held.epoch && state.seq > this.#held.seq);
    if (isNewer || message.type === 'welcome') this.#held = state;
    return isNewer || message.type === 'welcome';
  }

  send(type, fields = {}) {
    this.socket.send(JSON.stringify({ type, ...fields }));
  }

  sendText(text) {
    this.socket.send(text);
  }

  // The next message of this type that `accept` takes. Those before it are passed over.
  async next(type, accept = () => true, waitMs = WAIT_MS) {
    const deadline = Date.now() + waitMs;
    for (;;) {
      while (this.#passed < this.all.length) {
        const message = this.all[this.#passed];
        this.#passed += 1;
        if (!this.#isNews(message)) continue;
        if (message.type === type && accept(message)) return message;
      }
      const isOver = this.socket.readyState === WebSocket.CLOSED;
      if (isOver || Date.now() >= deadline) {
        const seen = this.all.slice(-8).map((message) => JSON.stringify(message)).join('\n');
        throw new Error(`no ${type} came${isOver ? ' before the close' : ''}; the last ones:\n${seen}`);
      }
      await this.#newsUntil(deadline);
    }
  }

  // Everything that the server said before it answered a ping of ours: a barrier. It holds for what
  // this connection itself caused only where one worker serves all.
  async settled() {
    const id = `barrier ${(this.barriers = (this.barriers ?? 0) + 1)}`;
    this.send('ping', { id, t1: 0 });
    await this.next('pong', (pong) => pong.id === id);
    return this.all;
  }

  of(type) {
    return this.all.filter((message) => message.type === type);
  }

  // Forgets what came so far.
  clear() {
    this.all.length = 0;
    this.#passed = 0;
  }

  async close(code = 1000) {
    this.socket.close(code);
    return this.closed;
  }

  // The code with which the server closes this connection.
  async closeCode(waitMs = WAIT_MS) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('the connection is still open')), waitMs);
    });
    try {
      return (await Promise.race([this.closed, late])).code;
    } finally {
      clearTimeout(timer);
    }
  }

  // As a lost connection: no Close frame.
  async drop() {
    this.socket.terminate();
    return this.closed;
  }

  #newsUntil(deadline) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

// What `get` resolves to, once `isRight` takes it.
export async function eventually(get, isRight, what, waitMs = WAIT_MS) {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const value = await get();
    if (isRight(value)) return value;
    assert.ok(Date.now() < deadline, `${what}: still ${JSON.stringify(value)}`);
    await sleep(20);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
