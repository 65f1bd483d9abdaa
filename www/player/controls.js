// The bar below the picture and the keyboard. What concerns everybody goes to the server as a
// command; sound, captions and full screen stay here.
import { byId, setIcon, setText } from '../dom.js';
import { formatTime } from '../format.js';
import { strings } from '../strings.js';
import { LatestSender } from './latest_sender.js';
import { bindKeys } from './shortcuts.js';

const words = strings.controls;
const HIDE_AFTER_MS = 3_000;
const EXPECTED_FOR_MS = 1_500; // how long the scrubber stays where it was let go, until a state comes

export class Controls {
  #room;
  #video;
  #follower;
  #toast;
  #seeks;
  #scrubbing = false;
  #expected = null; // {position, untilMs}: sought, not yet confirmed
  #hideTimer = null;

  constructor({ room, video, follower, toast }) {
    this.#room = room;
    this.#video = video;
    this.#follower = follower;
    this.#toast = toast;
    this.#seeks = new LatestSender((position) => this.#sendSeek(position));
    this.#bindPlayback();
    this.#bindSound();
    this.#bindCaptions();
    this.#bindFullScreen();
    this.#bindHiding();
    bindKeys({
      togglePlay: () => this.#togglePlay(),
      seekBy: (seconds) => this.#seekBy(seconds),
      volumeBy: (step) => this.#setVolume(this.#video.volume + step),
      toggleMute: () => this.#toggleMute(),
      cycleCaptions: () => this.#cycleCaptions(),
      toggleFull: () => this.#toggleFull(),
      help: () => byId('help-dialog').showModal(),
    });
    room.addEventListener('state', () => {
      this.#expected = null;
      this.render();
    });
    this.render();
  }

  // Cheap enough for four times a second.
  render() {
    const { state } = this.#room.timeline;
    const mayControl = this.#mayControl();
    const durationS = this.#video.duration;
    const playing = this.#isPlaying();
    setIcon(byId('play'), playing ? 'pause' : 'play');
    this.#label('play', playing ? words.pause : words.play);
    for (const id of ['play', 'scrubber', 'rate']) {
      byId(id).setAttribute('aria-disabled', String(!mayControl));
      if (!mayControl) byId(id).title = this.#whyNot();
      else if (id !== 'play') byId(id).title = '';
    }
    byId('scrubber').disabled = !mayControl;
    byId('rate').disabled = !mayControl;
    if (state) byId('rate').value = String(this.#follower.detached ? this.#video.playbackRate : state.rate);
    setText(byId('time-all'), formatTime(durationS));
    if (!this.#scrubbing) this.#showPosition(this.#shownPosition(), durationS);
    byId('captions').hidden = this.#tracks().length === 0;
  }

  // At their own pace everybody may do everything: it concerns their own player only.
  #mayControl() {
    return this.#follower.detached || this.#room.mayControl;
  }

  #isPlaying() {
    if (this.#follower.detached) return !this.#video.paused;
    return Boolean(this.#room.timeline.state?.playing) && !this.#follower.measure().over;
  }

  #label(id, text) {
    const element = byId(id);
    if (element.getAttribute('aria-label') === text) return;
    element.setAttribute('aria-label', text);
    element.title = text;
  }

  #whyNot() {
    return words.notYours(this.#room.presence.hostName || strings.role.whoToAsk);
  }

  // Sends a command, or says in words why not.
  #command(type, fields) {
    if (this.#follower.detached) return this.#follower.act(type, fields);
    if (!this.#room.mayControl) return this.#toast(this.#whyNot());
    if (!this.#room.send(type, fields)) this.#toast(words.offline);
  }

  #bindPlayback() {
    byId('play').addEventListener('click', () => this.#togglePlay());
    this.#video.addEventListener('click', () => {
      if (matchMedia('(hover: hover)').matches) this.#togglePlay();
    });
    const scrubber = byId('scrubber');
    scrubber.addEventListener('input', () => {
      this.#scrubbing = true;
      this.#showPosition(Number(scrubber.value), this.#video.duration);
    });
    scrubber.addEventListener('change', () => {
      this.#scrubbing = false;
      this.#seekTo(Number(scrubber.value));
    });
    // Brought back to where it was taken up, or taken away, the scrubber reports no change.
    for (const type of ['pointerup', 'pointercancel', 'blur']) {
      scrubber.addEventListener(type, () => setTimeout(() => (this.#scrubbing = false)));
    }
    byId('rate').addEventListener('change', () => this.#command('rate', { rate: Number(byId('rate').value) }));
  }

  #togglePlay() {
    if (this.#follower.blocked) this.#follower.unblock();
    if (this.#isPlaying()) return this.#command('pause');
    this.#command('play', this.#follower.measure().over ? { position: 0 } : {});
  }

  #seekBy(seconds) {
    this.#seekTo(this.#shownPosition() + seconds);
  }

  #seekTo(position) {
    if (!this.#mayControl()) return this.#toast(this.#whyNot());
    const { duration } = this.#video;
    const bounded = Math.max(0, Number.isFinite(duration) ? Math.min(position, duration) : position);
    this.#seeks.push(bounded);
    this.#expected = { position: bounded, untilMs: performance.now() + EXPECTED_FOR_MS };
    this.#showPosition(bounded, duration);
  }

  #sendSeek(position) {
    this.#command('seek', { position });
  }

  // Where the viewer thinks the showing is: a seek under way counts.
  #shownPosition() {
    if (this.#seeks.pending !== undefined) return this.#seeks.pending;
    if (this.#follower.detached) return this.#video.currentTime;
    if (this.#expected && performance.now() < this.#expected.untilMs) return this.#expected.position;
    return this.#room.timeline.positionAt(this.#room.serverTimeMs()) || 0;
  }

  #showPosition(position, durationS) {
    const scrubber = byId('scrubber');
    const max = Number.isFinite(durationS) ? durationS : 0;
    if (Number(scrubber.max) !== max) scrubber.max = max;
    if (!this.#scrubbing) scrubber.value = position;
    scrubber.style.setProperty('--played', max > 0 ? `${(100 * position) / max}%` : '0%');
    setText(byId('time-now'), formatTime(position));
    scrubber.setAttribute('aria-valuetext', words.position(formatTime(position), formatTime(durationS)));
  }

  #bindSound() {
    byId('mute').addEventListener('click', () => this.#toggleMute());
    byId('volume').addEventListener('input', () => this.#setVolume(Number(byId('volume').value)));
    const show = () => {
      const silent = this.#video.muted || this.#video.volume === 0;
      setIcon(byId('mute'), silent ? 'muted' : 'sound');
      this.#label('mute', silent ? words.unmute : words.mute);
      byId('volume').value = silent ? 0 : this.#video.volume;
    };
    this.#video.addEventListener('volumechange', show);
    show();
  }

  #toggleMute() {
    if (this.#follower.blocked === 'sound') return this.#follower.unblock();
    const silent = this.#video.muted || this.#video.volume === 0;
    this.#video.muted = !silent;
    if (silent && this.#video.volume === 0) this.#video.volume = 0.5;
  }

  #setVolume(volume) {
    this.#video.volume = Math.min(1, Math.max(0, volume));
    this.#video.muted = this.#video.volume === 0;
    this.#follower.soundChosen();
  }

  #tracks() {
    return [...this.#video.textTracks].filter(({ kind }) => kind === 'captions' || kind === 'subtitles');
  }

  #bindCaptions() {
    byId('captions').addEventListener('click', () => this.#cycleCaptions());
    this.#label('captions', words.captionsOff);
  }

  // Off, then each language in turn.
  #cycleCaptions() {
    const tracks = this.#tracks();
    if (tracks.length === 0) return;
    const shown = tracks.findIndex(({ mode }) => mode === 'showing');
    const next = tracks[shown + 1];
    for (const track of tracks) track.mode = track === next ? 'showing' : 'disabled';
    byId('captions').setAttribute('aria-pressed', String(Boolean(next)));
    const text = next ? words.captionsOn(next.label || next.language) : words.captionsOff;
    this.#label('captions', text);
    this.#toast(text);
  }

  #bindFullScreen() {
    byId('full').addEventListener('click', () => this.#toggleFull());
    const show = () => {
      const isFull = Boolean(document.fullscreenElement);
      setIcon(byId('full'), isFull ? 'unfull' : 'full');
      // Only what is inside the full-screen element can be seen.
      (document.fullscreenElement ?? byId('app')).append(byId('toasts'));
      this.#label('full', isFull ? words.leaveFullScreen : words.fullScreen);
    };
    document.addEventListener('fullscreenchange', show);
    show();
  }

  #toggleFull() {
    const stage = byId('stage');
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => {});
    else this.#video.webkitEnterFullscreen?.(); // iPhones know only the video's own
  }

  // The bar goes away while the picture runs and nobody touches anything.
  #bindHiding() {
    const stage = byId('stage');
    const show = () => {
      stage.classList.remove('quiet');
      clearTimeout(this.#hideTimer);
      this.#hideTimer = setTimeout(() => this.#hide(), HIDE_AFTER_MS);
    };
    for (const type of ['pointermove', 'pointerdown', 'focusin', 'keydown']) stage.addEventListener(type, show);
    this.#room.addEventListener('state', show);
    show();
  }

  #hide() {
    const keyboardInside = byId('controls').querySelector(':focus-visible');
    if (!this.#video.paused && !keyboardInside) byId('stage').classList.add('quiet');
  }
}
