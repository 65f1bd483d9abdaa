// What went wrong when the server was asked, and what to do about it, in words.
import { strings } from './strings.js';

const words = strings.faults;
// What the status of an answer means that is not the server's own.
const BY_STATUS = new Map([
  [401, 'shut'], [403, 'shut'], [407, 'shut'], [511, 'shut'],
  [502, 'down'], [503, 'down'], [504, 'down'],
]);

// trouble: of load_part.js.
export function describePartTrouble(trouble) {
  return trouble.needsReload ? strings.parts.reload : describeFault(trouble);
}

// error: of session/api.js, or anything else that was thrown.
/** @param {{name?: string, code?: string, status?: number | null, retryAfterS?: number | null}} error */
export function describeFault({ name, code = name, status, retryAfterS }) {
  if (code === 'rate_limited' || (code === 'refused' && status === 429)) return words.busy(retryAfterS);
  if (code === 'refused') return words[BY_STATUS.get(status) ?? 'refused'](status);
  return typeof words[code] === 'string' ? words[code] : words.other(code);
}
