// What TLS to Redis costs: two nodes over a Redis by TLS beside two over one without, in turn. Part of `make bench-redis`;
// see README.md.
import { makeAuthority } from '../tests/support/authority.mjs';
import { makeFolder } from '../tests/support/files.mjs';
import { startRedis } from '../tests/support/redis.mjs';
import { programHasTls, redisHasTls, startTlsRedis } from '../tests/support/redis_tls.mjs';
import { lineOf, measureInTurn, several, startSubject, stopSubjects, tableOf } from './redis_beside.mjs';

// All that is asked for in a turn of the loop leaves in one record: so many commands under way, and one alone.
const WINDOWS = [64, 1];

// options: sessions, seconds, rounds. Resolves to {sessions, windows: {64, 1: {home, other: {plain, tls: [figures of a
// round]}}}}.
export async function measureTls({ sessions, seconds, rounds }, say) {
  if (!(await programHasTls())) throw new Error('this build has no TLS to Redis: measure it in a Debian 13 (docs/NODES.md)');
  if (!(await redisHasTls())) throw new Error('this redis-server has no TLS');
  const folder = await makeFolder();
  const stops = [() => folder.remove()];
  const subjects = {};
  try {
    const authority = await makeAuthority(folder, 'ca');
    const keys = (nodes) => several(nodes, sessions);
    const plain = await startRedis({ keepsData: false });
    stops.push(() => plain.stop());
    const enciphered = await startTlsRedis({ authority, own: await authority.issue('redis'), keepsData: false });
    stops.push(() => enciphered.stop());
    subjects.plain = await startSubject({ url: plain.url, servers: [plain], keys });
    subjects.tls = await startSubject({ url: enciphered.tls.url, servers: [enciphered], keys, args: ['--redis-ca', authority.certificate] });
    const windows = {};
    for (const window of WINDOWS) windows[window] = await measureInTurn(subjects, { seconds, rounds, window }, say);
    return { sessions, windows };
  } finally {
    await stopSubjects(subjects);
    await Promise.all(stops.map((stop) => stop()));
  }
}

export function tlsTable({ sessions, windows }) {
  const rows = Object.entries(windows).flatMap(([window, ways]) => Object.entries(ways).flatMap(([way, { plain, tls }]) => {
    const line = (what, name, digits) => lineOf(what, [plain, tls], name, digits);
    return [
      line(`${sessions} sessions, ${window} under way, from the ${way === 'home' ? 'home' : 'other node'}: commands a second`, 'commandsPerS', 0),
      line('... processor time a command: both nodes, us', 'nodesUs', 2),
      line('... Redis, us', 'serversUs', 2),
    ];
  }));
  return tableOf([['what', 'without', 'with TLS', 'ratio'], ['---', '---', '---', '---'], ...rows]);
}
