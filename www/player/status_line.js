// The line below the picture that always says what is going on, and the action it offers.
import { byId, setText } from '../dom.js';
import { strings } from '../strings.js';
import { describeRole, describeStatus } from './status.js';

const RENDER_EVERY_MS = 250;
const DETAIL_EVERY_MS = 1_000; // a number that changes faster cannot be read

export class StatusLine {
  #room;
  #follower;
  #source;
  #video;
  #waiting = { members: [], untilMs: 0 };
  #notice = null;
  #detailAtMs = 0;
  #action = null;
  #onRender;

  // onRender(): whatever else the page refreshes at this pace.
  constructor({ room, follower, source, video, onRender }) {
    this.#room = room;
    this.#follower = follower;
    this.#source = source;
    this.#video = video;
    this.#onRender = onRender;
    room.addEventListener('waiting', ({ detail }) => (this.#waiting = detail));
    room.addEventListener('notice', ({ detail }) => (this.#notice = detail.code === 'restored' ? null : detail.code));
    room.addEventListener('welcome', () => (this.#notice = null));
    room.addEventListener('state', () => this.#waiting = { members: [], untilMs: 0 });
    for (const type of ['phase', 'welcome', 'state', 'people', 'waiting', 'notice', 'settings']) {
      room.addEventListener(type, () => this.render());
    }
    follower.addEventListener('change', () => this.render());
    source.addEventListener('problem', () => this.render());
    byId('status-action').addEventListener('click', () => this.#act());
    byId('big-action').addEventListener('click', () => this.#act());
    setInterval(() => this.render(), RENDER_EVERY_MS);
  }

  render() {
    const { kind, text, detail, action } = describeStatus(this.#view());
    byId('status').dataset.kind = kind;
    setText(byId('status-text'), text);
    this.#renderDetail(detail);
    this.#renderAction(action, kind);
    setText(byId('role'), this.#roleWords());
    byId('spinner').hidden = kind !== 'busy' || this.#video.readyState >= 3;
    this.#onRender();
  }

  #view() {
    const room = this.#room;
    const nowMs = performance.now();
    const { state } = room.timeline;
    return {
      phase: room.connection.phase,
      nowMs,
      problem: this.#source.problem,
      hasVideo: !state || state.video !== '',
      loaded: this.#video.readyState >= 1,
      blocked: this.#follower.blocked,
      waitingFor: this.#waitingNames(),
      buffering: this.#follower.buffering,
      state,
      byName: room.presence.nameOf(state?.by),
      byYou: Boolean(state?.by) && state.by === room.you?.id,
      measure: this.#follower.measure(),
      errorBoundMs: room.clock.errorBoundMs(nowMs),
      notice: this.#notice,
    };
  }

  #waitingNames() {
    if (!(this.#waiting.untilMs > this.#room.serverTimeMs())) return [];
    const nameOf = (id) => (id === this.#room.you?.id ? strings.status.you : this.#room.presence.nameOf(id));
    return this.#waiting.members.map((id) => nameOf(id) || strings.people.unnamed);
  }

  #roleWords() {
    const { presence, settings, youAreHost, you } = this.#room;
    if (!you || this.#room.connection.phase.name === 'closed') return '';
    const { hostId, hostName } = presence;
    const hostIsHere = hostName !== undefined || presence.count > presence.list().length;
    return describeRole({ youAreHost, control: settings.control, hostId, hostName, hostIsHere });
  }

  #renderDetail(detail) {
    const nowMs = performance.now();
    if (detail && byId('status-detail').textContent && nowMs - this.#detailAtMs < DETAIL_EVERY_MS) return;
    this.#detailAtMs = nowMs;
    setText(byId('status-detail'), detail);
  }

  // What keeps somebody from hearing or seeing anything is offered on the picture as well.
  #renderAction(action, kind) {
    this.#action = action;
    const label = action ? strings.actions[action] : '';
    const big = action === 'sound' || action === 'play' || (kind === 'bad' && action !== null);
    byId('status-action').hidden = action === null || big;
    byId('big-action').hidden = !big;
    setText(byId('status-action'), label);
    setText(byId('big-action'), label);
  }

  #act() {
    switch (this.#action) {
      case 'tryNow':
        return this.#room.connection.retryNow();
      case 'takeBack':
        return this.#room.connection.start();
      case 'tryAgain':
        return this.#source.retry();
      case 'sound':
      case 'play':
        return this.#follower.unblock();
      case 'home':
        return location.assign('/');
    }
  }
}
