// One that brings films by tus 1.0.0, byte by byte as a test wants it.
import assert from 'node:assert/strict';
import { ask, exchange, HttpConnection, requestText } from './http_connection.mjs';
import { createSession } from './member.mjs';

export const PART = 'application/offset+octet-stream';
const base64 = (text) => Buffer.from(text).toString('base64');
export const metadata = (filename, session) => `filename ${base64(filename)},session ${base64(session)}`;

// For a session, by its host token. `session`: one that is there already.
export async function uploader(server, session) {
  const { key, hostToken } = session ?? await createSession(server);
  const fields = (more = {}) => ({ 'Tus-Resumable': '1.0.0', Authorization: `Bearer ${hostToken}`, ...more });
  const partOf = (offset, more) => fields({ 'Content-Type': PART, 'Upload-Offset': offset, ...more });
  const send = (method, target, headers, body) => ask(server.origin, method, target, headers, body);
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
    patch: (url, offset, bytes, more) => exchange(server.origin, Buffer.concat([
      Buffer.from(requestText('PATCH', url, partOf(offset, { 'Content-Length': bytes.length, ...more }))), bytes,
    ])),
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
