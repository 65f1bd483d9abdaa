// Many people in few words.
import { strings } from './strings.js';

// ['Ann'] -> "Ann", ['Ann', 'Ben'] -> "Ann and Ben"; of more than `max` the last ones are counted.
export function joinNames(names, max = 3) {
  const words = strings.status;
  const named = names.length > max ? names.slice(0, max - 1) : [...names];
  const others = names.length - named.length;
  if (others > 0) named.push(words.others(others));
  const last = named.pop();
  return named.length > 0 ? named.join(', ') + words.and + last : last;
}
