// What the page says when its WebSocket is refused, which a browser hides: why, and what to do, and never
// that a line was lost. In real Chromium, before a real server behind a real nginx that is set up in the
// ways that spoil it. With VIDEOSYNC_SCREENSHOTS=folder each state leaves pictures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { openCinema } from '../support/cinema.mjs';
import { createSession, join } from '../support/member.mjs';
import { startNginx } from '../support/nginx.mjs';
import { hasFigure, hasStatus, takePicture } from '../support/player_page.mjs';

let cinema;
let server;

before(async () => {
  cinema = await openCinema({ films: [{ name: 'film', seconds: 10 }], args: ['--max-members', '1'] });
  ({ server } = cinema);
});

after(() => cinema?.close());

// Every word that the status line says is kept, so that none is missed that stands but for a moment.
function keepWords() {
  const said = (window.testSaid = []);
  document.addEventListener('DOMContentLoaded', () => {
    const line = document.querySelector('#status-text');
    new MutationObserver(() => said.push(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true });
  });
}

async function enter(front, key, act) {
  const { page } = await cinema.meet();
  try {
    await page.addInitScript(keepWords);
    await page.goto(`${front.origin}/player.html?session=${key}`);
    await page.waitForSelector('#gate-words:not(:empty)');
    await act.beforeJoin?.();
    await page.fill('#gate-name', 'Ann');
    await page.click('#gate-join');
    await act.then(page);
    const said = await page.evaluate(() => testSaid);
    assert.deepEqual(said.filter((words) => /lost/.test(words)), [], 'nothing was lost');
  } finally {
    await cinema.empty();
  }
}

async function behind(edit, act) {
  const front = await startNginx([server], { edit });
  try {
    const { key } = await createSession(server);
    await enter(front, key, act);
  } finally {
    await front.stop();
  }
}

const answering = (text) => (conf) => conf.replace('location = /ws {', `location = /ws {\n    ${text}`);

test('a proxy that sets its own Host: what it must pass on', async () => {
  await behind((conf) => conf.replace(/^ *proxy_set_header Host .*\n/m, ''), {
    then: async (page) => {
      await hasStatus(page, 'The server takes this page for a foreign one.');
      await hasStatus(page, 'must pass on Host');
      await hasFigure(page, 'in ');
      await takePicture(page, 'refused-foreign');
      await assertAccessible(page, 'refused as foreign');
      assert.equal(await page.isVisible('#big-action'), true, 'another attempt can be made');
    },
  });
});

test('a proxy that strips the port: likewise', async () => {
  await behind((conf) => conf.replace('proxy_set_header Host              $http_host', 'proxy_set_header Host $host'), {
    then: (page) => hasStatus(page, 'must pass on Host, with the port'),
  });
});

test('a proxy that passes no Upgrade: what it must pass on, or another network', async () => {
  await behind((conf) => conf.replace(/^ *proxy_set_header Upgrade .*\n/m, ''), {
    then: async (page) => {
      await hasStatus(page, 'Something on the way lets no WebSocket through.');
      await takePicture(page, 'refused-upgrade');
      await assertAccessible(page, 'no upgrade');
    },
  });
});

test('a proxy that refuses by itself: with its status', async () => {
  await behind(answering('return 403;'), {
    then: (page) => hasStatus(page, 'The server refuses the connection (HTTP 403).'),
  });
});

test('a proxy that knows no server: it cannot let anybody in now', async () => {
  await behind(answering('return 502;'), {
    then: (page) => hasStatus(page, 'The server cannot let you in right now.'),
  });
});

test('gone (410), and ended between the gate and the join (404): over', async () => {
  await behind(answering('return 410;'), { then: (page) => hasStatus(page, 'This session is over') });
  const { key, hostToken } = await createSession(server);
  const end = { method: 'DELETE', headers: { Authorization: `Bearer ${hostToken}` } };
  await enter(server, key, {
    beforeJoin: () => fetch(`${server.origin}/api/sessions/${key}`, end),
    then: (page) => hasStatus(page, 'This session is over'),
  });
});

test('a session that is full (503): tried again, and let in when somebody has left', async () => {
  const { key } = await createSession(server);
  const ben = await join(server, key, { name: 'Ben' });
  await enter(server, key, {
    then: async (page) => {
      await hasStatus(page, 'This session is full.');
      await takePicture(page, 'refused-full');
      await ben.close();
      await page.click('#status-action');
      await hasStatus(page, 'Ready to start');
    },
  });
});

test('who is not let in does not go on watching: the picture stops, and runs again with the room', async () => {
  const { key } = await createSession(server);
  const ben = await join(server, key, { name: 'Ben' });
  ben.send('rate', { rate: 0.25 });
  ben.send('play', { position: 1 });
  await enter(server, key, {
    then: async (page) => {
      await hasStatus(page, 'This session is full.');
      await page.waitForFunction(() => document.querySelector('video').paused);
      await ben.close();
      await page.click('#status-action');
      await hasStatus(page, 'In step');
      await page.waitForFunction(() => !document.querySelector('video').paused);
    },
  });
});

// A page of another version may have another rule.
test('a name that the server does not take (400): another one can be chosen', async () => {
  const { key } = await createSession(server);
  const named = `proxy_pass http://videosync/ws?session=${key}&name=%E2%80%8B&$args;`;
  const front = await startNginx([server], {
    edit: (conf) => conf.replace(/(location = \/ws \{\s*)proxy_pass [^;]*;/, (_, head) => head + named),
  });
  try {
    await enter(front, key, {
      then: async (page) => {
        await hasStatus(page, 'The server does not take this name');
        await takePicture(page, 'refused-name');
        await assertAccessible(page, 'a name that is not taken');
        await page.click('#big-action');
        await page.waitForSelector('#gate-name:visible');
        assert.equal(await page.inputValue('#gate-name'), 'Ann');
      },
    });
  } finally {
    await front.stop();
  }
});
