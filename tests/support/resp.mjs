// A small client for Redis (RESP2): commands, and listening to channels; and its answers, parsed.
import net from 'node:net';

const TIMEOUT_MS = 5_000;

// An answer at `at`: [value, where the next begins], or null where it is not yet whole. Texts are
// Buffers.
export function parseAnswer(bytes, at) {
  const end = bytes.indexOf('\r\n', at);
  if (end < 0) return null;
  const line = bytes.toString('utf8', at + 1, end);
  switch (String.fromCharCode(bytes[at])) {
    case '+': return [line, end + 2];
    case '-': return [new Error(line), end + 2];
    case ':': return [Number(line), end + 2];
    case '$': {
      const length = Number(line);
      if (length < 0) return [null, end + 2];
      if (bytes.length < end + 2 + length + 2) return null;
      return [bytes.subarray(end + 2, end + 2 + length), end + 2 + length + 2];
    }
    case '*': {
      const items = [];
      let next = end + 2;
      for (let left = Number(line); left > 0; left -= 1) {
        const item = parseAnswer(bytes, next);
        if (item === null) return null;
        items.push(item[0]);
        next = item[1];
      }
      return [items, next];
    }
    default: throw new Error(`no RESP: ${bytes.toString('latin1', at, end)}`);
  }
}

const encode = (words) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`).join('')}`;

// Buffers within an answer as text.
const asText = (value) =>
  Buffer.isBuffer(value) ? value.toString() : Array.isArray(value) ? value.map(asText) : value;

export class RespClient {
  #socket;
  #received = Buffer.alloc(0);
  #waiting = [];
  #onPush = null;

  // address: {port, host} or {path}.
  static async connect(address) {
    const client = new RespClient();
    const socket = (client.#socket = net.connect(address));
    socket.on('data', (bytes) => client.#take(bytes));
    socket.on('close', () => client.#fail(new Error('the connection to Redis has ended')));
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.on('error', () => {});
    return client;
  }

  get isOpen() {
    return !this.#socket.destroyed;
  }

  // Resolves to the answer, bulk strings as text; rejects with an error of Redis.
  command(...words) {
    if (!this.isOpen) return Promise.reject(new Error('the connection to Redis has ended'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(new Error(`no answer to ${words[0]}`)), TIMEOUT_MS);
      this.#waiting.push((value) => {
        clearTimeout(timer);
        if (value instanceof Error) reject(value);
        else resolve(asText(value));
      });
      this.#socket.write(encode(words));
    });
  }

  // onMessage(channel, payload as a Buffer), for every channel; nothing else goes over this one then.
  async listenToAll(onMessage) {
    await this.command('PSUBSCRIBE', '*');
    this.#onPush = ([kind, , channel, payload]) => {
      if (kind.toString() === 'pmessage') onMessage(channel.toString(), payload);
    };
  }

  close() {
    this.#socket.destroy();
  }

  #take(bytes) {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const answer = this.#received.length > 0 ? parseAnswer(this.#received, 0) : null;
      if (answer === null) return;
      this.#received = this.#received.subarray(answer[1]);
      if (this.#onPush) this.#onPush(answer[0]);
      else this.#waiting.shift()?.(answer[0]);
    }
  }

  #fail(error) {
    this.#socket.destroy();
    for (const done of this.#waiting.splice(0)) done(error);
  }
}
