// A gate between one node and its Redis: a TCP proxy that can cut that node off, or only its
// subscriptions.
import net from 'node:net';

// Resolves to {url, shut(), open(), cutSubscriber(), stop()}.
export async function startGate(redis) {
  const pairs = new Set();
  let isShut = false;
  const server = net.createServer((near) => {
    if (isShut) return near.resetAndDestroy();
    const far = net.connect(redis.port, '127.0.0.1');
    const pair = { isSubscriber: false, end: () => [near, far].forEach((socket) => socket.destroy()) };
    pairs.add(pair);
    near.on('data', (bytes) => (pair.isSubscriber ||= bytes.includes('SUBSCRIBE')));
    near.pipe(far);
    far.pipe(near);
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
    url: `redis://127.0.0.1:${server.address().port}`,
    shut: () => {
      isShut = true;
      return cut(() => true);
    },
    open: () => {
      isShut = false;
    },
    // Resolves to how many were cut.
    cutSubscriber: () => cut(({ isSubscriber }) => isSubscriber),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut(() => true);
      await closed;
    },
  };
}
