// A film that is not of the server's library: browsers fetch it by its address, from a site that the operator allows.

const FIRST = 'https://';

export function isWebFilm(id) {
  return id.startsWith(FIRST);
}

// As an entry of the library would be.
export function webFilm(url) {
  const { pathname, hostname } = new URL(url);
  const isStream = /\.m3u8$/i.test(pathname);
  return { id: url, url, title: nameOf(pathname) || hostname, ...(isStream ? { hls: url } : {}), captions: [] };
}

// What somebody has written as an address, as a browser writes it. Null: it is none of https.
export function webAddress(text) {
  const url = parse(text.trim());
  if (url?.protocol !== 'https:' || url.username || url.password) return null;
  url.hash = '';
  return url;
}

function parse(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function nameOf(pathname) {
  const last = pathname.split('/').at(-1).replace(/\.[^.]*$/, '');
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
