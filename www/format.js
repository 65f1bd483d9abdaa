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

// How long a film of the library is, as far as the server knows; '' else. entry: {duration?} as the server lists it.
export function lengthOf({ duration }) {
  return duration ? formatTime(duration) : '';
}
