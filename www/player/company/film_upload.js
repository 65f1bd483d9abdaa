// One film on its way to the server, by tus: cut connections are tried again, and whoever chooses the same file after
// a reload goes on where it ended. Fetched when a film is brought.
import { Upload } from '/vendor/tus-js-client.js';

const RETRY_AFTER_MS = [0, 1_000, 3_000, 5_000, 10_000, 20_000]; // longer than a server holds a connection that is lost
const ENDPOINT = '/api/uploads';

const codeOf = (response) => {
  try {
    return JSON.parse(response?.getBody() ?? '').error.code;
  } catch {
    return '';
  }
};

// Resolves when it is whole, with null, or with the server's word where it is refused: 'unreachable' where nobody
// answers. onStart(stop): stop() ends it and takes back what has come. How far it is the server tells all: what a
// browser counts has only left the page.
export async function bringFilm({ file, key, hostToken, onStart }) {
  const headers = { Authorization: `Bearer ${hostToken}` };
  const fault = await send({ file, key, headers, onStart });
  if (fault?.code !== 'upload_exists' || !fault.location) return fault?.code ?? null;
  // Of another file, or from another browser: what was begun there is given up.
  await Upload.terminate(new URL(fault.location, location.origin).href, { headers }).catch(() => {});
  const second = await send({ file, key, headers, onStart });
  return second?.code ?? null;
}

// error: of tus; the server has answered, or not.
function faultOf(error) {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  return { code: response ? codeOf(response) || 'refused' : 'unreachable', location: response?.getHeader('Location') };
}

// Resolves to null, or {code, location}.
/** @returns {Promise<{code: string, location?: string} | null>} */
function send({ file, key, headers, onStart }) {
  return new Promise((resolve) => {
    const upload = new Upload(file, {
      endpoint: `${ENDPOINT}?session=${encodeURIComponent(key)}`, // so that what stands before several servers knows which
      headers,
      metadata: { filename: file.name, session: key },
      retryDelays: RETRY_AFTER_MS,
      removeFingerprintOnSuccess: true,
      fingerprint: async () => ['videosync', key, file.name, file.size, file.lastModified].join('-'),
      onSuccess: () => resolve(null),
      onError: (error) => resolve(faultOf(error)),
    });
    onStart(async () => {
      await upload.abort(true).catch(() => {});
      resolve({ code: 'stopped' });
    });
    upload.findPreviousUploads().then(([previous]) => {
      if (previous) upload.resumeFromPreviousUpload(previous);
      upload.start();
    });
  });
}
