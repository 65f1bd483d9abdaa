// What the server says where it has no film to give: {status, code, retryAfterMs}, code being its own word.

const RETRY_AFTER_S = 5;

// request: the XMLHttpRequest or Response of an hls.js error, or none.
export function refusalOf(request, status = request?.status) {
  return { status, code: codeOf(request), retryAfterMs: 1000 * (Number(headerOf(request, 'Retry-After')) || RETRY_AFTER_S) };
}

function headerOf(request, name) {
  return request?.getResponseHeader?.(name) ?? request?.headers?.get?.(name) ?? null;
}

function codeOf(request) {
  try {
    const { response } = request;
    const text = response instanceof ArrayBuffer ? new TextDecoder().decode(response) : response;
    return JSON.parse(text).error.code;
  } catch {
    return '';
  }
}
