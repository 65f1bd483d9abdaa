// The HTTP half of the contract: sessions and the library.

const ANSWER_TIMEOUT_MS = 10_000;
const KEY_FORM = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/i;

// The session key in what somebody typed or pasted: a key, or a link that holds one. null if none.
export function findSessionKey(text) {
  return text.match(KEY_FORM)?.[0].toLowerCase() ?? null;
}

const CODE_FORM = /^[0-9A-HJKMNP-TV-Z]{8}$/;

// The short code in what somebody typed, pasted or followed, as it is shown ('ABCD-EFGH'): in any case, with
// dashes and spaces anywhere, with the letters that look like a figure, or in a link. null if none.
export function findSessionCode(text) {
  const written = decoded(text.match(/\/r\/([^/?#]+)/)?.[1] ?? text);
  const code = written.replace(/[\s\-\u2010-\u2015]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');
  return CODE_FORM.test(code) ? `${code.slice(0, 4)}-${code.slice(4)}` : null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function playerUrl(key) {
  return new URL(`/player.html?session=${encodeURIComponent(key)}`, location.origin).href;
}

// Thrown by the calls below. code: the server's own word; or, where it is not the server that spoke,
//   'offline'      this device has no network
//   'unreachable'  nobody answered
//   'refused'      something on the way, such as a proxy, answered in the server's place: with `status`
//   'stranger'     likewise, as if all were well, such as a network's page to sign in
export class ApiError extends Error {
  code;
  status;
  retryAfterS;

  /** @param {string} code @param {{message?: string, status?: number | null, retryAfterS?: number | null}} [more] */
  constructor(code, { message = code, status = null, retryAfterS = null } = {}) {
    super(message);
    Object.assign(this, { code, status, retryAfterS });
  }
}

/** @param {string} [video] @returns {Promise<Contract.Answer.createSession>} */
export function createSession(video) {
  return request('key', '/api/sessions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(video ? { video } : {}),
  });
}

// The key of the session with that key or code, or null.
export async function findSession(name) {
  /** @type {Contract.Answer.validateSession} */
  const answer = await request('valid', `/api/sessions/${encodeURIComponent(name)}/validate`);
  return answer.valid === true ? answer.key : null;
}

// Why the WebSocket of that address is refused, which a browser hides: {status, code} (refusal.js).
// Rejects where nobody answers.
export async function whyRefused(url) {
  const address = new URL(url);
  address.protocol = address.protocol.replace('ws', 'http');
  address.searchParams.set('origin', location.origin); // browsers say it with the handshake alone
  const response = await fetch(address, { cache: 'no-store', signal: AbortSignal.timeout?.(ANSWER_TIMEOUT_MS) });
  const body = await response.json().catch(() => null);
  return { status: response.status, code: body?.error?.code ?? '' };
}

// Resolves once the server has taken its password: from then on this browser may create sessions and list the library.
export async function tellPassword(password) {
  const basic = btoa(String.fromCharCode(...new TextEncoder().encode(`:${password}`)));
  const response = await ask('/api/password', { method: 'POST', headers: { Authorization: `Basic ${basic}` } });
  if (!response.ok) throw errorOf(response, await bodyOf(response));
}

/** @param {string} key @returns {Promise<Contract.Answer.sessionInfo>} */
export function sessionInfo(key) {
  return request('key', `/api/sessions/${encodeURIComponent(key)}`);
}

// Part of the list of videos: {videos, next}, next being what `after` takes for the part behind it, or undefined.
// query: words of their titles. order: 'title' or 'newest'.
// session: the key of one whose own films come first.
/**
 * @param {{query?: string, after?: string, order?: string, session?: string, limit: number}} asked
 * @returns {Promise<Contract.Answer.listVideos>}
 */
export function videos({ query = '', after = '', order = 'title', session = '', limit }) {
  const parameters = new URLSearchParams({ limit: String(limit) });
  if (query.trim()) parameters.set('query', query);
  if (after) parameters.set('after', after);
  if (order !== 'title') parameters.set('order', order);
  if (session) parameters.set('session', session);
  return request('videos', `/api/videos?${parameters}`);
}

// How large a film may be that a host brings; null: none are taken.
export async function uploadBytesMax() {
  const { headers } = await ask('/api/uploads', { method: 'OPTIONS' });
  return Number(headers.get('Tus-Max-Size')) || null;
}

// Resolves to what the server says, which has `field`.
async function request(field, path, options) {
  const response = await ask(path, options);
  const body = await bodyOf(response);
  if (response.ok && body?.[field] !== undefined) return body;
  throw errorOf(response, body);
}

function errorOf(response, body) {
  const { code, message } = body?.error ?? {};
  const retryAfterS = Number(response.headers.get('Retry-After')) || null;
  return new ApiError(code ?? codeOfStranger(response), { message, status: response.status, retryAfterS });
}

// The page at `path` as the server has it now.
export async function servedPage(path) {
  const response = await ask(path, { signal: AbortSignal.timeout?.(ANSWER_TIMEOUT_MS) });
  if (!response.ok) throw errorOf(response, null);
  try {
    return await response.text();
  } catch (error) {
    throw unanswered(error);
  }
}

// The server redirects none of this, and a browser hides where a redirect leads.
const codeOfStranger = ({ ok, type }) => (ok || type === 'opaqueredirect' ? 'stranger' : 'refused');

async function ask(path, options) {
  try {
    return await fetch(path, { cache: 'no-store', redirect: 'manual', ...options });
  } catch (error) {
    throw unanswered(error);
  }
}

// null for what is no JSON.
async function bodyOf(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw unanswered(error); // it broke off
  }
}

function unanswered({ message }) {
  return new ApiError(globalThis.navigator?.onLine === false ? 'offline' : 'unreachable', { message });
}
