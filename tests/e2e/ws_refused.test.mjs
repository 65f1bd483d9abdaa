// What a client can learn of a WebSocket that was refused, and what the operator reads of it: behind a
// real nginx that spoils them in each of the ways that operators know.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, assertError } from '../support/http_connection.mjs';
import { createSession, join, refusal } from '../support/member.mjs';
import { startNginx } from '../support/nginx.mjs';
import { startServer } from '../support/server.mjs';
import { untilLogged } from '../support/until.mjs';

const UNKNOWN = '1b4e28ba-2fa1-4d3b-a1c5-0123456789ab';
const ADVICE = /must pass (Host|Upgrade)/g;
let server;
let key;

before(async () => {
  server = await startServer({ args: ['--media', 'tests/support', '--session-rate', '0', '--max-members', '2'] });
  ({ key } = await createSession(server));
});

after(() => server?.stop());

// As the page asks: a plain GET, with the origin in the query.
const question = (front, query) =>
  ask(front.origin, 'GET', `/ws?${new URLSearchParams({ session: key, origin: front.origin, ...query })}`, hostOf(front));
const hostOf = ({ origin }) => ({ Host: new URL(origin).host });
const asPage = (front) => ({ headers: { Origin: front.origin } });
const adviceOf = () => [...server.stderr().matchAll(ADVICE)].length;

async function behind(edit, check) {
  const front = await startNginx([server], { edit });
  try {
    await check(front, new URL(front.origin));
  } finally {
    await front.stop();
  }
}

test('a plain GET is told what a handshake would be, and 426 where all else is right', async () => {
  assertError(await question(server), 426, 'upgrade_required');
  assertError(await question(server, { session: UNKNOWN }), 404, 'session_not_found');
  assertError(await question(server, { session: 'nonsense' }), 404, 'session_not_found');
  assertError(await question(server, { name: '\u200b' }), 400, 'bad_name');
  assertError(await question(server, { origin: 'https://evil.example' }), 403, 'foreign_origin');
  const said = await ask(server.origin, 'GET', `/ws?session=${key}`, { ...hostOf(server), Origin: 'https://evil.example' });
  assertError(said, 403, 'foreign_origin');
});

test('who holds a newer state than the node is refused as by a handshake, and so is who finds no room', async () => {
  const ann = await join(server, key);
  const newer = { resume: ann.resume, held: `${ann.welcome.state.epoch + 1}.0` };
  assertError(await question(server, newer), 503, 'unavailable');
  assertError(await question(server, { resume: ann.resume, held: `${ann.welcome.state.epoch}.0` }), 426);
  assertError(await question(server, { held: newer.held }), 426);
  const ben = await join(server, key);
  const full = await question(server);
  assertError(full, 503, 'session_full');
  assert.ok(full.headers['retry-after']);
  assert.equal((await refusal(server, { session: key })).body.error.code, 'session_full');
  await Promise.all([ann.close(), ben.close()]);
});

test('a proxy that sets its own Host: 403, and the log says once what to do', async () => {
  const before = adviceOf();
  await behind((text) => text.replace(/^ *proxy_set_header Host .*\n/m, ''), async (front) => {
    for (let i = 0; i < 3; i += 1) {
      assert.equal((await refusal(front, { session: key }, asPage(front))).body.error.code, 'foreign_origin');
      assertError(await question(front), 403, 'foreign_origin');
    }
    await untilLogged(server, new RegExp(`must pass Host on.*origin=\\S*${front.origin}.* host=\\S*videosync`));
  });
  assert.equal(adviceOf() - before, 1);
});

test('a proxy that strips the port off Host: likewise', async () => {
  const before = adviceOf();
  await behind((text) => text.replace('proxy_set_header Host              $http_host', 'proxy_set_header Host $host'), async (front) => {
    assert.equal((await refusal(front, { session: key }, asPage(front))).status, 403);
    assertError(await question(front), 403, 'foreign_origin');
    await untilLogged(server, new RegExp(`origin=\\S*${front.origin}.* host=\\S*127\\.0\\.0\\.1\\W?\n`));
  });
  assert.equal(adviceOf() - before, 1);
});

test('a proxy that passes no Upgrade: 426, and the log says once what to do', async () => {
  const before = adviceOf();
  await behind((text) => text.replace(/^ *proxy_set_header Upgrade .*\n/m, ''), async (front, { host }) => {
    for (let i = 0; i < 2; i += 1) {
      assert.equal((await refusal(front, { session: key }, asPage(front))).status, 426);
      assertError(await question(front), 426, 'upgrade_required');
    }
    await untilLogged(server, new RegExp(`must pass Upgrade.* host=\\S*${host}`));
  });
  assert.equal(adviceOf() - before, 1);
});

test('a proxy that speaks HTTP/1.0 to the server: likewise', async () => {
  const before = adviceOf();
  await behind((text) => text.replace('proxy_http_version 1.1', 'proxy_http_version 1.0'), async (front) => {
    assert.equal((await refusal(front, { session: key }, asPage(front))).status, 426);
    await untilLogged(server, new RegExp(`must pass Upgrade.* host=\\S*${new URL(front.origin).host}`));
  });
  assert.equal(adviceOf() - before, 1);
});

test('with the operator\'s own file all is right, and nothing is said', async () => {
  const before = adviceOf();
  await behind((text) => text, async (front) => {
    const member = await join(front, key, {}, asPage(front));
    assertError(await question(front), 426, 'upgrade_required');
    await member.close();
  });
  assert.equal(adviceOf(), before);
});
