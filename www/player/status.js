// What is going on, in words. Pure: a view of the moment goes in, words and at most one action out.
import { strings } from '../strings.js';

const CATCHING_UP_BEYOND_MS = 100;
const NAMED_MAX = 3;
const words = strings.status;

// view: {
//   phase            the connection's (connection.js)
//   nowMs            local time
//   problem          why the media cannot be played, or null
//   hasVideo         whether the session has a video at all
//   loaded           the media's metadata is here
//   blocked          null, 'sound' or 'play' (follower.js)
//   waitingFor       names that playback waits for, []
//   buffering        this player's
//   state            the newest playback state, or null
//   byName           who brought it about, or undefined
//   byYou
//   measure          {running, over, startsInMs, errorMs} (follower.js)
//   errorBoundMs     of the clock
//   notice           'degraded', 'draining' or null
// }
// Returns {kind, text, detail, action}: kind is 'good', 'busy', 'rest', 'warn' or 'bad'; detail
// changes all the time and is not worth announcing; action is a name in strings.actions, or null.
export function describeStatus(view) {
  const status = fromConnection(view) ?? fromMedia(view) ?? fromPlayback(view);
  if (view.blocked === 'sound' && status.action === null) status.action = 'sound';
  return status;
}

function say(kind, text, { detail = '', action = null } = {}) {
  return { kind, text, detail, action };
}

function fromConnection({ phase, nowMs }) {
  switch (phase.name) {
    case 'closed':
      if (phase.reason === 'elsewhere') return say('bad', words.elsewhere, { action: 'takeBack' });
      return say('bad', words[phase.reason], { action: 'home' });
    case 'waiting': {
      const leftS = Math.max(1, Math.ceil((phase.untilMs - nowMs) / 1000));
      const text = phase.draining ? words.restartingIn(leftS) : words.reconnectingIn(leftS);
      return say('warn', text, { action: 'tryNow' });
    }
    case 'connecting':
      return say('busy', phase.attempt === 1 ? words.connecting : words.reconnecting);
  }
  return null;
}

function fromMedia({ problem, hasVideo, loaded, blocked, notice }) {
  if (problem) return say('bad', words.problem(problem), { action: 'tryAgain' });
  if (!hasVideo) return say('warn', words.noVideo);
  if (blocked === 'play') return say('warn', words.blocked, { action: 'play' });
  if (notice === 'draining') return say('warn', words.restarting);
  if (notice === 'degraded') return say('warn', words.degraded);
  if (!loaded) return say('busy', words.loading);
  return null;
}

function fromPlayback({ waitingFor, buffering, state, byName, byYou, measure, errorBoundMs }) {
  if (waitingFor.length > 0) return say('busy', words.waitingFor(joinNames(waitingFor)));
  if (buffering) return say('busy', words.buffering);
  if (!state?.playing || measure.over) return say('rest', restWords({ state, byName, byYou, over: measure.over }));
  if (measure.startsInMs > 0) return say('busy', words.starting);
  if (measure.errorMs === null || Math.abs(measure.errorMs) > CATCHING_UP_BEYOND_MS) {
    return say('busy', words.catchingUp);
  }
  const withinMs = Math.ceil((Math.abs(measure.errorMs) + errorBoundMs) / 5) * 5;
  return say('good', words.inStep, { detail: Number.isFinite(withinMs) ? words.within(withinMs) : '' });
}

function restWords({ state, byName, byYou, over }) {
  if (over || state?.cause === 'ended') return words.atEnd;
  if (state?.cause === 'load') return words.ready;
  if (state?.cause !== 'pause') return words.paused;
  if (byYou) return words.pausedByYou;
  return byName ? words.pausedBy(byName) : words.paused;
}

function joinNames(names) {
  const named = names.length > NAMED_MAX ? names.slice(0, NAMED_MAX - 1) : [...names];
  const others = names.length - named.length;
  if (others > 0) named.push(words.others(others));
  const last = named.pop();
  return named.length > 0 ? named.join(', ') + words.and + last : last;
}

// Who controls playback, in words. view: {youAreHost, control, hostId, hostName, hostIsHere}
export function describeRole({ youAreHost, control, hostId, hostName, hostIsHere }) {
  if (youAreHost) return strings.role.youAreHost;
  if (control === 'everyone') return strings.role.everyone;
  if (hostId === null) return strings.role.noHost;
  if (!hostIsHere) return strings.role.hostAway;
  return strings.role.hostControls(hostName || strings.role.theHost);
}
