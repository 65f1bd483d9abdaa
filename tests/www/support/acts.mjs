// A person's act for a test, made the only way there is: out of an input.
import { PageInputs } from '../../../www/player/playback/act.js';

// A page whose inputs a test makes. (Node's own events forget between two listeners that they are
// being dispatched.)
export class FakePage {
  #listeners = new Map();

  addEventListener(type, listener) {
    this.#listeners.set(type, listener);
  }

  // While `handle()` runs the event is being dispatched.
  input(type, handle) {
    const event = { type, eventPhase: 1 };
    this.#listeners.get(type)?.(event);
    try {
      return handle();
    } finally {
      event.eventPhase = 0;
    }
  }
}

export function actOf(type = 'click') {
  const page = new FakePage();
  const inputs = new PageInputs(page);
  return page.input(type, () => inputs.act);
}
