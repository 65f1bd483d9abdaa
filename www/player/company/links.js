// Finds the links in what somebody wrote. Pure; nothing here makes HTML.
//
// Only http and https, and only where the address is what it looks like: one that hides who is
// visited behind a name and a password, or holds invisible characters, stays text.

const CANDIDATE = /https?:\/\/[^\s<>"']+/giu;
const TRAILING = /[.,:;!?'"…»”’]+$/u; // belongs to the sentence, as a closing bracket without its opening one
const INVISIBLE = /[\p{Cc}\p{Cf}]/u;

// "see https://a.example/x." -> [{text: 'see '}, {text: 'https://a.example/x', href: '...'}, {text: '.'}]
export function splitLinks(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const shown = trim(match[0]);
    const href = addressOf(shown);
    if (!href) continue;
    if (match.index > at) parts.push({ text: text.slice(at, match.index) });
    parts.push({ text: shown, href });
    at = match.index + shown.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
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
    const url = new URL(text);
    const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
    return isWeb && url.username === '' && url.password === '' ? url.href : null;
  } catch {
    return null;
  }
}
