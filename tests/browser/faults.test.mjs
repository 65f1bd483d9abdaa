// What the pages say when it is not the server that answers them: a proxy, a network's page to sign in, or
// nobody. In real Chromium, before a real nginx that is set up in the ways that spoil it. With
// VIDEOSYNC_SCREENSHOTS=folder each state leaves pictures.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { openCinema } from '../support/cinema.mjs';
import { createSession } from '../support/member.mjs';
import { startNginx } from '../support/nginx.mjs';
import { hasStatus, takePicture } from '../support/player_page.mjs';

let cinema;
let server;

before(async () => {
  cinema = await openCinema({ films: [{ name: 'film', seconds: 10 }] });
  ({ server } = cinema);
});

after(() => cinema?.close());
afterEach(() => cinema?.empty());

// api: what nginx does with requests for the API, in its own words; without what deploy/nginx.conf says of
// errors, which is as the server would.
async function behind(api, act) {
  const edit = (conf) => conf.replace(/^ *error_page .*\n/gm, '').replace('location = /ws {', `location /api/ { ${api} }\n  location = /ws {`);
  const front = await startNginx([server], { edit });
  try {
    const { page } = await cinema.meet();
    await act(page, front.origin);
  } finally {
    await cinema.empty();
    await front.stop();
  }
}

const signIn = 'default_type text/html; return 200 "<!doctype html><title>Sign in</title>";';
const gateSays = (page, words) => page.waitForSelector(`#gate-words:has-text("${words}")`);

for (const [what, api, words] of [
  ['a proxy that reaches no server', 'return 502;', 'The proxy in front of the server answered 502: it does not reach the server.'],
  ['a proxy that lets nobody in', 'return 403;', 'answered 403: it does not let you through.'],
  ['a proxy that takes nothing', 'return 413;', 'answered 413. Tell whoever runs the server.'],
  ['a page to sign in', signIn, 'Something else answered'],
  ['a redirect to one', 'return 302 https://sign-in.example/;', 'Something else answered'],
]) {
  test(`${what}: the start page says so, of its list and of a new session`, () => behind(api, async (page, origin) => {
    await page.goto(origin);
    await page.waitForSelector(`#library-words:has-text("${words}")`);
    await page.click('#create:enabled');
    await page.waitForSelector(`#create-error:has-text("${words}")`);
    await assertAccessible(page, what);
  }));

  test(`${what}: the gate says so, and lets one try`, () => behind(api, async (page, origin) => {
    const { key } = await createSession(server);
    await page.goto(`${origin}/player.html?session=${key}`);
    await gateSays(page, words);
    await gateSays(page, 'You can try to join all the same.');
    if (what.startsWith('a proxy that reaches')) await takePicture(page, 'gate-fault');
    await page.click('#gate-join');
    await hasStatus(page, 'Ready to start');
  }));
}

test('the gate asks again, and tells how the session stands when the server is back', async () => {
  const { page } = await cinema.meet();
  const { key } = await createSession(server);
  await page.route('**/api/sessions/*', (route) => route.fulfill({ status: 504 }), { times: 1 });
  await page.goto(`${server.origin}/player.html?session=${key}`);
  await gateSays(page, 'answered 504');
  await gateSays(page, 'Nobody is here yet.');
  assert.equal(await page.textContent('#gate-title'), 'film');
});

test('no network at all is told from a server that does not answer', async () => {
  const { page, context } = await cinema.meet();
  await page.goto(server.origin);
  await page.waitForSelector('.poster');
  await page.route('**/api/sessions', (route) => route.abort());
  await page.click('#create:enabled');
  await page.waitForSelector('#create-error:has-text("The server cannot be reached.")');
  await context.setOffline(true);
  await page.click('#create:enabled');
  await page.waitForSelector('#create-error:has-text("This device has no network.")');
});
