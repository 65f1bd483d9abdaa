// The keys of keyboards, headphones and lock screens, by the browser's Media Session: what they ask
// for goes to the server like any other command, and what the system shows is the showing.

const STEP_S = 10; // where the system does not say how far
const REFRESH_MS = 5_000; // how long the system may run on by itself

export class MediaKeys {
  #room;
  #follower;
  #source;
  #session;
  #onRefused;

  // source: its `current` entry has title and poster. onRefused(): told when the viewer may not.
  // session, every(action, ms): navigator.mediaSession and setInterval, other ones for tests.
  constructor({ room, follower, source, onRefused, session = navigator.mediaSession, every = (...a) => setInterval(...a) }) {
    this.#room = room;
    this.#follower = follower;
    this.#source = source;
    this.#onRefused = onRefused;
    this.#session = session;
    if (!session) return;
    this.#bind();
    room.addEventListener('state', () => this.#show());
    follower.addEventListener('change', () => this.#show());
    every(() => this.#show(), REFRESH_MS);
  }

  #bind() {
    const on = (action, handler) => {
      try {
        this.#session.setActionHandler(action, handler);
      } catch {
        // this browser does not know the action
      }
    };
    on('play', () => this.#playOrPause(true));
    on('pause', () => this.#playOrPause(false));
    on('stop', () => this.#playOrPause(false));
    on('seekbackward', ({ seekOffset }) => this.#seekTo(this.#positionS() - (seekOffset || STEP_S)));
    on('seekforward', ({ seekOffset }) => this.#seekTo(this.#positionS() + (seekOffset || STEP_S)));
    on('seekto', ({ seekTime, fastSeek }) => !fastSeek && this.#seekTo(seekTime));
  }

  #playOrPause(play) {
    if (play && this.#follower.blocked) this.#follower.unblock();
    if (play === this.#isPlaying()) return;
    const { over } = this.#follower.measure();
    this.#command(play ? 'play' : 'pause', play && over ? { position: 0 } : {});
  }

  #seekTo(position) {
    const { durationS } = this.#follower.measure();
    this.#command('seek', { position: Math.min(Math.max(0, position), durationS) });
  }

  #command(type, fields) {
    if (this.#follower.detached) return this.#follower.act(type, fields);
    if (!this.#room.mayControl) return this.#onRefused();
    this.#room.send(type, fields);
  }

  #isPlaying() {
    if (this.#follower.detached) return !this.#follower.measure().paused;
    return Boolean(this.#room.timeline.state?.playing) && !this.#follower.measure().over;
  }

  #positionS() {
    const { position, positionS } = this.#follower.measure();
    return this.#follower.detached ? positionS : position;
  }

  #show() {
    const { state } = this.#room.timeline;
    if (!state) return;
    this.#showTitle();
    this.#session.playbackState = this.#isPlaying() ? 'playing' : 'paused';
    const { durationS } = this.#follower.measure();
    const position = this.#positionS();
    if (!Number.isFinite(durationS) || !(position >= 0 && position <= durationS)) return;
    this.#session.setPositionState?.({ duration: durationS, position, playbackRate: state.rate });
  }

  #showTitle() {
    const { title = '', poster } = this.#source.current ?? {};
    if (this.#session.metadata?.title === title || typeof MediaMetadata === 'undefined') return;
    const artwork = poster ? [{ src: new URL(poster, location.href).href }] : [];
    this.#session.metadata = new MediaMetadata({ title, artist: 'VideoSync', artwork });
  }
}
