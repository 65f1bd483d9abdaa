// People who watch together over several nodes whose Redis is a cluster: sessions on each of its primaries, and commands
// that fly while something happens to one.
import assert from 'node:assert/strict';
import { startCluster } from './cluster.mjs';
import { every } from './every.mjs';
import { createSession, join } from './member.mjs';
import { startRedisCluster } from './redis_cluster.mjs';
import { namesOf } from './show.mjs';
import { until } from './until.mjs';
import { agreed, agreement, assertOpen, takenStates } from './view.mjs';

const RATES = ['--message-rate', '0', '--chat-rate', '0'];
const FLOWN_FROM = 1_000; // positions that nobody else names
const CARRIED_OUT_MS = 15_000;
const TRIES = 1_000;

// act({redis, nodes}): redis: options of startRedisCluster; nodes: how many; args: of every node.
export async function withRedisCluster({ redis: options, nodes = 2, args = [] }, act) {
  const redis = await startRedisCluster(options);
  try {
    const cluster = await startCluster({ redis, nodes, args: [...RATES, ...args] });
    try {
      await act(cluster);
    } finally {
      await cluster.stop();
    }
  } finally {
    await redis.stop();
  }
}

// Made there, and by as many tries as it takes one that isRight(session) takes, which may be async.
export async function sessionWhere(node, isRight, settings) {
  for (let left = TRIES; left > 0; left -= 1) {
    const session = await createSession(node, settings);
    if (await isRight(session)) return session;
  }
  return assert.fail(`none of ${TRIES} sessions was right`);
}

// Which primary has a session, and which one its code: {own, code}.
export async function placesOf(redis, session) {
  const [name, codeName] = namesOf(session);
  return { own: await redis.primaryOf(name), code: await redis.primaryOf(codeName) };
}

// A session of that primary: the host and a viewer on the first node, two viewers on the second, who all know each
// other, and it plays. isRight(places): as of sessionWhere, besides.
export async function showOn(redis, primary, [a, b], { isRight = () => true, ...settings } = {}) {
  const session = await sessionWhere(a, async (made) => {
    const places = await placesOf(redis, made);
    return places.own === primary && isRight(places);
  }, { control: 'everyone', ...settings });
  const [ann, amy, ben, bea] = [
    await join(a, session.key, { name: 'Ann' }), await join(a, session.key, { name: 'Amy' }),
    await join(b, session.key, { name: 'Ben' }), await join(b, session.key, { name: 'Bea' })];
  const all = [ann, amy, ben, bea];
  ann.send('play', { position: 5 });
  await agreement(all, ({ seq, count }) => seq === 1 && count === 4);
  return { ...session, name: namesOf(session)[0], ann, amy, ben, bea, all };
}

// One of each primary, in their order.
export async function showsOnEach(redis, nodes, settings) {
  const shows = [];
  for (const primary of await redis.primaries()) shows.push(await showOn(redis, primary, nodes, settings));
  return shows;
}

// The host and a member of the other node seek in turn, so often, from now on. land() ends that, and asserts that nobody
// was refused anything or told that Redis is away, that each command was carried out once and that everybody saw those of
// each in their order. It resolves to {said, worstMs}: the slowest way from who said it to the last who was told.
export function fly({ ann, ben, all }, everyMs = 20) {
  const from = agreed(ann).seq;
  const saidMs = [];
  const before = new Map(all.map((member) => [member, { errors: member.of('error').length, notices: member.of('notice').length }]));
  const hush = every(everyMs, () => {
    const by = saidMs.length % 2 ? ben : ann;
    by.send('seek', { position: FLOWN_FROM + saidMs.length });
    saidMs.push(Date.now());
  });
  const refusals = () => all.flatMap((member) => member.of('error').slice(before.get(member).errors));
  const seenBy = (member) => takenStates(member).filter(({ seq, cause }) => seq > from && cause === 'seek');
  return {
    land: async () => {
      hush();
      const isDone = () => refusals().length > 0 || all.every((member) => agreed(member).seq >= from + saidMs.length);
      await until(isDone, () => `${saidMs.length} commands: ${all.map((member) => agreed(member).seq - from)} are done`, CARRIED_OUT_MS);
      assert.deepEqual(refusals(), [], 'nothing is refused');
      await agreement(all, ({ seq }) => seq === from + saidMs.length);
      let worstMs = 0;
      for (const member of all) {
        assert.deepEqual(member.of('notice').slice(before.get(member).notices), [], 'nobody is told of it');
        for (const { id } of [ann, ben]) {
          const positions = seenBy(member).filter(({ by }) => by === id).map(({ position }) => position);
          assert.deepEqual(positions, [...new Set(positions)].sort((one, two) => one - two), 'each in its order, once');
        }
        for (const { position, receivedMs } of seenBy(member)) worstMs = Math.max(worstMs, receivedMs - saidMs[position - FLOWN_FROM]);
      }
      assertOpen(all);
      return { said: saidMs.length, worstMs };
    },
  };
}

export const landed = async (flights) => {
  const told = await Promise.all(flights.map((flight) => flight.land()));
  return { said: told.reduce((sum, { said }) => sum + said, 0), worstMs: Math.max(...told.map(({ worstMs }) => worstMs)) };
};
