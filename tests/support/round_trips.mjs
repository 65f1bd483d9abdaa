// How many times one side had to wait for the other, one wait after the other: counted, not timed.
//
// A viewer begins with 0. A connection is there one round trip after what the viewer knew when it was asked
// for. Whatever the viewer says is said with all that has arrived until then; what the server says after
// that has arrived there counts one more. So requests that leave together count once, and a request that
// is made of an answer once more, over whichever connections.

export class RoundTrips {
  #era = 0;
  #count = 0; // of what has arrived at the viewer
  #history = []; // {atMs, count}, in the order of both

  // A new connection: for each direction what a part is marked with as it leaves, and what its mark does
  // where it arrives.
  connect() {
    let way = { era: this.#era, readyAfter: this.#count + 1, atServer: this.#count + 1 };
    // One that was there before is there from the beginning.
    const now = () => (way = way.era === this.#era ? way : { era: this.#era, readyAfter: 0, atServer: 0 });
    return {
      up: {
        leave: () => ({ era: this.#era, count: Math.max(now().readyAfter, this.#count) }),
        arrive: ({ era, count }) => era === this.#era && (now().atServer = Math.max(now().atServer, count)),
      },
      down: {
        leave: () => ({ era: this.#era, count: now().atServer + 1 }),
        arrive: ({ era, count }) => era === this.#era && this.#hear(count),
      },
    };
  }

  // From here on it is counted from 0; what is under way does not count.
  restart() {
    this.#era += 1;
    this.#count = 0;
    this.#history = [];
  }

  // How many it had taken when it was `atMs`, in milliseconds since the Unix epoch.
  countAt(atMs) {
    return this.#history.findLast((entry) => entry.atMs <= atMs)?.count ?? 0;
  }

  #hear(count) {
    if (count <= this.#count) return;
    this.#count = count;
    this.#history.push({ atMs: performance.timeOrigin + performance.now(), count });
  }
}
