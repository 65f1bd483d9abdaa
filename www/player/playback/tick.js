// A tick to judge a shift by: at each whole second of the room a light flashes, and a sound is made as far
// before as this player runs ahead. Where the way to the ear takes as long, the two come together; and
// beside others who have it on, all of them sound as one.
//
// The light is the room's moment itself: shifted with the sound it would tell nothing of it.

const EVERY_MS = 1_000;
const LIT_MS = 90;
const AHEAD_MS = 300; // how long before they are due sounds are handed over
const LOOK_EVERY_MS = 100;
const SOUND_S = 0.03;
const PITCH_HZ = 1_000;
const LOUDNESS = 0.4;

export class Tick {
  #serverTimeMs;
  #shiftMs;
  #show;
  #now;
  #timers;
  #makeContext;
  #frame;
  #context = null; // an AudioContext while it ticks
  #timer = null;
  #soundedMs = -Infinity; // the last second whose sound was handed over

  // serverTimeMs(nowMs): NaN while it is not known. shiftMs(): of the player. show(isLit): the light.
  // now, timers, frame, makeContext: other ones for tests.
  constructor({
    serverTimeMs, shiftMs, show, now = () => performance.now(), frame = (act) => requestAnimationFrame(act),
    timers = { setInterval: (act, ms) => setInterval(act, ms), clearInterval: (id) => clearInterval(id) },
    makeContext = () => new AudioContext({ latencyHint: 'interactive' }),
  }) {
    this.#serverTimeMs = serverTimeMs;
    this.#shiftMs = shiftMs;
    this.#show = show;
    this.#now = now;
    this.#timers = timers;
    this.#frame = frame;
    this.#makeContext = makeContext;
  }

  get isOn() {
    return this.#context !== null;
  }

  // Within a gesture, which browsers want before a sound.
  start() {
    if (this.isOn) return;
    this.#context = this.#makeContext();
    this.#context.resume?.();
    this.#soundedMs = -Infinity;
    this.#timer = this.#timers.setInterval(() => this.#sound(), LOOK_EVERY_MS);
    this.#sound();
    this.#light(this.#context);
  }

  stop() {
    if (!this.isOn) return;
    this.#timers.clearInterval(this.#timer);
    this.#context.close?.();
    this.#context = null;
    this.#show(false);
  }

  #light(context) {
    if (this.#context !== context) return;
    const serverMs = this.#serverTimeMs(this.#now());
    this.#show(Number.isFinite(serverMs) && serverMs % EVERY_MS < LIT_MS);
    this.#frame(() => this.#light(context));
  }

  // A clock that is corrected, or a shift that is moved, makes no second sound twice and leaves out none but
  // those that are past.
  #sound() {
    const nowMs = this.#now();
    const serverMs = this.#serverTimeMs(nowMs);
    if (!Number.isFinite(serverMs)) return;
    const soundsMs = serverMs + this.#shiftMs(); // the second that would have to sound now
    const first = Math.max(this.#soundedMs + EVERY_MS, Math.ceil(soundsMs / EVERY_MS) * EVERY_MS);
    for (let second = first; second - soundsMs < AHEAD_MS; second += EVERY_MS) {
      this.#soundAt(this.#contextTimeS(nowMs, nowMs + second - soundsMs));
      this.#soundedMs = second;
    }
  }

  // The context's time at which what is played is put out at atMs: where the browser knows of a delay, it
  // counts here as it does for the film.
  #contextTimeS(nowMs, atMs) {
    const { contextTime = 0, performanceTime = 0 } = this.#context.getOutputTimestamp?.() ?? {};
    if (performanceTime > 0) return contextTime + (atMs - performanceTime) / 1000;
    return this.#context.currentTime + (atMs - nowMs) / 1000;
  }

  #soundAt(atS) {
    const context = this.#context;
    const startS = Math.max(atS, context.currentTime);
    const gain = new GainNode(context, { gain: LOUDNESS });
    const tone = new OscillatorNode(context, { frequency: PITCH_HZ });
    gain.gain.setValueAtTime(LOUDNESS, startS);
    gain.gain.exponentialRampToValueAtTime(0.001, startS + SOUND_S);
    tone.connect(gain).connect(context.destination);
    tone.start(startS);
    tone.stop(startS + SOUND_S);
  }
}
