// Times as people read them.

// 75 -> "1:15", 3675 -> "1:01:15"
export function formatTime(seconds) {
  if (!Number.isFinite(seconds)) return '–:––';
  const whole = Math.max(0, Math.floor(seconds));
  const two = (part) => String(part).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const AGES_MS = { day: 86_400_000, hour: 3_600_000, minute: 60_000 };
const units = /** @type {Array<keyof typeof AGES_MS>} */ (Object.keys(AGES_MS));

// "3 hours ago", as a locale says it; no less than a minute.
/** @param {number} ageMs @param {string} locale */
export function formatAgo(ageMs, locale) {
  const unit = units.find((one) => ageMs >= AGES_MS[one]) ?? 'minute';
  const count = Math.max(1, Math.floor(ageMs / AGES_MS[unit]));
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-count, unit);
}

// How long a film of the library is, as far as the server knows; '' else. entry: {duration?} as the server lists it.
export function lengthOf({ duration }) {
  return duration ? formatTime(duration) : '';
}
