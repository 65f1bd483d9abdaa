// Reads the server's metrics from its internal listener.
import { get } from 'node:http';
import { text } from 'node:stream/consumers';

// The value of one metric without its prefix, labels included: connections,
// http_responses_total{status="5xx"}.
export async function readMetric(server, name) {
  const lines = (await readAlone(`${server.adminOrigin}/metrics`)).split('\n');
  const line = lines.find((candidate) => candidate.startsWith(`videosync_${name} `));
  if (line === undefined) throw new Error(`no metric ${name}`);
  return Number(line.split(' ').at(-1));
}

// Over a connection of its own: one that is kept may be closed, being idle, as the request leaves.
function readAlone(url) {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => text(response).then(resolve, reject)).on('error', reject);
  });
}
