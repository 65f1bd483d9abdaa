// A session as one member sees it: connection, clock, timeline and presence put together.
//
// Knows no page: it turns what the server says into events, and offers the commands. Commands are
// not applied here; the showing changes when the server's `state` comes back.
//
// Events (an EventTarget; details in event.detail):
//   phase     the connection's phase (see connection.js)
//   welcome   {resumed}
//   state     {state, previous}
//   settings  {control, onStall, audioLanguage, queue, controllers, door}
//   knocks    to the host: who waits at the door is another: `knocks.list`
//   queue     it changed: `queue.list`
//   upNext    {item, video, title, atMs}: that one begins by itself then; null: nothing does
//   ready     how many are changed, or whether this member is
//   history   lines of the chat from before, oldest first, as of chat
//   people    members came, went or changed, or the host did: {joined, left}, each a list of
//             {id, name}, empty where that is not what happened
//   host      {id, reason, youAreHost, youWereHost}
//   undone    what was last seen and done here does not count any more: another node had taken the
//             session over; told by a notice, or by the first welcome after that
//   upload    how far a film is that the host brings: {name, percent}, or {name, gone}
//   viewers, waiting, chat, reaction, notice (any other), refused: the server's message
import { ServerClock, pingDelayMs } from '../sync/clock.js';
import { Timeline, isNewer } from '../sync/timeline.js';
import { Connection } from './connection.js';
import { Knocks } from './knocks.js';
import { Presence } from './presence.js';
import { Queue } from './queue.js';

const NOBODY = { joined: [], left: [] };

const COMMANDS = ['play', 'pause', 'seek', 'rate', 'load', 'next', 'jump', 'cancelNext'];
const HEARTBEAT = 'heartbeat';
const HEARTBEAT_MS = 2_000; // longer silence is asked whether anybody is there
const HEARTBEAT_MAX_MS = 10_000;
const BEATS_PER_SECOND_MAX = 500; // of all pages of a session together: above 1,000 each asks less often
const ANSWER_MS = 1_000; // so long the answer may take
const PAUSE_MS = 15_000; // a page that did not run for so long slept
const AWAKE_ANSWER_MS = 3_000;

export class Room extends /** @type {{new (): RoomTarget}} */ (EventTarget) {
  clock = new ServerClock();
  timeline = new Timeline();
  presence = new Presence();
  queue = new Queue();
  knocks = new Knocks();
  connection;
  /** @type {Settings} */
  settings = { control: 'host', onStall: 'continue', audioLanguage: '', queue: 'host', controllers: [], door: 'open' };
  /** @type {UpNext} */
  upNext = null;
  readyCount = 0;
  youAreReady = false;
  reportEveryMs = 5_000;
  code = ''; // under which others find the session; '' where it has none
  /** @type {string[]} */
  sources = []; // of films that are not of the library: origins
  /** @type {{id: string, name: string, resume: string} | null} */
  you = null;
  viewers = new Map(); // for the host: id -> {driftMs, rttMs, buffering, form?, cannotPlay?, ready?}, of the worst off

  #options;
  #now;
  #wallNow;
  #timers;
  #pingTimer = null;
  #heartbeatTimer = null;
  #isCommanded = false; // the right to send commands has been given away
  #pingsSent = 0;
  #held; // {epoch, seq} of the newest state that this tab has seen, also before it was loaded anew; null: none
  #wantedName = null; // asked for, and not yet taken or refused
  #lookedMs = null; // when lookForSleep() was last called
  #newestChat = ''; // the id of the newest line that this page has

  // origin: 'ws://host'; key; name: of the viewer, '' where the server shall make one up; memory: what
  // this tab and browser remember, {resume, held, hostToken, controlGivenAway} of the session, read and
  // written here, and name, written when the server has taken it (see ../memory.js);
  // whyRefused(url), WebSocket, timers, now, wallNow, random: see connection.js, injected for tests.
  constructor(options) {
    super();
    this.#options = options;
    this.#held = placeOf(options.memory.held);
    this.#now = options.now ?? (() => performance.now());
    this.#wallNow = options.wallNow ?? (() => Date.now());
    this.#timers = options.timers ?? {
      setTimeout: globalThis.setTimeout.bind(globalThis),
      clearTimeout: globalThis.clearTimeout.bind(globalThis),
    };
    this.connection = new Connection({
      ...options,
      now: this.#now,
      timers: this.#timers,
      url: () => this.#url(),
      whyRefused: options.whyRefused && (() => options.whyRefused(this.#url())),
      onMessage: (message, startedMs) => this.#onMessage(message, startedMs),
      onPhase: (phase) => this.#onPhase(phase),
    });
  }

  get youAreHost() {
    return this.presence.youAreHost;
  }

  get mayControl() {
    const { control, controllers } = this.settings;
    return this.youAreHost || control === 'everyone' || controllers.includes(this.you?.id);
  }

  get mayQueue() {
    return this.mayControl || this.settings.queue === 'everyone';
  }

  /** @param {Contract.FromServer.queue['list'][number]} item of queue.list */
  mayDequeue({ by }) {
    return this.mayControl || (this.mayQueue && by !== null && by.id === this.you?.id);
  }

  // The creator of the session may take control at any time.
  get mayClaim() {
    return !this.youAreHost && Boolean(this.#options.memory.hostToken);
  }

  // A film of one's own is brought by the session's creator, while that is its host.
  get mayBring() {
    return this.youAreHost && Boolean(this.#options.memory.hostToken);
  }

  get hostToken() {
    return this.#options.memory.hostToken;
  }

  serverTimeMs() {
    return this.clock.serverTimeMs(this.#now());
  }

  // How long nothing has been heard from the server over the connection that is open.
  get silentMs() {
    const { isUp, heardAtMs } = this.connection;
    return isUp ? this.#now() - heardAtMs : 0;
  }

  // It was asked, and has not answered: what was last heard is not known to be so any more.
  get isSilent() {
    return this.silentMs > this.#heartbeatMs + ANSWER_MS;
  }

  get #heartbeatMs() {
    const sharedMs = (this.presence.count * 1_000) / BEATS_PER_SECOND_MAX;
    return Math.min(Math.max(HEARTBEAT_MS, sharedMs), HEARTBEAT_MAX_MS);
  }

  // Any message of the contract but playback's commands. False when there is no connection.
  /** @template {Saying['type']} T @param {T} type @param {FieldsOf<Saying, T>} [fields] */
  send(type, fields = /** @type {FieldsOf<Saying, T>} */ ({})) {
    if (COMMANDS.includes(type)) throw new TypeError(`${type} is a command: a person's act makes those`);
    return this.connection.send(/** @type {any} */ ({ type, ...fields }));
  }

  // The right to send playback's commands, given once: to whoever sees to it that a person wants them.
  // (type, fields) => false when there is no connection.
  /** @returns {<T extends Command['type']>(type: T, fields?: FieldsOf<Command, T>) => boolean} */
  takeCommands() {
    if (this.#isCommanded) throw new TypeError('the right to send commands has been given away');
    this.#isCommanded = true;
    return (type, fields) => this.connection.send(/** @type {any} */ ({ type, ...fields }));
  }

  // Taken when the server says so; asked for once more where the connection is lost before that.
  rename(name) {
    this.#wantedName = name;
    return this.send('name', { name });
  }

  // What the server told over HTTP of the session, at a time when no connection is there yet: `info` of
  // askedMs and heardMs (first_look.js). The video need not wait for the welcome, which says it again. Of no
  // use once that has come.
  /** @param {{info: Contract.Answer.sessionInfo, askedMs: number, heardMs: number}} seen */
  foretell({ info, askedMs, heardMs }) {
    if (this.you) return;
    this.clock.addSample({ t1: askedMs, t2: info.serverTimeMs, t3: info.serverTimeMs, t4: heardMs });
    const isPast = this.#held && isNewer(this.#held, info.state);
    if (!isPast) this.#onState(info.state);
  }

  // Measures the clock anew, in quick steps.
  measureClock() {
    if (this.connection.phase.name !== 'open') return;
    this.#stopPings();
    this.#pingsSent = 0;
    this.#ping();
  }

  // Whether this member is ready to begin. Taken for so at once; a `load` and a `play` end it.
  setReady(ready) {
    if (!this.send('ready', { ready })) return false;
    this.youAreReady = ready;
    this.#emit('ready');
    return true;
  }

  // To be called now and then.
  forgetSilentKnocks() {
    this.#noteKnocks(this.knocks.forgetSilent(this.#now()));
  }

  claim() {
    return this.send('claim', { hostToken: this.#options.memory.hostToken });
  }

  // The host token goes along only while its holder wants control: whoever gave it away does not
  // take it back by a mere reconnection. `held`: so that no node that was left behind shows the past;
  // it refuses, and the next attempt may find another.
  #url() {
    const { origin, key, name, memory } = this.#options;
    const query = new URLSearchParams({ session: key });
    if (name) query.set('name', name);
    if (memory.resume) query.set('resume', memory.resume);
    if (memory.resume && this.#held) query.set('held', `${this.#held.epoch}.${this.#held.seq}`);
    if (this.#newestChat) query.set('chat', this.#newestChat);
    if (memory.hostToken && !memory.controlGivenAway) query.set('host', memory.hostToken);
    return `${origin}/ws?${query}`;
  }

  /** @param {Phase} phase */
  #onPhase(phase) {
    if (phase.name !== 'open') {
      this.#stopPings();
      this.#stopBeating();
      this.#noteKnocks(this.knocks.clear());
    }
    if (this.connection.isUp) this.#beat();
    if (phase.name === 'closed' && phase.reason === 'removed') this.#options.memory.resume = null; // it is of no use any more
    this.#emit('phase', phase);
  }

  /** @param {Contract.ServerMessage} message @param {number} startedMs */
  #onMessage(message, startedMs) {
    switch (message.type) {
      case 'welcome':
        return this.#onWelcome(message, startedMs);
      case 'state':
        if (this.#onState(message)) this.#endReadiness(message);
        return undefined;
      case 'host':
        return this.#onHost(message);
      case 'members':
        this.presence.onMembers(message);
        this.#noteOwnName(message);
        this.#noteReady(message.ready);
        return this.#emit('people', { joined: message.joined ?? [], left: message.left ?? [] });
      case 'settings':
        return this.#onSettings(message);
      case 'pong':
        return message.id !== HEARTBEAT && this.clock.addSample({ ...message, t4: this.#now() });
      case 'reaction':
        return [message, ...(message.more ?? [])].forEach((one) => this.#emit('reaction', one));
      case 'error':
        if (message.re === 'name') this.#wantedName = null;
        if (message.re === 'ready') this.#takeReadyBack();
        return this.#emit('refused', message);
      case 'chat':
        if (this.presence.onChat(message)) this.#emit('people', NOBODY);
        this.#newestChat = message.id ?? this.#newestChat;
        return this.#emit('chat', message);
      case 'history':
        this.#newestChat = message.list.at(-1)?.id ?? this.#newestChat;
        return this.#emit('history', message.list);
      case 'queue':
        return this.queue.accept(message) && this.#emit('queue');
      case 'upNext':
        return this.#onUpNext(message);
      case 'knock':
        return this.#noteKnocks(this.knocks.accept(message, this.#now()));
      case 'viewers':
        this.viewers = new Map(message.list.map((report) => [report.id, report]));
        return this.#emit('viewers', message);
      case 'notice':
        return message.code === 'undone' ? this.#emit('undone') : this.#emit('notice', message);
      case 'waiting':
        return this.#emit('waiting', message);
      case 'upload':
        return this.#emit('upload', message);
    }
  }

  // Comes first after each connection.
  /** @param {Contract.FromServer.welcome} message @param {number} startedMs */
  #onWelcome(message, startedMs) {
    const resumed = this.you?.id === message.you.id;
    const isUndone = this.timeline.isUndoneBy(message.takenOver ?? []);
    this.you = { id: message.you.id, name: message.you.name, resume: message.you.resume };
    if (message.you.resume) this.#options.memory.resume = message.you.resume;
    this.code = message.session?.code ?? '';
    this.sources = message.session?.sources ?? [];
    this.presence.onWelcome(message);
    this.queue.clear();
    this.reportEveryMs = message.reportEveryMs ?? this.reportEveryMs;
    this.#startClock(message.serverTimeMs, startedMs);
    this.#emit('welcome', { resumed });
    this.#compareName();
    this.#onSettings(message.session);
    this.#emit('people', NOBODY);
    this.youAreReady = message.you.ready === true;
    this.#noteReady(message.members?.ready);
    this.#emit('queue');
    this.#onUpNext(message.upNext ?? {});
    this.#onState(message.state);
    if (isUndone) this.#emit('undone');
  }

  // Who comes back as the same member has the name from before, whatever was asked for.
  #compareName() {
    const wanted = this.#wantedName ?? this.#options.name;
    if (!wanted) this.#options.memory.name = '';
    else if (wanted === this.you.name) this.#takeName(wanted);
    else this.rename(wanted);
  }

  // What has changed of this member may be its role alone. Who has just come stands among the joined,
  // with whatever has changed since.
  /** @param {Partial<Contract.FromServer.members>} message */
  #noteOwnName({ joined = [], changed = [] }) {
    const { name } = [...joined, ...changed].find(({ id }) => id === this.you?.id) ?? {};
    if (name !== undefined && (name === this.#wantedName || name !== this.you.name)) this.#takeName(name);
  }

  #takeName(name) {
    this.#wantedName = null;
    this.you.name = name;
    this.#options.name = name;
    this.#options.memory.name = name;
  }

  // A server of 1.0 knows neither a queue nor controllers, and no door.
  /** @param {Contract.SettingsFields} settings */
  #onSettings({ control, onStall, audioLanguage = '', queue = 'host', controllers = [], door = 'open' }) {
    this.settings = { control, onStall, audioLanguage, queue, controllers, door };
    this.#emit('settings', this.settings);
  }

  #noteKnocks(isNews) {
    if (isNews) this.#emit('knocks');
  }

  /** @param {Partial<Contract.UpNextFields>} message */
  #onUpNext({ item = null, video, title, atMs }) {
    if (item === null && !this.upNext) return;
    this.upNext = item === null ? null : { item, video, title, atMs };
    this.#emit('upNext', this.upNext);
  }

  #noteReady(count = this.readyCount) {
    this.readyCount = count;
    this.#emit('ready');
  }

  /** @param {Contract.State} state */
  #onState(state) {
    const previous = this.timeline.state;
    if (!this.timeline.accept(state)) return false;
    this.#hold(state);
    if (state.cause === 'load') this.#onUpNext({});
    this.#emit('state', { state: this.timeline.state, previous });
    return true;
  }

  // It was refused: as it was before.
  #takeReadyBack() {
    this.youAreReady = !this.youAreReady;
    this.#emit('ready');
  }

  #endReadiness({ cause }) {
    if ((cause !== 'load' && cause !== 'play') || !this.youAreReady) return;
    this.youAreReady = false;
    this.#emit('ready');
  }

  #hold({ epoch, seq }) {
    if (!isNewer({ epoch, seq }, this.#held)) return;
    this.#held = { epoch, seq };
    this.#options.memory.held = `${epoch}.${seq}`;
  }

  /** @param {Contract.FromServer.host} message */
  #onHost(message) {
    const youWereHost = this.youAreHost;
    this.presence.onHost(message);
    if (!this.youAreHost) this.viewers.clear();
    if (!this.youAreHost) this.#noteKnocks(this.knocks.clear());
    if (this.youAreHost) this.#options.memory.controlGivenAway = false;
    else if (youWereHost && message.reason !== 'left') this.#options.memory.controlGivenAway = true;
    this.#emit('host', { ...message, youAreHost: this.youAreHost, youWereHost });
    this.#emit('people', NOBODY);
  }

  // Another node may answer now: its clock is measured anew. The welcome's own time is a first, coarse
  // sample.
  #startClock(serverTimeMs, startedMs) {
    this.clock.reconnected(this.#now());
    this.clock.addSample({ t1: startedMs, t2: serverTimeMs, t3: serverTimeMs, t4: this.#now() });
    this.#pingsSent = 0;
    this.#ping();
  }

  // To be called often. After a sleep of the machine, or of the page, the clock is measured anew and the
  // connection must answer soon: it may have died meanwhile. Returns whether there was one.
  lookForSleep() {
    const nowMs = this.#now();
    const pauseMs = nowMs - (this.#lookedMs ?? nowMs);
    this.#lookedMs = nowMs;
    const stood = this.clock.noticeSleep(this.#wallNow(), nowMs);
    if (!stood && pauseMs < PAUSE_MS) return false;
    if (this.connection.phase.name === 'waiting') this.connection.retryNow();
    if (this.connection.phase.name !== 'open') return true;
    this.#stopPings();
    this.#pingsSent = 0;
    this.connection.expectAnswer(AWAKE_ANSWER_MS);
    this.#ping();
    return true;
  }

  #ping() {
    const t1 = this.#now();
    this.#pingTimer = this.#timers.setTimeout(() => this.#ping(), pingDelayMs(this.#pingsSent));
    this.#pingsSent += 1;
    this.connection.ping({ type: 'ping', id: this.#pingsSent, t1 });
  }

  // Where nothing is said for a while, whether the server is still there would not be known. These
  // pings are not the clock's: it wants few, far apart.
  #beat() {
    this.#stopBeating();
    const everyMs = this.#heartbeatMs;
    const dueInMs = everyMs - this.silentMs;
    this.#heartbeatTimer = this.#timers.setTimeout(() => this.#beat(), dueInMs > 0 ? dueInMs : everyMs);
    if (dueInMs <= 0) this.connection.ping({ type: 'ping', id: HEARTBEAT, t1: 0 });
  }

  #stopBeating() {
    if (this.#heartbeatTimer !== null) this.#timers.clearTimeout(this.#heartbeatTimer);
    this.#heartbeatTimer = null;
  }

  #stopPings() {
    if (this.#pingTimer !== null) this.#timers.clearTimeout(this.#pingTimer);
    this.#pingTimer = null;
  }

  /** @template {keyof RoomEvents} T @param {T} type @param {RoomEvents[T]} [detail] */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// Of EPOCH.SEQ; null: it is none.
function placeOf(text) {
  const [, epoch, seq] = /^(\d{1,16})\.(\d{1,16})$/.exec(text ?? '') ?? [];
  return epoch === undefined ? null : { epoch: Number(epoch), seq: Number(seq) };
}
