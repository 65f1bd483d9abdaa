// Time and sockets that a test drives by hand, in place of the browser's.

export class FakeTime {
  nowMs = 1000;
  #timers = new Map();
  #nextId = 1;

  timers = {
    setTimeout: (action, delayMs) => {
      this.#timers.set(this.#nextId, { action, dueMs: this.nowMs + delayMs });
      return this.#nextId++;
    },
    clearTimeout: (id) => this.#timers.delete(id),
  };

  now = () => this.nowMs;

  get pending() {
    return this.#timers.size;
  }

  // Runs what falls due within the next `ms`, in order, then stands `ms` later.
  pass(ms) {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [id, timer] = [...this.#timers].sort((a, b) => a[1].dueMs - b[1].dueMs)[0] ?? [];
      if (!timer || timer.dueMs > endMs) break;
      this.#timers.delete(id);
      this.nowMs = Math.max(this.nowMs, timer.dueMs);
      timer.action();
    }
    this.nowMs = endMs;
  }
}

// A WebSocket class whose instances the test finds in `sockets`, the newest last.
export function fakeWebSocket() {
  const sockets = [];
  class FakeWebSocket extends EventTarget {
    readyState = 0;
    sent = [];
    closedWith = null;

    constructor(url) {
      super();
      this.url = new URL(url);
      sockets.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close(code) {
      this.closedWith = code ?? 1005;
      this.readyState = 3;
    }

    // What the network does:
    receive(message) {
      this.readyState = 1;
      const data = typeof message === 'string' ? message : JSON.stringify(message);
      this.dispatchEvent(new MessageEvent('message', { data }));
    }

    drop(code = 1006) {
      this.readyState = 3;
      this.dispatchEvent(Object.assign(new Event('close'), { code }));
    }
  }
  return { WebSocket: FakeWebSocket, sockets, latest: () => sockets.at(-1) };
}
