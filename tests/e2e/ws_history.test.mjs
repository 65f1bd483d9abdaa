// What was said reaches who comes later, and who reloads.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSession, join } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

let server;

before(async () => {
  server = await startServer({
    args: ['--media', 'tests/support', '--session-rate', '0', '--workers', '2', '--message-rate', '0', '--chat-rate', '0'],
  });
});

after(() => server?.stop());

const textsOf = ({ list }) => list.map(({ text }) => text);

test('a newcomer is told after its welcome; who names what it has is told the rest', async () => {
  const { key } = await createSession(server);
  const ann = await join(server, key, { name: 'Ann' });
  for (const text of ['one', 'two', 'three']) ann.send('chat', { text });
  const first = await ann.next('chat');
  const last = await ann.next('chat', ({ text }) => text === 'three');
  assert.match(first.id, /^c[1-9][0-9]*$/);
  const ben = await join(server, key, { name: 'Ben' });
  assert.deepEqual(ben.all.map(({ type }) => type)[0], 'welcome');
  const history = await ben.next('history');
  assert.deepEqual(textsOf(history), ['one', 'two', 'three']);
  const { type, receivedMs, ...line } = last;
  assert.deepEqual(history.list[2], line);
  const again = await join(server, key, { resume: ann.resume, chat: first.id });
  assert.deepEqual(textsOf(await again.next('history')), ['two', 'three']);
  const uptodate = await join(server, key, { chat: last.id });
  assert.equal((await uptodate.settled()).some((message) => message.type === 'history'), false);
});

test('the last hundred are told, in messages that any client takes', async () => {
  const { key } = await createSession(server);
  const ann = await join(server, key, { name: 'Ann' });
  for (let i = 0; i < 105; i += 1) ann.send('chat', { text: `${i} ${'.'.repeat(150)}` });
  await ann.next('chat', ({ text }) => text.startsWith('104 '));
  const ben = await join(server, key);
  const texts = [];
  while (texts.length < 100) texts.push(...textsOf(await ben.next('history')));
  assert.deepEqual(texts.map((text) => Number(text.split(' ')[0])), Array.from({ length: 100 }, (_, i) => i + 5));
  assert.ok(ben.of('history').length > 1);
});
