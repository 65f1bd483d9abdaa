// Many sessions at full speed on two nodes, over a Redis Cluster and over one Redis, in turn: commands a second, and what
// a command takes of each server's processor. Part of `make bench-redis`; see README.md.
import { placesOf, sessionWhere } from '../tests/support/cluster_show.mjs';
import { startRedis } from '../tests/support/redis.mjs';
import { startRedisCluster } from '../tests/support/redis_cluster.mjs';
import { lineOf, measureInTurn, ratio, SETTINGS, several, startSubject, stopSubjects, tableOf } from './redis_beside.mjs';

// So many on each primary, each second one made at the other node, where it is at home then.
async function spread(redis, nodes, sessions) {
  const keys = [];
  for (const primary of redis.servers) {
    for (let i = 0; i < sessions; i += 1) {
      keys.push((await sessionWhere(nodes[i % 2], async (made) => (await placesOf(redis, made)).own === primary, SETTINGS)).key);
    }
  }
  return keys;
}

// options: cluster (how many primaries), sessions (on each), seconds, rounds. Resolves to {primaries, sessions, ways:
// {home, other: {one, cluster: [figures of a round]}}}.
export async function measureCluster({ cluster: primaries, sessions, seconds, rounds }, say) {
  const [redis, many] = [await startRedis({ keepsData: false }), await startRedisCluster({ primaries })];
  const subjects = {};
  try {
    subjects.one = await startSubject({ url: redis.url, servers: [redis], keys: (nodes) => several(nodes, sessions * primaries) });
    subjects.cluster = await startSubject({ url: many.url, servers: many.servers, keys: (nodes) => spread(many, nodes, sessions) });
    return { primaries, sessions: sessions * primaries, ways: await measureInTurn(subjects, { seconds, rounds }, say) };
  } finally {
    await stopSubjects(subjects);
    await Promise.all([redis.stop(), many.stop()]);
  }
}

export function clusterTable({ primaries, sessions, ways }) {
  const rows = Object.entries(ways).flatMap(([way, { one, cluster }]) => {
    const line = (what, name, digits) => lineOf(what, [one, cluster], name, digits);
    const from = way === 'home' ? 'from the home' : 'from the other node';
    return [
      line(`commands a second of ${sessions} sessions, ${from}`, 'commandsPerS', 0),
      line('processor time a command: the busiest Redis, us', 'busiestUs', 2),
      line('... all of Redis, us', 'serversUs', 2),
      line('... both nodes, us', 'nodesUs', 2),
      ['commands that Redis could carry, by its busiest server', '1', ratio(one.map(({ busiestUs }) => busiestUs), cluster.map(({ busiestUs }) => busiestUs)), ''],
    ];
  });
  return tableOf([['what', 'one Redis', `${primaries} primaries`, 'to one'], ['---', '---', '---', '---'], ...rows]);
}
