// Of a session, from outside: who is there, and where it is or was left. info: what the server tells before one joins.
import { formatAgo, formatTime } from './format.js';
import { locale, strings } from './strings.js';

// left(ago, time): says the latter.
/** @param {Pick<Contract.Answer.sessionInfo, 'state' | 'members' | 'serverTimeMs' | 'leftMs'>} info */
export function sayWho({ members, leftMs, serverTimeMs, state }, left = strings.gate.left) {
  if (leftMs === undefined || members > 0) return strings.gate.watching(members);
  return left(formatAgo(serverTimeMs - leftMs, locale), formatTime(state.position));
}

// Where it is now, of a film whose length is known and in which somebody is; '' else.
export function sayWhere({ members, serverTimeMs, state, video }) {
  if (members === 0 || !video?.duration) return '';
  const { playing, position, rate, atMs } = state;
  const positionS = position + (playing ? (rate * Math.max(0, serverTimeMs - atMs)) / 1_000 : 0);
  return strings.goOn.of(formatTime(Math.min(positionS, video.duration)), formatTime(video.duration));
}
