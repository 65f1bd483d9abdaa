// What a viewer was told of playback, and whether it may have been told so. Pure.

const orderOf = (one, other) => one.epoch - other.epoch || one.seq - other.seq;
export const textOf = ({ epoch, seq }) => `${epoch}.${seq}`;

// All that a state says: two viewers with the same text see the same.
export const digestOf = ({ epoch, seq, playing, position, rate, atMs, video }) => JSON.stringify([epoch, seq, playing, position, rate, atMs, video]);

// The newest state of one viewer, over all of its connections.
export class HeldState {
  #newest = null;

  // "EPOCH.SEQ", as `held` of a handshake has it; '' before the first.
  get text() {
    return this.#newest ? textOf(this.#newest) : '';
  }

  get digest() {
    return this.#newest ? digestOf(this.#newest) : '';
  }

  // Null, or what is wrong: (epoch, seq) went back, or one and the same says two things.
  take(state) {
    const held = this.#newest;
    const order = held ? orderOf(state, held) : 1;
    if (order < 0) return `a state went back from ${textOf(held)} to ${textOf(state)}`;
    if (order === 0 && digestOf(state) !== digestOf(held)) return `the state ${textOf(state)} says two things: ${digestOf(held)}, ${digestOf(state)}`;
    this.#newest = state;
    return null;
  }
}

// expected: session to digest. told: [[session, digest, how many viewers hold it]] of all viewers. wanted: how many there
// are. What does not fit, as texts.
export function disagreements(expected, told, wanted) {
  const faults = told
    .filter(([session, digest]) => expected.get(session) !== digest)
    .map(([session, digest, count]) => `${count} viewers of ${session.slice(0, 8)} hold ${digest || 'nothing'}, it has ${expected.get(session) ?? 'ended'}`);
  const counted = told.reduce((sum, [, , count]) => sum + count, 0);
  if (counted !== wanted) faults.push(`${counted} viewers tell what they hold, there are to be ${wanted}`);
  return faults;
}
