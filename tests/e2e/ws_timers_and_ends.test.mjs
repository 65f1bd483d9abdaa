// WebSockets at the edges of their life: who only listens, and who leaves in a hurry.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { after, before } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { ask } from '../support/http_connection.mjs';
import { closePayload, frame, joinRaw, opcode, text } from '../support/raw_websocket.mjs';
import { startServer } from '../support/server.mjs';

let server;
let media;

before(async () => {
  media = await makeFolder({ 'a.mp4': patternBytes(100, 1) });
  const limits = ['--heartbeat', '1s', '--silence-timeout', '10s', '--session-rate', '0'];
  server = await startServer({ args: ['--media', media.directory, '--workers', '1', ...limits] });
});
after(async () => {
  await server?.stop();
  await media?.remove();
});

async function makeSession() {
  const answer = await ask(server.origin, 'POST', '/api/sessions', {}, '');
  return JSON.parse(answer.body).key;
}

test('who leaves without waiting still gets the echo of its Close', async () => {
  const member = await joinRaw(server, await makeSession());
  await member.nextMessage('welcome');
  member.socket.end(frame(opcode.close, closePayload(1000)));
  assert.equal(await member.closeCode(), 1000);
});

test('a listener in a busy session is pinged all the same', async () => {
  const key = await makeSession();
  const listener = await joinRaw(server, key);
  const talker = await joinRaw(server, key);
  let pings = 0;
  const counting = (async () => {
    for (let next; (next = await listener.nextFrame()) !== null; ) pings += next.code === opcode.ping ? 1 : 0;
  })();
  // Two messages in one packet become two frames in one turn: the second finds output waiting.
  const talk = Buffer.concat([text({ type: 'chat', text: 'a' }), text({ type: 'chat', text: 'b' })]);
  for (let i = 0; i < 15; ++i) {
    talker.write(talk);
    await sleep(200);
  }
  for (const member of [listener, talker]) member.end();
  await counting;
  assert.ok(pings >= 2 && pings <= 3, `${pings} pings in 3 s`);
});
