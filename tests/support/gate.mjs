// A gate between one node and its Redis: a TCP proxy that can cut that node off, or only its
// subscriptions, or lose one message.
import net from 'node:net';
import { Transform } from 'node:stream';
import { parseAnswer } from './resp.mjs';

// Passes on whole answers of Redis, but for those that `isLost(answer)` takes.
function sieve(isLost) {
  let received = Buffer.alloc(0);
  return new Transform({
    transform(bytes, _, done) {
      received = Buffer.concat([received, bytes]);
      let at = 0;
      while (at < received.length) {
        const answer = parseAnswer(received, at);
        if (answer === null) break;
        const [value, next] = answer;
        if (!isLost(value)) this.push(received.subarray(at, next));
        at = next;
      }
      received = received.subarray(at);
      done();
    },
  });
}

// redis: its {port} is led to. isOpaque: what goes through is enciphered, so that nothing of it can be told or lost.
// Resolves to {url, port, shut(), open(), cutSubscriber(), loseNext(), stop()}.
export async function startGate(redis, { isOpaque = false } = {}) {
  const pairs = new Set();
  const losses = [];
  let isShut = false;
  const isLost = (answer) => {
    if (!Array.isArray(answer) || String(answer[0]) !== 'message') return false;
    const message = { channel: String(answer[1]), bytes: answer[2] };
    const found = losses.findIndex(({ isMeant }) => isMeant(message));
    if (found >= 0) losses.splice(found, 1)[0].resolve(message);
    return found >= 0;
  };
  const server = net.createServer((near) => {
    if (isShut) return near.resetAndDestroy();
    const far = net.connect(redis.port, '127.0.0.1');
    const pair = { isSubscriber: false, end: () => [near, far].forEach((socket) => socket.destroy()) };
    pairs.add(pair);
    near.on('data', (bytes) => (pair.isSubscriber ||= bytes.includes('SUBSCRIBE')));
    near.pipe(far);
    (isOpaque ? far : far.pipe(sieve(isLost))).pipe(near);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        pair.end();
        pairs.delete(pair);
      });
    }
  });
  await new Promise((resolve, reject) => server.listen(0, '127.0.0.1', resolve).once('error', reject));
  const cut = (which) => {
    const found = [...pairs].filter(which);
    for (const pair of found) pair.end();
    return found.length;
  };
  return {
    port: server.address().port,
    url: `redis://127.0.0.1:${server.address().port}`,
    shut: () => {
      isShut = true;
      return cut(() => true);
    },
    open: () => {
      isShut = false;
    },
    // Returns how many were cut.
    cutSubscriber: () => cut(({ isSubscriber }) => isSubscriber),
    // The next message {channel, bytes} to that node's subscriptions that `isMeant` takes never
    // arrives; resolves to it when it is lost.
    loseNext: (isMeant) => new Promise((resolve) => losses.push({ isMeant, resolve })),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut(() => true);
      await closed;
    },
  };
}
