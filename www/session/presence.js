// Who is here: the list of members, kept from welcome, members and host messages, and whom the
// service would make host.
//
// Pure. The server names at most 50 members at once and never says again what it left out, so in a large
// session the list is a part of `count`, and bounded here as well; who of it has gone or is called otherwise may
// not have been told. `count` is exact.

const LISTED_MAX = 200;

export class Presence {
  #members = new Map(); // id -> name, in the order of arrival
  #count = 0;
  #hostId = null;
  #hostName = undefined; // kept when the host goes
  /** @type {Contract.HostAway | null} */
  #hostAway = null;
  #youId = null;

  /** @param {Contract.FromServer.welcome} message */
  onWelcome({ you, host, members, hostAway }) {
    this.#members.clear();
    this.#youId = you.id;
    this.#hostId = host ?? null;
    for (const member of members?.list ?? []) this.#put(member);
    this.#put(you);
    this.#count = members?.count ?? this.#members.size;
    this.#noteHost(hostAway);
  }

  /** @param {Contract.FromServer.members} message */
  onMembers({ count, joined = [], left = [], changed = [], hostAway }) {
    for (const member of left) this.#members.delete(idOf(member));
    for (const member of [...joined, ...changed]) this.#put(member);
    this.#count = count ?? this.#members.size;
    this.#forgetWhoIsTooMany();
    this.#noteHost(hostAway);
  }

  /** @param {Contract.FromServer.host} message */
  onHost({ id }) {
    this.#hostId = id ?? null;
    this.#noteHost(null);
  }

  // Somebody who speaks is here and called so, also where a large session's list did not name them. Returns
  // whether that is news.
  /** @param {Contract.ChatFields} line */
  onChat({ from, name }) {
    const before = this.nameOf(from);
    if (from && (before !== undefined || this.#members.size < this.#count)) this.#put({ id: from, name });
    return this.nameOf(from) !== before;
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

  // As lists and the chat tell members apart: of those with one name the second is "Ann (2)", in the order in which
  // they came. undefined for a member that is not in the list.
  shownNameOf(id) {
    const name = this.#members.get(id);
    if (!name) return name;
    const same = [...this.#members].filter(([, its]) => looksOf(its) === looksOf(name));
    return numbered(name, same.findIndex(([other]) => other === id) + 1);
  }

  // Also of a host that is away; undefined where it is not known.
  get hostName() {
    return this.#members.get(this.#hostId) ?? this.#hostName;
  }

  // {untilMs, next}: the host's connection is gone, and unless it is back by then (server time),
  // the member `next` takes over. null while the host is here.
  get hostAway() {
    return this.#hostAway;
  }

  // [{id, name, shownName, isHost, isYou}]: the host first, then you, then the others as they came.
  list() {
    const rank = (member) => (member.isHost ? 0 : member.isYou ? 1 : 2);
    const counts = new Map(); // how many have come of those who look the same
    const shownOf = (name) => {
      const looks = looksOf(name);
      counts.set(looks, (counts.get(looks) ?? 0) + 1);
      return name && numbered(name, counts.get(looks));
    };
    return [...this.#members]
      .map(([id, name]) => ({ id, name, shownName: shownOf(name), isHost: id === this.#hostId, isYou: id === this.#youId }))
      .sort((a, b) => rank(a) - rank(b));
  }

  #noteHost(hostAway) {
    this.#hostAway = hostAway ?? null;
    this.#hostName = this.hostAway ? this.hostName : this.#members.get(this.#hostId);
  }

  // Some have gone unnamed. Whom of the others the list has had longest goes first.
  #forgetWhoIsTooMany() {
    for (const id of this.#members.keys()) {
      if (this.#members.size <= this.#count) return;
      if (id !== this.#youId && id !== this.#hostId) this.#members.delete(id);
    }
  }

  /** @param {{id: string, name?: string}} member */
  #put(member) {
    const known = this.#members.has(member.id);
    if (!known && this.#members.size >= LISTED_MAX && member.id !== this.#youId) return;
    this.#members.set(member.id, member.name ?? this.#members.get(member.id) ?? '');
  }
}

// What two names have in common that look the same, or nearly.
const looksOf = (name) => name.normalize('NFKC').toLowerCase();

const numbered = (name, place) => (place === 1 ? name : `${name} (${place})`);

/** @param {string | {id: string}} member */
function idOf(member) {
  return typeof member === 'object' ? member.id : member;
}
