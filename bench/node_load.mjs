// Runs node_load, which is built beside the server that VIDEOSYNC_BINARY names.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { serverBinary } from '../tests/support/server.mjs';

const portOf = (node) => new URL(node.origin).port;

// home, other: nodes; the first member joins at `home`, so there the session is at home. options: of node_load, by name.
// Resolves to what it measured.
export function runNodeLoad([home, other], key, options) {
  const parameters = { 'home-port': portOf(home), 'other-port': portOf(other), session: key, ...options };
  const child = spawn(path.join(path.dirname(serverBinary()), 'bench/node_load'),
    Object.entries(parameters).map(([name, value]) => `--${name}=${value}`), { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`node_load ended with ${code}`))));
  });
}
