// One that brings films by tus 1.0.0, byte by byte as a test wants it. Each answer is held against docs/openapi.yaml.
import assert from 'node:assert/strict';
import { holdAnswer, operations, responsesOf } from './api_files.mjs';
import { ask, assertError, exchange, HttpConnection, requestText } from './http_connection.mjs';
import { createSession } from './member.mjs';

export const PART = 'application/offset+octet-stream';
const base64 = (text) => Buffer.from(text).toString('base64');
export const metadata = (filename, session) => `filename ${base64(filename)},session ${base64(session)}`;

const seen = new Set(); // answers of this process

function held(method, target, answer) {
  const { server: _, ...headers } = answer.headers; // a field of what may stand before it
  const { seen: what, faults } = holdAnswer(method, target, { ...answer, headers });
  assert.deepEqual(faults, [], `${method} ${target}: ${answer.status} ${String(answer.body).slice(0, 500)}`);
  seen.add(what);
  return answer;
}

// 'operation status code' of the answers that are described and that nobody here was given.
export function unseenAnswers() {
  const described = operations.filter(({ route }) => route.startsWith('/api/uploads'))
    .flatMap((one) => responsesOf(one).filter(({ status }) => status !== 'default').flatMap(({ status, codes }) => codes.map((code) => `${one.id} ${status} ${code}`.trim())));
  assert.ok(described.length > 30);
  // The answer to HEAD has no body to tell its code.
  const told = described.map((one) => (one.startsWith('lookAtUpload') ? one.split(' ').slice(0, 2).join(' ') : one));
  return [...new Set(told)].filter((one) => !seen.has(one));
}

// For a session, by its host token. `session`: one that is there already.
export async function uploader(server, session) {
  const { key, hostToken } = session ?? await createSession(server);
  const fields = (more = {}) => ({ 'Tus-Resumable': '1.0.0', Authorization: `Bearer ${hostToken}`, ...more });
  const partOf = (offset, more) => fields({ 'Content-Type': PART, 'Upload-Offset': offset, ...more });
  const send = async (method, target, headers, body) => held(method, target, await ask(server.origin, method, target, headers, body));
  return {
    key,
    hostToken,
    fields,
    partOf,
    send,
    create: (length, name = 'Brought.mp4', more = {}, target = '/api/uploads') => send('POST', target, fields({
      'Upload-Length': length, 'Upload-Metadata': metadata(name, key), ...more,
    })),
    // Its URL's path.
    async begin(length, name) {
      const made = await this.create(length, name);
      assert.equal(made.status, 201, String(made.body));
      return made.headers.location;
    },
    head: (url) => send('HEAD', url, fields()),
    async offset(url) {
      const { status, headers } = await this.head(url);
      assert.equal(status, 200);
      return Number(headers['upload-offset']);
    },
    // Its bytes as they are: the text of a request would not keep them.
    patch: async (url, offset, bytes, more) => held('PATCH', url, await exchange(server.origin, Buffer.concat([
      Buffer.from(requestText('PATCH', url, partOf(offset, { 'Content-Length': bytes.length, ...more }))), bytes,
    ]))),
    // An answer that was read elsewhere: the error that it is to be.
    held(method, target, answer, status, code) {
      assertError(held(method, target, answer), status, code);
      return answer;
    },
    remove: (url) => send('DELETE', url, fields()),
    // A connection on which the head of a part has been sent, and nothing of it.
    async open(url, offset, length) {
      const connection = await HttpConnection.open(server.origin);
      return connection.write(requestText('PATCH', url, partOf(offset, { 'Content-Length': length })));
    },
    async bring(bytes, name) {
      const url = await this.begin(bytes.length, name);
      const done = await this.patch(url, 0, bytes);
      assert.equal(done.status, 204, String(done.body));
      return url;
    },
  };
}
