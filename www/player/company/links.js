// Finds the links in what somebody wrote, and the times of the film. Pure; nothing here makes HTML.
//
// Only http and https, and only where the address is what it looks like: one that hides who is
// visited behind a name and a password, or holds invisible characters, stays text. Without a scheme it is one
// where it begins with "www.", or has a path: "example.org/film".

const SCHEME = /^https?:\/\//iu;
const ADDRESS = String.raw`https?:\/\/[^\s<>"']+|(?<![\p{L}\p{N}@.\/_-])(?:www\.[^\s<>"']+|(?:[a-z0-9-]+\.)+[a-z]{2,}\/[^\s<>"']*)`;
const TIME = String.raw`(?<![\p{L}\p{N}:.,])(?:\d{1,2}:[0-5]\d|\d{1,3}):[0-5]\d(?![\p{L}\p{N}:]|[.,]\d)`;
const CANDIDATE = new RegExp(`${ADDRESS}|${TIME}`, 'giu');
const ONLY_TIME = new RegExp(`^${TIME}$`, 'u');
const TRAILING = /[.,:;!?'"…»”’]+$/u; // belongs to the sentence, as a closing bracket without its opening one
const INVISIBLE = /[\p{Cc}\p{Cf}]/u;

// "see https://a.example/x." -> [{text: 'see '}, {text: 'https://a.example/x', href: '...'}, {text: '.'}]
// "at 1:07" -> [{text: 'at '}, {text: '1:07', seconds: 67}]
export function splitLinks(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const isTime = ONLY_TIME.test(match[0]);
    const shown = isTime ? match[0] : trim(match[0]);
    const found = isTime ? { seconds: secondsOf(shown) } : { href: addressOf(shown) };
    if (found.href === null) continue;
    if (match.index > at) parts.push({ text: text.slice(at, match.index) });
    parts.push({ text: shown, ...found });
    at = match.index + shown.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}

// "1:02:03" -> 3723
function secondsOf(time) {
  return time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

function trim(candidate) {
  let shown = candidate.replace(TRAILING, '');
  for (const [opening, closing] of ['()', '[]', '{}']) {
    while (shown.endsWith(closing) && count(shown, closing) > count(shown, opening)) {
      shown = shown.slice(0, -1).replace(TRAILING, '');
    }
  }
  return shown;
}

function count(text, character) {
  return text.split(character).length - 1;
}

function addressOf(text) {
  if (INVISIBLE.test(text)) return null;
  try {
    const url = new URL(SCHEME.test(text) ? text : `https://${text}`);
    const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
    return isWeb && url.username === '' && url.password === '' ? url.href : null;
  } catch {
    return null;
  }
}
