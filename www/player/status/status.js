// What is going on, in words and figures. Pure: a view of the moment goes in, what is to be said
// comes out:
//
//   {code, kind, words, figure, actions}
//
// code names the state; kind is its colour and its sign: 'good', 'busy', 'rest', 'own', 'warn' or
// 'bad'. `words` stand as long as the state does, `figure` is the number in it, which changes all
// the time and is not worth announcing. actions are names in strings.actions, the first one the
// most likely.
import { joinNames } from '../../names.js';
import { strings } from '../../strings.js';

const CATCHING_UP_BEYOND_MS = 100;
const AT_END_S = 1;
const KNOWN_FOR_MS = 3_000; // what was heard longer ago is not said to be so now
const HOST_NEWS_MS = 10_000; // how long "you are the host now" is news
const UNDONE_NEWS_MS = 15_000; // longer, for nobody expects it
const WAYS_ON = { elsewhere: 'takeBack', badName: 'otherName' }; // what is closed goes home otherwise
const FAULTS = new Set(['foreign', 'noUpgrade', 'refused']); // that do not pass by themselves
const words = strings.status;

// view: {
//   phase            the connection's (connection.js)
//   isSilent         nothing has come over it for too long
//   silentMs         how long nothing has come; in a crowd that may be a while before it is too long
//   nowMs            local time
//   problem          the reason why the media cannot be played, a name in strings.problems, or null
//   hasVideo         whether the session has a video at all
//   loaded           the media's metadata is here
//   preparing        {reason, forMs} while the server is still making ready what this player lacks ('preparing',
//                    'busy', 'unreadable'), or null
//   blocked          null, 'sound' or 'play' (follower.js)
//   detached         at the viewer's own pace
//   waiting          {names, leftMs}: whom playback waits for, or null
//   buffering        this player's
//   state            the newest playback state, or null
//   pausedBy         {name, isYou} of who paused, or null
//   ready            {count, of}: how many of the members are ready to begin
//   measure          {running, over, ended, startsInMs, errorMs, durationS} (follower.js)
//   errorBoundMs     of the clock
// }
export function describeStatus(view) {
  const status = fromConnection(view) ?? fromMedia(view) ?? fromPlayer(view) ?? asHeard(fromShowing(view), view.silentMs);
  if (view.blocked === 'sound' && !status.actions.includes('sound')) status.actions.unshift('sound');
  return status;
}

// What the server has told, with how long ago where that is no longer now. As a figure, for the words stand.
function asHeard(status, silentMs) {
  if (silentMs <= KNOWN_FOR_MS) return status;
  return { ...status, kind: status.kind === 'good' ? 'rest' : status.kind, figure: words.asOf(wholeSeconds(silentMs)) };
}

function say(code, kind, text, { figure = '', actions = [] } = {}) {
  return { code, kind, words: text, figure, actions: [...actions] };
}

function fromConnection({ phase, isSilent, nowMs }) {
  switch (phase.name) {
    case 'closed':
      return say(phase.reason, 'bad', words[phase.reason], { actions: [WAYS_ON[phase.reason] ?? 'home'] });
    case 'waiting':
      return say(phase.cause, FAULTS.has(phase.cause) ? 'bad' : 'warn', wordsOfWaiting(phase), {
        figure: words.inSeconds(wholeSeconds(phase.untilMs - nowMs)),
        actions: ['tryNow'],
      });
    case 'knocking':
      if (!isSilent) return say('knocking', 'busy', words.knocking, { actions: ['leave'] });
      break;
    case 'connecting':
      return phase.attempt === 1
        ? say('connecting', 'busy', words.connecting)
        : say('reconnecting', 'warn', words.reconnecting);
  }
  return isSilent ? say('silent', 'warn', words.silent) : null;
}

function wordsOfWaiting({ cause, status }) {
  return cause === 'refused' ? words.refused(status) : words[cause];
}

function fromMedia({ problem, hasVideo, loaded, blocked, preparing }) {
  if (problem) return say('unplayable', 'bad', words.problem(strings.problems[problem]), { actions: [problem === 'part' ? 'reload' : 'tryAgain'] });
  if (!hasVideo) return say('no_video', 'warn', words.noVideo);
  if (blocked === 'play') return say('blocked', 'warn', words.blocked, { actions: ['play'] });
  if (!loaded) return preparing ? sayPreparing(preparing) : say('loading', 'busy', words.loading);
  return null;
}

// It goes on by itself: there is nothing to do about it.
function sayPreparing({ reason, forMs }) {
  return say(reason, reason === 'preparing' ? 'busy' : 'warn', words[reason], { figure: words.since(wholeSeconds(forMs)) });
}

function fromPlayer({ detached, waiting, buffering, measure, preparing }) {
  if (detached) return say('own_pace', 'own', words.ownPace, { figure: gapFrom(measure.errorMs), actions: ['back'] });
  if (!buffering || waiting) return null;
  return preparing ? sayPreparing(preparing) : say('buffering', 'busy', words.buffering);
}

function fromShowing({ waiting, state, pausedBy, ready, measure, errorBoundMs }) {
  if (waiting) {
    return say('waiting', 'busy', words.waitingFor(joinNames(waiting.names)), {
      figure: words.atMost(wholeSeconds(waiting.leftMs)),
    });
  }
  const over = measure.over || measure.ended;
  if (!state?.playing || over) return atRest({ state, pausedBy, ready, over, measure });
  if (measure.startsInMs > 0) return say('starting', 'busy', words.starting);
  if (measure.errorMs === null || Math.abs(measure.errorMs) > CATCHING_UP_BEYOND_MS) {
    return say('catching_up', 'busy', words.catchingUp, { figure: gapFrom(measure.errorMs) });
  }
  const withinMs = Math.ceil((Math.abs(measure.errorMs) + errorBoundMs) / 5) * 5;
  return say('in_step', 'good', words.inStep, { figure: Number.isFinite(withinMs) ? words.within(withinMs) : '' });
}

function atRest({ state, pausedBy, ready, over, measure }) {
  const figure = ready?.count > 0 && ready.of > 1 ? words.readyCount(ready.count, ready.of) : '';
  // A film that has become longer since may go on.
  const wasEnd = state?.cause === 'ended' && !(measure.durationS - state.position > AT_END_S);
  if (over || wasEnd) return say('at_end', 'rest', words.atEnd, { figure });
  if (state?.cause === 'load') return say('ready', 'rest', words.ready, { figure });
  if (pausedBy?.isYou) return say('paused', 'rest', words.pausedByYou, { figure });
  return say('paused', 'rest', pausedBy?.name ? words.pausedBy(pausedBy.name) : words.paused, { figure });
}

function gapFrom(errorMs) {
  if (errorMs === null) return '';
  const gapS = Math.abs(errorMs) / 1000;
  if (gapS < 0.05) return words.noGap;
  const shown = gapS < 10 ? gapS.toFixed(1) : String(Math.round(gapS));
  return errorMs > 0 ? words.ahead(shown) : words.behind(shown);
}

function wholeSeconds(ms) {
  return Math.max(1, Math.ceil(ms / 1000));
}

// Who paused, also after somebody else sought in the pause: {name, isYou} or null.
// before: what this returned last; event: of room.js's `state`; nameOf(id), youId.
export function whoPaused(before, { state }, nameOf, youId) {
  if (state.playing || state.cause === 'load') return null;
  if (state.cause !== 'pause') return before;
  return state.by ? { name: nameOf(state.by), isYou: state.by === youId } : null;
}

// Who controls playback. view: {
//   nowMs            local time
//   youAreHost, detached, control, hostId
//   hostName         undefined where it is not known
//   becameHostMs     local time at which the host's seat came to this viewer; -Infinity: never so
//   hostAway         {leftMs, nextName, nextIsYou} while the host's connection is gone, or null
//   buffering, cannotPlay  names of the others that do, for the host
//   mayClaim, silentMs
// }
export function describeRole(view) {
  const role = roleOf(view);
  return role.figure ? role : asHeard(role, view.silentMs);
}

function roleOf(view) {
  const role = strings.role;
  const actions = view.mayClaim ? ['claim'] : [];
  const { hostAway } = view;
  if (hostAway) {
    const name = view.hostName || role.theHost;
    const heir = hostAway.nextIsYou ? role.youNext : role.next(hostAway.nextName || role.somebody);
    return say('host_away', 'warn', role.hostAway(name, heir), { figure: words.inSeconds(wholeSeconds(hostAway.leftMs)), actions });
  }
  if (view.youAreHost) return describeHost(view);
  if (view.detached) return say('alone', 'rest', role.alone);
  if (view.control === 'everyone') return say('everyone', 'rest', role.everyone, { actions });
  if (view.hostId === null) return say('no_host', 'rest', role.noHost, { actions });
  return say('guest', 'rest', role.hostControls(view.hostName || role.theHost), { actions });
}

function describeHost({ nowMs, becameHostMs, buffering, cannotPlay }) {
  const role = strings.role;
  if (nowMs - becameHostMs < HOST_NEWS_MS) return say('host_now', 'good', role.youAreHostNow);
  const figures = [
    cannotPlay.length > 0 && role.cannotPlay(joinNames(cannotPlay)),
    buffering.length > 0 && role.buffering(joinNames(buffering)),
  ];
  return say('host', 'rest', role.youAreHost, { figure: figures.filter(Boolean).join(' · ') });
}

// What the service says of itself, and what of the video this browser does not have; null: nothing. view: {
//   nowMs            local time
//   notice           its state: 'degraded', 'draining' or null
//   undoneMs         local time at which what had been done here was undone; -Infinity: never so
//   missing          'sound' or 'picture', which this browser cannot decode in any form; or null
// }
export function describeNotice({ nowMs, notice, undoneMs, missing }) {
  if (notice === 'draining') return say('draining', 'warn', words.draining);
  if (nowMs - undoneMs < UNDONE_NEWS_MS) return say('undone', 'warn', words.undone);
  if (missing) return say(`no_${missing}`, 'warn', words.missing[missing]);
  if (notice === 'degraded') return say('degraded', 'warn', words.degraded);
  return null;
}
