// A server that says of a Redis Cluster's slots what a test has it say, and nothing else of use: one that was cut off
// from the others, or is out of its mind.
import net from 'node:net';
import tls from 'node:tls';
import { parseAnswer } from './resp.mjs';

// ranges: [[first, last, host, port], ...].
export const slotsAnswer = (ranges) => `*${ranges.length}\r\n${ranges.map(([first, last, host, port]) =>
  `*3\r\n:${first}\r\n:${last}\r\n*3\r\n${host === null ? '$-1' : `$${host.length}\r\n${host}`}\r\n:${port}\r\n$1\r\nx\r\n`).join('')}`;

// answer(words): RESP for one command, or null for silence. certificate: {key, cert} of one that speaks TLS. Resolves to
// {port, asked: commands so far by name, names: those that it was asked for by (SNI; false: by none), stop()}.
export async function startFakeServer(answer, { certificate } = {}) {
  const sockets = new Set();
  const asked = new Map();
  const names = new Set();
  const listener = (take) => (certificate ? tls.createServer(certificate, take) : net.createServer(take));
  const server = listener((socket) => {
    if (certificate) names.add(socket.servername);
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    let received = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      for (let next = parseAnswer(received, 0); next !== null; next = received.length > 0 ? parseAnswer(received, 0) : null) {
        const words = next[0].map(String);
        received = received.subarray(next[1]);
        asked.set(words[0], (asked.get(words[0]) ?? 0) + 1);
        const said = words[0] === 'PING' ? '+PONG\r\n' : answer(words);
        if (said !== null) socket.write(said);
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    asked,
    names,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
