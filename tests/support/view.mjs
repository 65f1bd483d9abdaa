// What a member's page shows, from everything that the member has received: the newest playback
// state by the order of (epoch, seq), the host, who is there, and what the service said of itself.
import assert from 'node:assert/strict';
import { eventually } from './member.mjs';

// Of two places in a session's order, states or anything with {epoch, seq}.
export const isNewer = (a, b) => a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq);

// {state, epoch, host, count, names: {id: name}, notice}; `epoch` is the latest that was told, with a
// state or a host.
export function viewOf(member) {
  const { welcome } = member;
  const { state, host, members: { count } } = welcome;
  const view = { state, epoch: state.epoch, host, count, names: {}, notice: null };
  for (const { id, name } of welcome.members.list) view.names[id] = name;
  for (const message of member.all) {
    if (message.type === 'state' && isNewer(message, view.state)) view.state = message;
    if (message.type === 'host') view.host = message.id;
    view.epoch = Math.max(view.epoch, message.epoch ?? 0);
    if (message.type === 'notice' && message.code !== 'undone') view.notice = message.code; // that is news, no state
    if (message.type !== 'members') continue;
    view.count = message.count;
    for (const { id } of message.left) delete view.names[id];
    for (const { id, name } of [...message.joined, ...message.changed]) view.names[id] = name;
  }
  return view;
}

const FIELDS = ['epoch', 'seq', 'playing', 'position', 'rate', 'atMs', 'video'];
const playback = (state) => Object.fromEntries(FIELDS.map((field) => [field, state[field]]));

// What all members of a session have to agree on.
export function agreed(member) {
  const { state, epoch, host, count, names } = viewOf(member);
  return { ...playback(state), epoch, host, count, ids: Object.keys(names).sort().join(' ') };
}

// Waits until all members show the same and `isRight` takes it; resolves to that, with `tookMs`.
export async function agreement(members, isRight = () => true, waitMs = 15_000) {
  const startMs = performance.now();
  const looks = () => members.map((member) => agreed(member));
  const isOne = (views) => views.every((view) => JSON.stringify(view) === JSON.stringify(views[0])) && isRight(views[0]);
  const [view] = await eventually(looks, isOne, 'all show the same', waitMs);
  return { ...view, tookMs: performance.now() - startMs };
}

// The states that a member was sent, each as its page takes it: none that is not newer is used.
export function takenStates(member) {
  let newest = member.welcome.state;
  return member.of('state').filter((state) => {
    const isTaken = isNewer(state, newest);
    if (isTaken) newest = state;
    return isTaken;
  });
}

// What its connection was sent never goes back, not even where a page would pass it over.
export function assertForward(member) {
  let newest = member.welcome.state;
  for (const state of member.of('state')) {
    assert.ok(!isNewer(newest, state), `${member.id} was sent ${state.epoch}.${state.seq} after ${newest.epoch}.${newest.seq}`);
    newest = state;
  }
}

export function assertOpen(members) {
  for (const { id, socket } of members) assert.equal(socket.readyState, socket.OPEN, `the connection of ${id}`);
}
