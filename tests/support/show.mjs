// People who watch together over several nodes, and what becomes of the nodes.
import { comeBack, startCluster } from './cluster.mjs';
import { createSession, join } from './member.mjs';
import { pauseProcess } from './process.mjs';
import { agreement, viewOf } from './view.mjs';

// act(cluster, nodes): with a cluster of its own (options of startCluster).
export async function withCluster(options, act) {
  const cluster = await startCluster(options);
  try {
    await act(cluster, cluster.nodes);
  } finally {
    await cluster.stop();
  }
}

// Each name on its node; the first is the host, at whose node the session is at home.
export async function showing(places, settings) {
  const session = await createSession(places[0][1], settings);
  const people = [];
  for (const [name, node] of places) people.push(await join(node, session.key, { name }));
  people[0].send('play', { position: 5 });
  await agreement(people, ({ seq, count }) => seq === 1 && count === people.length);
  return { ...session, people };
}

// The keys under which Redis has a session: its own, and its code's.
// What nodes have there beside sessions: the time, and the secret with which they sign cookies.
export const OWN_KEYS = ['videosync:clock', 'videosync:{76696465-6f73-796e-633a-736563726574}:session'];
export const namesOf = ({ key, code }) => [`videosync:{${key}}:session`, `videosync:{${code.replace('-', '')}}:code`];

export const kill = (node) => process.kill(node.pid, 'SIGKILL');
export const hang = (node) => pauseProcess(node.pid);
export const goOn = (node) => process.kill(node.pid, 'SIGCONT');

export const resumed = (member) => ({ name: viewOf(member).names[member.id], resume: member.resume });

// As the pages of those members do when their connection is lost.
export async function allComeBack(node, key, members) {
  const startMs = performance.now();
  const back = await Promise.all(members.map((member) => comeBack(node, key, resumed(member))));
  return { back, tookMs: Math.round(performance.now() - startMs) };
}
