// That a person wants something, as a value. Every command needs one (shared_playback.js), and nothing
// but this module makes them, of nothing but
//
//   an input of the page   a click, a key, a slider, while its event is being dispatched
//   a media key            of a keyboard, a headset, a lock screen or the browser's own media controls,
//                          for which the browser calls a Media Session's handler
//   a native control       what the browser's own controls did to the element, where a hand may have been on them
//                          (steered_video.js, native_controls.js)
//
// So what the browser does by itself, and what our own code causes, is never taken for what the viewer
// wants: an event of the element, a message or a timer has no act to give.

const INPUTS = ['click', 'dblclick', 'keydown', 'keyup', 'pointerdown', 'pointerup', 'input'];
const madeHere = Symbol();

export class Act {
  // Of what: an event's type, a media key's action, or 'native'.
  constructor(maker, of) {
    if (maker !== madeHere) throw new TypeError('an act is made of what a person did');
    this.of = of;
  }
}

// The inputs of a page. They need not be "trusted": extensions that click for those who cannot make
// events that are not, and this page itself makes none of these types.
export class PageInputs {
  #events = []; // those that may still be under way, the innermost last

  // target: the page's window, another one for tests.
  constructor(target = globalThis) {
    for (const type of INPUTS) target.addEventListener(type, (event) => this.#begin(event), { capture: true });
  }

  // What is being carried out right now; null where no input of the page is.
  get act() {
    const event = this.#events.findLast(isUnderWay);
    return event ? new Act(madeHere, event.type) : null;
  }

  #begin(event) {
    this.#events = [...this.#events.filter(isUnderWay), event];
  }
}

function isUnderWay({ eventPhase }) {
  return eventPhase !== 0;
}

// handler(act, details): for each press of the media key. session: a MediaSession.
export function onMediaKey(session, action, handler) {
  try {
    session.setActionHandler(action, (details) => handler(new Act(madeHere, action), details ?? {}));
  } catch {
    // this browser does not know the action
  }
}

// handler(act, {type, position?}): for what a person did to a SteeredVideo by the browser's controls.
export function onNativeControl(video, handler) {
  video.addEventListener('native', ({ detail }) => handler(new Act(madeHere, 'native'), detail));
}
