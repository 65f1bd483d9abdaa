// The HTTP half of the contract: sessions and the library.

const ANSWER_TIMEOUT_MS = 10_000;
const KEY_FORM = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/i;

// The session key in what somebody typed or pasted: a key, or a link that holds one. null if none.
export function findSessionKey(text) {
  return text.match(KEY_FORM)?.[0].toLowerCase() ?? null;
}

export function playerUrl(key) {
  return new URL(`/player.html?session=${encodeURIComponent(key)}`, location.origin).href;
}

// Thrown by the calls below. code: the server's, or 'unreachable'.
export class ApiError extends Error {
  constructor(code, message, retryAfterS = null) {
    super(message);
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

// {key, hostToken, url}
export function createSession(video) {
  return request('/api/sessions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(video ? { video } : {}),
  });
}

export async function sessionExists(key) {
  return (await request(`/api/sessions/${encodeURIComponent(key)}/validate`)).valid === true;
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

export function sessionInfo(key) {
  return request(`/api/sessions/${encodeURIComponent(key)}`);
}

export async function videos() {
  return (await request('/api/videos')).videos;
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { cache: 'no-store', ...options });
  } catch (error) {
    throw new ApiError('unreachable', error.message);
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const { code = `http_${response.status}`, message = response.statusText } = body?.error ?? {};
  throw new ApiError(code, message, Number(response.headers.get('Retry-After')) || null);
}
