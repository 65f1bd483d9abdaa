// A raw HTTP/1.1 connection for tests: sends exactly the given bytes and reads answers strictly.
//
// Nothing is added to a request and nothing is forgiven in an answer: a malformed head, a body that
// ends early or an answer that does not come in time is an error. Close with close().
import assert from 'node:assert/strict';
import net from 'node:net';

const ANSWER_TIMEOUT_MS = 15_000;
const HEAD_BYTES_MAX = 64 * 1024;

export class HttpConnection {
  #socket;
  #chunks = [];
  #buffered = 0;
  #ended = null; // 'end' (FIN) or the code of an error, for example ECONNRESET
  #wake = () => {};

  // address: "http://127.0.0.1:8080" or {path} of a unix socket.
  static async open(address, { localAddress } = {}) {
    const connection = new HttpConnection();
    await connection.#connect(address, localAddress);
    return connection;
  }

  #connect(address, localAddress) {
    const { hostname, port } = address.path ? {} : new URL(address);
    const target = address.path ? { path: address.path } : { host: hostname, port: Number(port), localAddress };
    const socket = (this.#socket = net.connect({ ...target, allowHalfOpen: true, noDelay: true }));
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
      this.#wake();
    });
    socket.on('end', () => this.#end('end'));
    socket.on('close', () => this.#end('closed'));
    return new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      socket.on('error', (error) => this.#end(error.code));
    });
  }

  #end(how) {
    this.#ended ??= how;
    this.#wake();
  }

  get localPort() {
    return this.#socket.localPort;
  }

  write(bytes) {
    this.#socket.write(bytes);
    return this;
  }

  // Resolves when the kernel has taken all that was written, or the connection is gone.
  async drained() {
    while (this.#socket.writableLength > 0 && this.#ended === null) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  // Half-close: no more input, answers still come.
  endInput() {
    this.#socket.end();
    return this;
  }

  pause() {
    this.#socket.pause();
    return this;
  }

  resume() {
    this.#socket.resume();
    return this;
  }

  close() {
    this.#socket.destroy();
  }

  // Ends with RST.
  reset() {
    this.#socket.resetAndDestroy();
  }

  // One final answer, or an interim one where `interim` is set. method: of the request it answers.
  async readAnswer({ method = 'GET', timeoutMs = ANSWER_TIMEOUT_MS } = {}) {
    const head = parseHead(await this.#takeHead(timeoutMs));
    const hasBody = method !== 'HEAD' && head.status >= 200 && head.status !== 204 && head.status !== 304;
    const length = hasBody ? lengthOf(head) : 0;
    return { ...head, body: await this.#take(length, timeoutMs) };
  }

  // How the server ended the connection, with the bytes that came before that.
  async readEnd(timeoutMs = ANSWER_TIMEOUT_MS) {
    await this.#until(() => this.#ended !== null, timeoutMs, 'the end of the connection');
    return { how: this.#ended, bytes: this.#consume(this.#buffered) };
  }

  // Asserts that the server closed properly and sent nothing more.
  async assertEnds(timeoutMs) {
    const { how, bytes } = await this.readEnd(timeoutMs);
    assert.equal(bytes.toString('latin1'), '');
    assert.equal(how, 'end');
  }

  async #takeHead(timeoutMs) {
    const end = Buffer.from('\r\n\r\n');
    const find = () => (this.#chunks.length === 0 ? -1 : this.#joined().indexOf(end));
    await this.#until(() => find() >= 0 || this.#buffered > HEAD_BYTES_MAX, timeoutMs, 'the head of an answer');
    const at = find();
    assert.ok(at >= 0, 'the head of the answer is too long');
    return this.#consume(at + end.length).toString('latin1');
  }

  async #take(length, timeoutMs) {
    await this.#until(() => this.#buffered >= length, timeoutMs, `a body of ${length} bytes`);
    return this.#consume(length);
  }

  #joined() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #consume(length) {
    const all = this.#joined();
    this.#chunks = length < all.length ? [all.subarray(length)] : [];
    this.#buffered -= length;
    return all.subarray(0, length);
  }

  async #until(isDone, timeoutMs, what) {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, timeoutMs);
    try {
      while (!isDone()) {
        if (isLate) throw new Error(`waited ${timeoutMs} ms for ${what}; ${this.#buffered} bytes have come`);
        if (this.#ended !== null) {
          throw new Error(`waited for ${what}, but the connection ended (${this.#ended}) after ${this.#buffered} bytes`);
        }
        await new Promise((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

function parseHead(text) {
  const [line, ...fields] = text.slice(0, -4).split('\r\n');
  const match = /^HTTP\/1\.1 ([1-5]\d\d) ([\x20-\x7e]+)$/.exec(line);
  assert.ok(match, `malformed status line: ${line}`);
  const headers = {};
  for (const field of fields) {
    const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\x20-\x7e\t]*)$/.exec(field);
    assert.ok(parts, `malformed field: ${field}`);
    const name = parts[1].toLowerCase();
    headers[name] = name in headers ? `${headers[name]}, ${parts[2]}` : parts[2];
  }
  const status = Number(match[1]);
  if (status >= 200) assert.match(headers.date ?? '', /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  return { status, reason: match[2], headers };
}

function lengthOf(head) {
  assert.match(head.headers['content-length'] ?? 'missing', /^\d+$/, 'an answer needs one Content-Length');
  return Number(head.headers['content-length']);
}

// The text of a request. headers: name to value; Host is added unless it is there (null: none).
export function requestText(method, target, headers = {}, body = '') {
  const all = { Host: 'test', ...headers };
  if (body.length > 0 && !('Content-Length' in all) && !('Transfer-Encoding' in all)) {
    all['Content-Length'] = Buffer.byteLength(body);
  }
  const lines = Object.entries(all).filter(([, value]) => value !== null);
  return `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

// One request on a connection of its own.
export async function ask(address, method, target, headers = {}, body = '') {
  return exchange(address, requestText(method, target, headers, body), { method });
}

// One answer to exactly these bytes on a connection of its own.
export async function exchange(address, bytes, options = {}) {
  const connection = await HttpConnection.open(address);
  try {
    return await connection.write(bytes).readAnswer(options);
  } finally {
    connection.close();
  }
}

// The form of every error: JSON with a code for programs and a message for people.
export function assertError(answer, status, code) {
  assert.equal(answer.status, status, `${answer.status} ${answer.body}`);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  const body = JSON.parse(answer.body);
  assert.deepEqual(Object.keys(body), ['error']);
  assert.deepEqual(Object.keys(body.error).sort(), ['code', 'message']);
  assert.match(body.error.code, /^[a-z_]+$/);
  assert.ok(body.error.message.length > 5);
  if (code !== undefined) assert.equal(body.error.code, code);
}
