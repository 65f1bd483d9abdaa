// A WebSocket client (RFC 6455) on a bare socket, for what a well-behaved library will not send:
// malformed frames, frames in the handshake's packet, a reader that stops reading.
import { once } from 'node:events';
import net from 'node:net';

const WAIT_MS = 15_000;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78]);

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

// A client's frame as bytes. fin, rsv, masked: as in the header. length: a declared one that lies.
export function frame(code, payload = '', { fin = true, rsv = 0, masked = true, length } = {}) {
  const body = Buffer.from(payload);
  const declared = length ?? body.length;
  const mask = masked ? 0x80 : 0;
  let head;
  if (declared < 126) {
    head = Buffer.from([0, mask | declared]);
  } else if (declared < 65_536) {
    head = Buffer.from([0, mask | 126, declared >> 8, declared & 255]);
  } else {
    head = Buffer.alloc(10);
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(declared), 2);
  }
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | code;
  if (!masked) return Buffer.concat([head, body]);
  return Buffer.concat([head, MASK, body.map((byte, i) => byte ^ MASK[i % 4])]);
}

export const text = (value) => frame(opcode.text, typeof value === 'string' ? value : JSON.stringify(value));

// The payload of a Close frame.
export function closePayload(code, reason = '') {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

// The handshake as text. fields: replace or, with the value null, remove a default one.
export function handshake(server, query, fields = {}) {
  const all = {
    Host: new URL(server.origin).host,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    ...fields,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null);
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `GET /ws?${new URLSearchParams(query)} HTTP/1.1\r\n${head}\r\n`;
}

// A connection that has sent nothing yet.
export async function connectRaw(server) {
  const { hostname, port } = new URL(server.origin);
  const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  await once(socket, 'connect');
  return new RawConnection(socket);
}

// A member: the handshake is made, with `first` (bytes) in the same packet; what comes is parsed.
export async function joinRaw(server, key, { query = {}, first = Buffer.alloc(0), fields } = {}) {
  const raw = await connectRaw(server);
  raw.write(Buffer.concat([Buffer.from(handshake(server, { session: key, ...query }, fields)), first]));
  raw.head = await raw.readHead();
  return raw;
}

class RawConnection {
  #received = Buffer.alloc(0);
  #isEnded = false;
  #wake = () => {};

  constructor(socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isEnded = true;
        this.#wake();
      });
    }
    socket.on('error', (error) => (this.error = error));
  }

  write(bytes) {
    return this.socket.write(bytes);
  }

  // The response head, as text.
  async readHead() {
    const isWhole = () => this.#received.includes('\r\n\r\n');
    await this.#until(isWhole, 'a response head');
    const size = this.#received.indexOf('\r\n\r\n') + 4;
    const head = this.#received.subarray(0, size).toString('latin1');
    this.#received = this.#received.subarray(size);
    return head;
  }

  // The server's next frame: {code, fin, rsv, masked, payload}; null when the connection has ended.
  async nextFrame(waitMs = WAIT_MS) {
    await this.#until(() => this.#isEnded || this.#frameSize() !== null, 'a frame', waitMs);
    const size = this.#frameSize();
    if (size === null) return null;
    const bytes = this.#received.subarray(0, size.total);
    this.#received = this.#received.subarray(size.total);
    return {
      code: bytes[0] & 15,
      fin: bytes[0] >= 128,
      rsv: (bytes[0] >> 4) & 7,
      masked: bytes[1] >= 128,
      payload: bytes.subarray(size.head),
    };
  }

  // The next frame with this opcode; others are passed over.
  async nextOf(code, waitMs = WAIT_MS) {
    for (;;) {
      const found = await this.nextFrame(waitMs);
      if (found === null) throw new Error(`the connection ended before a frame of opcode ${code}`);
      if (found.code === code) return found;
    }
  }

  // The next text message of this type.
  async nextMessage(type, accept = () => true) {
    for (;;) {
      const message = JSON.parse((await this.nextOf(opcode.text)).payload);
      if (message.type === type && accept(message)) return message;
    }
  }

  // Reads to the end: the code of the Close frame, 1005 for an empty one, 1006 for none; then EOF.
  async closeCode(waitMs = WAIT_MS) {
    let code = 1006;
    for (;;) {
      const found = await this.nextFrame(waitMs);
      if (found === null) return code;
      if (found.code === opcode.close) code = found.payload.length ? found.payload.readUInt16BE() : 1005;
    }
  }

  pause() {
    this.socket.pause();
  }

  resume() {
    this.socket.resume();
  }

  end() {
    this.socket.destroy();
  }

  #frameSize() {
    const bytes = this.#received;
    if (bytes.length < 2) return null;
    const short = bytes[1] & 127;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < head) return null;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    return bytes.length < head + length ? null : { head, total: head + length };
  }

  async #until(isThere, what, waitMs = WAIT_MS) {
    const deadline = Date.now() + waitMs;
    while (!isThere()) {
      if (Date.now() >= deadline) throw new Error(`${what} did not come`);
      if (this.#isEnded && what !== 'a frame') throw new Error(`the connection ended before ${what}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
