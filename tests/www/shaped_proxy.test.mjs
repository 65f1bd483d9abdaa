// The bad network that browsers are tested behind: that it is as bad as asked, and no worse.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { startShapedProxy } from '../support/shaped_proxy.mjs';

const FAR = { delayMs: 250 };
const MUCH = Buffer.alloc(2 * 1024 * 1024);

// A server that answers 'much' with megabytes and all else with a word, behind the line.
async function withLine(shape, act) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {}).on('data', (asked) => socket.write(String(asked) === 'much' ? MUCH : 'word'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const open = new Set();
  server.on('connection', (socket) => open.add(socket));
  const proxy = await startShapedProxy(`http://127.0.0.1:${server.address().port}`, shape);
  try {
    await act(async () => {
      const { hostname, port } = new URL(proxy.origin);
      const socket = net.connect({ host: hostname, port: Number(port) }).on('error', () => {});
      open.add(socket);
      await once(socket, 'connect');
      return socket;
    });
  } finally {
    for (const socket of open) socket.destroy();
    await proxy.stop();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('a line that is only long is not narrow: megabytes are there before what is asked when they begin to come', () =>
  withLine({ up: FAR, down: FAR }, async (connect) => {
    const [film, other] = [await connect(), await connect()];
    let bytes = 0;
    film.on('data', (part) => (bytes += part.length));
    film.write('much');
    await once(film, 'data');
    assert.ok(bytes < MUCH.length, 'it has only begun');
    other.write('word');
    await once(other, 'data');
    assert.equal(bytes, MUCH.length);
  }));

test('one that is long and narrow lets through what its rate is', () =>
  withLine({ up: FAR, down: { ...FAR, bytesPerS: MUCH.length } }, async (connect) => {
    const film = await connect();
    let bytes = 0;
    film.on('data', (part) => (bytes += part.length));
    const fromMs = performance.now();
    film.write('much');
    while (bytes < MUCH.length) await once(film, 'data');
    const tookMs = performance.now() - fromMs;
    assert.ok(tookMs > 1_400, `a round trip of 500 ms and a second's bytes took ${tookMs} ms`);
  }));
