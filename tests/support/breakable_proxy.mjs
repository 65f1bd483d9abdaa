// A TCP proxy between one browser and the server, to break what is between them.
//
// A connection whose first bytes ask for the WebSocket is told from the others, which carry pages
// and videos, so that either can be held up alone.
import net from 'node:net';

const STEP_MS = 50;

// Resolves to {origin, cut(), restore(), turnTo(origin), holdWebSocket(), letWebSocketGo(), mediaBytesPerS,
// stop()}:
//   cut            every connection is torn down, and each new one, until restore()
//   turnTo         every connection is torn down; new ones go to another server
//   holdWebSocket  nothing that the server says on WebSockets is read, until letWebSocketGo()
//   mediaBytesPerS how fast all the rest comes, Infinity at first; of each connection
export async function startBreakableProxy(origin) {
  let target = new URL(origin);
  const pairs = new Set();
  let isCut = false;
  const proxy = {
    mediaBytesPerS: Infinity,
    cut() {
      isCut = true;
      for (const { viewer } of pairs) viewer.destroy();
    },
    restore: () => (isCut = false),
    turnTo(other) {
      target = new URL(other);
      for (const { viewer } of pairs) viewer.destroy();
    },
    holdWebSocket: () => setHeld(true),
    letWebSocketGo: () => setHeld(false),
    stop: () => {
      proxy.cut();
      return new Promise((resolve) => server.close(resolve));
    },
  };
  const setHeld = (isHeld) => {
    for (const { far, isWebSocket } of pairs) if (isWebSocket) far[isHeld ? 'pause' : 'resume']();
  };
  const server = net.createServer({ noDelay: true }, (viewer) => {
    if (isCut) return viewer.destroy();
    const far = net.connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    const pair = { viewer, far, isWebSocket: false };
    pairs.add(pair);
    join(pair, proxy, () => pairs.delete(pair));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  proxy.origin = `http://127.0.0.1:${server.address().port}`;
  return proxy;
}

function join(pair, proxy, onEnd) {
  const { viewer, far } = pair;
  const end = () => {
    onEnd();
    viewer.destroy();
    far.destroy();
  };
  for (const socket of [viewer, far]) socket.on('error', end);
  viewer.on('close', end);
  far.on('close', () => viewer.end()); // what the server said last is still on its way to the viewer
  viewer.once('data', (bytes) => (pair.isWebSocket = bytes.toString('latin1').startsWith('GET /ws?')));
  viewer.on('data', (bytes) => far.writable && far.write(bytes));
  far.on('data', (bytes) => {
    viewer.write(bytes);
    if (!pair.isWebSocket && proxy.mediaBytesPerS !== Infinity) rest(far, bytes.length, proxy);
  });
}

// Reads no more before what was read would have come at that pace, whatever the pace is meanwhile.
function rest(far, bytes, proxy) {
  far.pause();
  let left = bytes;
  const timer = setInterval(() => {
    left -= (proxy.mediaBytesPerS * STEP_MS) / 1000;
    if (left > 0 && !far.destroyed) return;
    clearInterval(timer);
    far.resume();
  }, STEP_MS);
}
