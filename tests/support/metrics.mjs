// Reads the server's metrics from its internal listener.

// The value of one metric without its prefix, labels included: connections,
// http_responses_total{status="5xx"}.
export async function readMetric(server, name) {
  const text = await (await fetch(`${server.adminOrigin}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`videosync_${name} `));
  if (line === undefined) throw new Error(`no metric ${name}`);
  return Number(line.split(' ').at(-1));
}
