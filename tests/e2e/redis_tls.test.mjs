// Redis over TLS: sessions as without it, and a clear word for everything that may be wrong with certificates. Where the
// program was built without (hiredis 0.14), that it says so.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import net from 'node:net';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { makeAuthority } from '../support/authority.mjs';
import { comeBack, readiness, startCluster, startNode, whenReady } from '../support/cluster.mjs';
import { makeFolder } from '../support/files.mjs';
import { startGate } from '../support/gate.mjs';
import { createSession, join, sleep } from '../support/member.mjs';
import { programHasTls, redisHasTls, startTlsRedis, startTlsSentinel } from '../support/redis_tls.mjs';
import { projectRoot, serverBinary } from '../support/server.mjs';
import { until, untilLogged } from '../support/until.mjs';
import { agreement } from '../support/view.mjs';

const QUEUE_BURST = 50; // changes of a session's queue that may come at once
const QUEUE_EVERY_MS = 110; // ... and behind those
const run = promisify(execFile);
const hasTls = await programHasTls();
const isTried = hasTls && await redisHasTls();
const without = { skip: isTried ? false : hasTls ? 'this redis-server has no TLS' : 'this build has no TLS to Redis: its refusal is tested' };

// {code, stderr} of a start that ends at once.
const refusalOf = (args) => run(serverBinary(), args, { cwd: projectRoot }).then(() => assert.fail('it starts'), ({ code, stderr }) => ({ code, stderr }));

test('a build without it refuses it, and says why and what to do', { skip: hasTls && 'this build has it: that is tested' }, async () => {
  const { code, stderr } = await refusalOf(['--redis', 'rediss://app:secret@10.0.0.1:6379']);
  assert.equal(code, 1);
  for (const part of [/--redis /, /TLS/, /hiredis 0\.\d+\.\d+/, /Debian 13/, /stunnel/, /spiped/]) assert.match(stderr, part);
  assert.doesNotMatch(stderr, /secret/);
  assert.match((await refusalOf(['--redis', 'rediss+sentinel://a:1,b:2/show'])).stderr, /TLS/);
});

test('what is for TLS alone is refused where there would be none', async () => {
  for (const flag of ['--redis-ca', '--redis-cert', '--redis-key', '--redis-sni']) {
    const { code, stderr } = await refusalOf(['--redis', 'redis://127.0.0.1:1', flag, 'given']);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${flag}: 'given' is for TLS.*rediss://`));
  }
});

describe('over TLS', { concurrency: 4, ...without }, () => {
  let folder;
  let authority;
  let stranger; // a CA that nobody trusts
  let own; // the server's
  before(async () => {
    if (!isTried) return;
    folder = await makeFolder();
    [authority, stranger] = [await makeAuthority(folder, 'ca'), await makeAuthority(folder, 'stranger')];
    own = await authority.issue('redis');
  });
  after(() => folder?.remove());

  const trusting = (...more) => ['--redis-ca', authority.certificate, ...more];
  const asClient = ({ certificate, key }) => trusting('--redis-cert', certificate, '--redis-key', key);

  async function withRedis(options, act) {
    const redis = await startTlsRedis({ authority, own, ...options });
    try {
      await act(redis);
    } finally {
      await redis.stop();
    }
  }

  async function withNode(url, args, act) {
    const node = await startNode(url, args);
    try {
      await act(node);
    } finally {
      const { code } = await node.stop();
      assert.equal(code, 0, node.stderr());
    }
  }

  async function assertUnready(t, url, args, expected) {
    await withNode(url, args, async (node) => {
      let last;
      await until(async () => expected.test((last = await readiness(node)).text), () => `/readyz says ${last.text}`);
      assert.equal(last.status, 503);
      t.diagnostic(last.text.trim());
      await untilLogged(node, expected);
    });
  }

  async function withServer(server, act) {
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await act(server.address().port);
    } finally {
      server.close();
    }
  }

  async function assertShows(a, b) {
    const { key } = await createSession(a);
    const [ann, ben] = [await join(a, key), await join(b, key)];
    ann.send('seek', { position: 7 });
    await agreement([ann, ben], ({ position, count }) => position === 7 && count === 2);
    return { key, ann, ben };
  }

  test('a session on two nodes; every connection is enciphered, and no password is told', () =>
    withRedis({ password: 'sesame' }, async (redis) => {
      const cluster = await startCluster({ redis: { url: redis.tls.url }, args: trusting('--log-level', 'debug') });
      try {
        await assertShows(...cluster.nodes);
        const clients = (await redis.command('CLIENT', 'LIST')).trim().split('\n');
        const places = clients.map((line) => Number(/ laddr=127\.0\.0\.1:(\d+)/.exec(line)[1])).sort();
        const asked = places.filter((port) => port === redis.port);
        assert.deepEqual([asked.length, places.length - asked.length], [1, 4], 'the test is the one on the plain port');
        for (const node of cluster.nodes) assert.doesNotMatch(node.stderr(), /sesame/);
      } finally {
        await cluster.stop();
      }
    }));

  test('a queue of 200: more than a record of TLS takes', async (t) => {
    const media = await makeFolder({ [`a film with a ${'long '.repeat(20)}name.mp4`]: 'no more than that name' });
    const doIt = () => withRedis({}, async (redis) => {
      const args = trusting('--media', media.directory, '--message-rate', '0');
      const cluster = await startCluster({ redis: { url: redis.tls.url }, args });
      try {
        const { key, ann, ben } = await assertShows(...cluster.nodes);
        const hasAll = ({ from, list }) => (from ?? 0) + list.length === 200;
        for (let i = 0; i < 200; i += 1) {
          if (i >= QUEUE_BURST) await sleep(QUEUE_EVERY_MS);
          ben.send('enqueue', { video: ann.welcome.session.video });
        }
        await ann.next('queue', hasAll);
        const stored = () => redis.command('HSTRLEN', `videosync:{${key}}:session`, 'queue');
        t.diagnostic(`${await until(async () => Number(await stored()) > 16_384 && stored(), 'the queue is stored')} bytes`);
        for (const node of cluster.nodes) await node.stop('SIGKILL');
        await withNode(redis.tls.url, args, async (node) => {
          await whenReady(node);
          await (await comeBack(node, key, {})).next('queue', hasAll);
        });
      } finally {
        await cluster.stop();
      }
    });
    await doIt().finally(() => media.remove());
  });

  test('a CA that is not trusted, and none named', (t) => withRedis({}, async (redis) => {
    for (const args of [['--redis-ca', stranger.certificate], []]) {
      await assertUnready(t, redis.tls.url, args, /redis: TLS: .*nobody who is trusted.*--redis-ca/);
    }
  }));

  test('a certificate for another name is refused, until that is the name that is asked for', async (t) => {
    const elsewhere = await authority.issue('elsewhere', { names: ['DNS:redis.example', 'DNS:*.deep.example'] });
    await withRedis({ own: elsewhere }, async (redis) => {
      await assertUnready(t, redis.tls.url, trusting(), /redis: TLS: .*not for '127\.0\.0\.1'.*--redis-sni/);
      const byName = redis.tls.url.replace('127.0.0.1', 'localhost');
      await assertUnready(t, byName, trusting(), /redis: TLS: .*not for 'localhost'/);
      await assertUnready(t, redis.tls.url, trusting('--redis-sni', 'a.b.deep.example'), /redis: TLS: .*not for 'a\.b\.deep\.example'/);
      for (const name of ['redis.example', 'a.deep.example']) {
        await withNode(redis.tls.url, trusting('--redis-sni', name), (node) => whenReady(node));
      }
    });
  });

  test('the name that is asked for: the host, or --redis-sni, and none for an address', async () => {
    const names = [];
    const options = { key: await readFile(own.key), cert: await readFile(own.certificate) };
    const server = tls.createServer(options, (socket) => {
      names.push(socket.servername);
      socket.on('error', () => {}).destroy();
    });
    await withServer(server, async (port) => {
      for (const [host, args, expected] of [
        ['localhost', [], 'localhost'], ['127.0.0.1', [], false], ['127.0.0.1', ['--redis-sni', 'localhost'], 'localhost']]) {
        names.length = 0;
        await withNode(`rediss://${host}:${port}`, trusting(...args), () => until(() => names.length > 0, 'a handshake'));
        assert.ok(names.every((name) => name === expected), `${host} ${args}: ${names}`);
      }
    });
  });

  test('where clients need a certificate: none, one of a stranger, and the right one', (t) =>
    withRedis({ wantsClients: true }, async (redis) => {
      await assertUnready(t, redis.tls.url, trusting(), /redis: TLS: the server wants a certificate of its clients: --redis-cert and --redis-key/);
      const other = await stranger.issue('other', { names: ['DNS:client'] });
      await assertUnready(t, redis.tls.url, asClient(other), /redis: TLS: the server refuses our certificate .*--redis-cert/);
      const client = await authority.issue('client', { names: ['DNS:client'] });
      await withNode(redis.tls.url, asClient(client), (node) => whenReady(node));
    }));

  test('the same with TLS 1.2, which says less', (t) => withRedis({ wantsClients: true, args: ['--tls-protocols', 'TLSv1.2'] }, async (redis) => {
    await assertUnready(t, redis.tls.url, trusting(), /redis: TLS: .*certificate of its clients/);
    const client = await authority.issue('client12', { names: ['DNS:client'] });
    await withNode(redis.tls.url, asClient(client), (node) => whenReady(node));
  }));

  test('a server whose TLS is too old', (t) => withRedis({ args: ['--tls-protocols', 'TLSv1.1'] }, (redis) =>
    assertUnready(t, redis.tls.url, trusting(), /redis: TLS: .*new enough.*tls-protocols/)));

  test('the port that speaks no TLS, and one that speaks nothing', async (t) => {
    await withRedis({}, (redis) => assertUnready(t, redis.tls.url.replace(redis.tls.port, redis.port), trusting(), /redis: TLS: .*\(tls-port\)/));
    const sockets = [];
    await withServer(net.createServer((socket) => sockets.push(socket.on('error', () => {}))), async (port) => {
      await assertUnready(t, `rediss://127.0.0.1:${port}`, trusting(), /redis: TLS: the handshake was not answered in time.*tls-port/);
      for (const socket of sockets) socket.destroy();
    });
  });

  // A way to Redis on which what the server says comes in pieces: bytesAtOnce, everyMs.
  function slowWay(port, bytesAtOnce, everyMs) {
    return net.createServer((near) => {
      const far = net.connect(port, '127.0.0.1');
      near.pipe(far);
      for (const [socket, other] of [[near, far], [far, near]]) socket.on('error', () => {}).on('close', () => other.destroy());
      far.on('readable', async () => {
        for (let part; (part = far.read(Math.min(bytesAtOnce, far.readableLength || 1))) !== null;) {
          near.write(part);
          if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
        }
      });
      near.setNoDelay(true);
    });
  }

  test('a slow handshake is waited for, and answers in pieces of 7 bytes are put together', () => withRedis({}, async (redis) => {
    for (const [bytes, everyMs] of [[600, 150], [7, 0]]) {
      await withServer(slowWay(redis.tls.port, bytes, everyMs), (port) =>
        withNode(`rediss://127.0.0.1:${port}`, trusting(), async (node) => {
          await whenReady(node);
          await createSession(node);
        }));
    }
  }));

  test('the link is cut, and Redis dies: back by itself', () => withRedis({}, async (redis) => {
    const gate = await startGate(redis.tls, { isOpaque: true });
    const url = `rediss://127.0.0.1:${gate.port}`;
    const cluster = await startCluster({ redis: { url }, args: trusting() });
    const [a, b] = cluster.nodes;
    const isAway = async () => (await readiness(a)).status === 503;
    try {
      const { ann, ben } = await assertShows(a, b);
      assert.equal(gate.shut(), 4);
      await until(isAway, 'the loss');
      ann.send('seek', { position: 20 });
      gate.open();
      await Promise.all([whenReady(a), whenReady(b)]);
      await agreement([ann, ben], ({ position }) => position === 20);
      await redis.kill();
      await until(isAway, 'the loss');
      assert.doesNotMatch(a.stderr(), /unexpected eof/i);
      await redis.start();
      await Promise.all([whenReady(a), whenReady(b)]);
      ben.send('ping', { id: 'still', t1: 0 });
      await ben.next('pong', ({ id }) => id === 'still');
    } finally {
      await cluster.stop();
      await gate.stop();
    }
  }));

  test('renewed certificates count from the next connection, and those that do not fit never', () => withRedis({ wantsClients: true }, async (redis) => {
    const client = await authority.issue('renewed', { names: ['DNS:client'] });
    const next = await authority.issue('next', { names: ['DNS:client'] });
    const gate = await startGate(redis.tls, { isOpaque: true });
    const again = async (node) => {
      gate.shut();
      await until(async () => (await readiness(node)).status === 503, 'the loss');
      gate.open();
      await whenReady(node);
    };
    try {
      await withNode(`rediss://127.0.0.1:${gate.port}`, asClient(client), async (node) => {
        await whenReady(node);
        await copyFile(next.certificate, client.certificate);
        await again(node);
        await untilLogged(node, /new certificates cannot be used.*--redis-key.*not the key of --redis-cert/);
        assert.doesNotMatch(node.stderr(), /read anew/);
        await copyFile(next.key, client.key);
        await again(node);
        await untilLogged(node, /certificates were read anew/);
      });
    } finally {
      await gate.stop();
    }
  }));

  test('Sentinels and their master', (t) => withRedis({}, async (redis) => {
    const sentinel = await startTlsSentinel({ authority, own, master: redis });
    try {
      await assertUnready(t, sentinel.url.replace('rediss+', 'redis+'), [], /redis: Sentinel .*: /);
      await assertUnready(t, sentinel.url, ['--redis-ca', stranger.certificate], /redis: Sentinel .*: TLS: .*--redis-ca/);
      const cluster = await startCluster({ redis: { url: sentinel.url }, args: trusting() });
      try {
        await assertShows(...cluster.nodes);
      } finally {
        await cluster.stop();
      }
    } finally {
      await sentinel.stop();
    }
  }));

  test('--redis-required: ends with 1 and the same words', () => withRedis({ password: 'sesame' }, async (redis) => {
    const { code, stderr } = await refusalOf(['--listen', '127.0.0.1:0', '--admin', 'none', '--media', 'tests/support', '--redis', redis.tls.url,
      '--redis-ca', stranger.certificate, '--redis-required']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /videosync: --redis: rediss:\/\/:\*\*\*@127\.0\.0\.1:\d+ cannot be used: TLS: .*nobody who is trusted/);
    assert.doesNotMatch(stderr, /sesame/);
  }));

  test('files that will not do: exit 1 at the start, with flag, file and reason', async () => {
    const [one, two] = [await authority.issue('one'), await authority.issue('two')];
    await folder.add('text', 'no PEM');
    await run('openssl', ['pkey', '-in', one.key, '-aes128', '-passout', 'pass:secret', '-out', folder.path('locked.key')]);
    for (const [args, ...expected] of [
      [['--redis-ca', folder.path('none')], /--redis-ca: cannot read '.*none': No such file/],
      [['--redis-ca', folder.directory], /--redis-ca: '.*' is no file/],
      [['--redis-ca', folder.path('text')], /--redis-ca: '.*text' holds no certificate in PEM form/],
      [['--redis-cert', one.certificate], /--redis-cert and --redis-key: each needs the other/],
      [['--redis-key', one.key], /--redis-cert and --redis-key: each needs the other/],
      [['--redis-cert', one.key, '--redis-key', one.key], /--redis-cert: '.*one\.key' holds no certificate/],
      [['--redis-cert', one.certificate, '--redis-key', one.certificate], /--redis-key: '.*one\.pem' holds no private key/],
      [['--redis-cert', one.certificate, '--redis-key', two.key], /--redis-key: '.*two\.key' is not the key of --redis-cert/],
      [['--redis-cert', one.certificate, '--redis-key', folder.path('locked.key')], /--redis-key: '.*locked\.key' holds no private key in PEM form without a password/],
      [['--redis-sni', 'x'.repeat(254)], /--redis-sni: 'x+' is too long/]]) {
      const { code, stderr } = await refusalOf(['--listen', '127.0.0.1:0', '--admin', 'none', '--media', 'tests/support', '--redis', 'rediss://127.0.0.1:1', ...args]);
      assert.equal(code, 1, stderr);
      for (const pattern of expected) assert.match(stderr, pattern);
    }
  });
});
