// Who is here: the list of members, kept from welcome, members and host messages.
//
// Pure. The server names at most 50 members at once, so in a large session the list is a part of
// `count`; it is bounded here as well.

const LISTED_MAX = 200;

export class Presence {
  #members = new Map(); // id -> name, in the order of arrival
  #count = 0;
  #hostId = null;
  #youId = null;

  onWelcome({ you, host, members }) {
    this.#members.clear();
    this.#youId = you.id;
    this.#hostId = host ?? null;
    for (const member of members?.list ?? []) this.#put(member);
    this.#put(you);
    this.#count = members?.count ?? this.#members.size;
  }

  onMembers({ count, joined = [], left = [], changed = [] }) {
    for (const member of left) this.#members.delete(idOf(member));
    for (const member of [...joined, ...changed]) this.#put(member);
    this.#count = count ?? this.#members.size;
  }

  onHost({ id }) {
    this.#hostId = id ?? null;
  }

  get count() {
    return Math.max(this.#count, this.#members.size);
  }

  get hostId() {
    return this.#hostId;
  }

  get youAreHost() {
    return this.#youId !== null && this.#youId === this.#hostId;
  }

  // undefined for a member that is not in the list.
  nameOf(id) {
    return this.#members.get(id);
  }

  get hostName() {
    return this.#members.get(this.#hostId);
  }

  // [{id, name, isHost, isYou}]: the host first, then you, then the others as they came.
  list() {
    const rank = (member) => (member.isHost ? 0 : member.isYou ? 1 : 2);
    return [...this.#members]
      .map(([id, name]) => ({ id, name, isHost: id === this.#hostId, isYou: id === this.#youId }))
      .sort((a, b) => rank(a) - rank(b));
  }

  #put(member) {
    const known = this.#members.has(member.id);
    if (!known && this.#members.size >= LISTED_MAX && member.id !== this.#youId) return;
    this.#members.set(member.id, member.name ?? this.#members.get(member.id) ?? '');
  }
}

function idOf(member) {
  return typeof member === 'object' ? member.id : member;
}
