// What it means that a WebSocket was refused. Pure.

// By the server's own word for it. reason: it is over for good. cause: it is tried again; `isLasting`
// where that is not worth much until somebody does something.
/** @type {Map<string, Verdict>} */
const BY_CODE = new Map(Object.entries({
  session_not_found: { reason: 'gone' },
  bad_name: { reason: 'badName' },
  session_locked: { reason: 'locked' },
  removed: { reason: 'removed' },
  foreign_origin: { cause: 'foreign', isLasting: true },
  door_full: { cause: 'doorFull', isLasting: true },
  session_full: { cause: 'full', isLasting: true },
  too_many_connections: { cause: 'crowded', isLasting: true },
  draining: { cause: 'restarting' },
  unavailable: { cause: 'unavailable' },
}));

// What a proxy may have said in the server's place.
/** @type {Map<number, Verdict>} */
const BY_STATUS = new Map([
  [410, { reason: 'gone' }],
  [426, { cause: 'noUpgrade', isLasting: true }],
  [502, { cause: 'unavailable' }],
  [503, { cause: 'unavailable' }],
  [504, { cause: 'unavailable' }],
]);

// status, code: of a plain GET of the WebSocket's address, which the server judges like the handshake;
// code is '' where it is not the server that speaks. Whoever is told that all is right but the upgrade,
// or something else than a refusal, has a proxy on the way that lets none through.
/** @param {{status: number, code: string}} answer @returns {Verdict} */
export function judgeRefusal({ status, code }) {
  if (status < 400) return BY_STATUS.get(426);
  return BY_CODE.get(code) ?? BY_STATUS.get(status) ?? { cause: 'refused', status, isLasting: true };
}
