// A TCP proxy that makes one viewer's network as bad as asked, each direction on its own.
//
// All connections through it share one link: they queue behind each other where the rate is
// limited, and stall together. Bytes keep their order. Timers are node's, so a delay is exact to a
// millisecond or two. Seeded: the same seed draws the same jitter.
import net from 'node:net';
import { resetSocket } from './reset_socket.mjs';
import { RoundTrips } from './round_trips.mjs';

const QUEUE_MS_MAX = 60; // a router worth its name holds no more before a line; beyond it the sender waits
const FAST_BYTES_PER_S = 12_500_000; // what a line without a rate takes under way
const SLICE_BYTES = 4 * 1024;

// origin: of the server, 'http://host:port'. up, down: {delayMs, jitterMs, bytesPerS,
// stall: {everyMs, forMs}}, all optional; jitter is uniform, +-jitterMs around delayMs. slowToConnect: a new
// connection takes a round trip, as it does on a real network; else it is there at once.
// Resolves to {origin, trips, cut(), restore(), reset(), stop()}; trips: a RoundTrips.
export async function startShapedProxy(origin, { up = {}, down = {}, seed = 1, slowToConnect = false } = {}) {
  const target = new URL(origin);
  const random = seededRandom(seed);
  const stalls = new Stalls(up.stall ?? down.stall, random);
  const links = { up: new Link(up, stalls, random), down: new Link(down, stalls, random) };
  const trips = new RoundTrips();
  const connectMs = slowToConnect ? (up.delayMs ?? 0) + (down.delayMs ?? 0) : 0;
  const open = new Set();
  let isCut = false;
  const server = net.createServer({ noDelay: true }, (viewer) => {
    if (isCut) return viewer.resetAndDestroy();
    const far = connectInSlices(target);
    const both = [viewer, far];
    open.add(both);
    const end = () => {
      open.delete(both);
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) socket.on('error', end).on('close', end);
    const way = trips.connect();
    carry(viewer, far, links.up, way.up, performance.now() + connectMs);
    carry(far, viewer, links.down, way.down);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const reset = () => [...open].forEach((pair) => pair.forEach(resetSocket));
  return {
    origin: `${target.protocol}//127.0.0.1:${server.address().port}`,
    trips,
    // Every connection is torn down, and each new one, until restore().
    cut() {
      isCut = true;
      reset();
    },
    restore: () => (isCut = false),
    reset,
    stop() {
      isCut = true;
      reset();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

// A connection that is read in small parts: what has not been taken stays in the kernel, and its sender
// waits. Emits 'part' in place of 'data'.
function connectInSlices({ hostname, port }) {
  const buffer = Buffer.alloc(SLICE_BYTES);
  const socket = net.connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: {
      buffer,
      callback: (bytes) => {
        socket.emit('part', Buffer.from(buffer.subarray(0, bytes)));
        return !socket.isHeld;
      },
    },
  });
  return socket;
}

// Both directions of a network stand still together, now and then.
class Stalls {
  #settings;
  #random;
  #fromMs;

  constructor(settings, random) {
    this.#settings = settings;
    this.#random = random;
    this.#fromMs = performance.now() + this.#gapMs();
  }

  // When bytes that want to pass at `atMs` may.
  passMs(atMs) {
    if (!this.#settings) return atMs;
    const { forMs } = this.#settings;
    while (atMs >= this.#fromMs + forMs) this.#fromMs += forMs + this.#gapMs();
    return atMs < this.#fromMs ? atMs : this.#fromMs + forMs;
  }

  #gapMs() {
    return (this.#settings?.everyMs ?? 0) * (0.5 + this.#random());
  }
}

class Link {
  #shape;
  #stalls;
  #random;
  #freeMs = 0; // when the last byte that was accepted has been put on the wire

  constructor(shape, stalls, random) {
    this.#shape = { delayMs: 0, jitterMs: 0, bytesPerS: Infinity, ...shape };
    this.#stalls = stalls;
    this.#random = random;
  }

  // How much of one connection may be under way: what waits for the line, and what is on it. A long line that is
  // given less is a narrow one, before which all that a server has said already stands for seconds.
  get queueBytesMax() {
    const { bytesPerS, delayMs } = this.#shape;
    return Math.max(SLICE_BYTES, (Math.min(bytesPerS, FAST_BYTES_PER_S) * (delayMs + QUEUE_MS_MAX)) / 1000);
  }

  // When `bytes` that are sent now, or at `fromMs` where that is still to come, arrive.
  arrivalMs(bytes, fromMs) {
    const { delayMs, jitterMs, bytesPerS } = this.#shape;
    this.#freeMs = Math.max(performance.now(), this.#freeMs) + (bytes / bytesPerS) * 1000;
    const jitter = jitterMs * (2 * this.#random() - 1);
    return this.#stalls.passMs(Math.max(this.#freeMs, fromMs) + delayMs + jitter);
  }
}

// Carries one direction of one connection over the link. way: {leave() => tag, arrive(tag)}, told of each
// part. fromMs: nothing leaves before.
function carry(from, to, link, way, fromMs = 0) {
  const queue = []; // {part, dueMs, tag}, in the order of both
  let queuedBytes = 0;
  let timer = null;
  let lastMs = 0;

  // Who does not read has the other side wait, too.
  const holdWhereFull = () => hold(from, queuedBytes >= link.queueBytesMax || to.writableNeedDrain);
  const deliver = () => {
    timer = null;
    while (queue.length > 0 && queue[0].dueMs <= performance.now() + 0.5) {
      const { part, tag } = queue.shift();
      queuedBytes -= part?.length ?? 0;
      way.arrive(tag);
      if (part === null) to.end();
      else to.write(part);
    }
    holdWhereFull();
    if (queue.length > 0) timer = setTimeout(deliver, Math.max(0, queue[0].dueMs - performance.now()));
  };
  const push = (part) => {
    lastMs = Math.max(lastMs, link.arrivalMs(part?.length ?? 0, fromMs));
    queue.push({ part, dueMs: lastMs, tag: way.leave() });
    queuedBytes += part?.length ?? 0;
    timer ??= setTimeout(deliver, Math.max(0, lastMs - performance.now()));
  };
  const onBytes = (bytes) => {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) push(bytes.subarray(at, at + SLICE_BYTES));
    holdWhereFull();
  };
  from.on('data', onBytes).on('part', onBytes);
  from.on('end', () => push(null));
  to.on('drain', holdWhereFull);
  to.on('close', () => clearTimeout(timer));
}

function hold(socket, isHeld) {
  if (Boolean(socket.isHeld) === isHeld) return;
  socket.isHeld = isHeld;
  if (isHeld) socket.pause();
  else socket.resume();
}

// A Lehmer generator: numbers in (0, 1).
export function seededRandom(seed) {
  let state = (Math.abs(Math.trunc(seed)) % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}
