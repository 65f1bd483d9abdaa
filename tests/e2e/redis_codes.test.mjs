// The short code of a session that several nodes share: as long there, and as lasting, as the session.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { whenReady } from '../support/cluster.mjs';
import { createSession, join } from '../support/member.mjs';
import { allComeBack, kill, namesOf, showing, withCluster } from '../support/show.mjs';
import { until } from '../support/until.mjs';
import { agreement } from '../support/view.mjs';

const BOUND_MS = 60_000; // of each

const validate = async (node, name) => {
  const response = await fetch(`${node.origin}/api/sessions/${name}/validate`);
  return response.status === 200 ? response.json() : { status: response.status };
};
const follow = (node, code) => fetch(`${node.origin}/r/${code}`, { redirect: 'manual' });

describe('a code over two nodes', { concurrency: 3, timeout: BOUND_MS }, () => {
  test('made at one it is known at the other, and told there', () => withCluster({}, async ({ redis }, [a, b]) => {
    const { key, code, hostToken } = await createSession(a);
    for (const node of [a, b]) {
      assert.deepEqual(await validate(node, code), { valid: true, key });
      assert.equal((await follow(node, code)).headers.get('location'), `/player.html?session=${key}`);
    }
    const ann = await join(a, key);
    const ben = await join(b, key);
    for (const { welcome } of [ann, ben]) assert.equal(welcome.session.code, code);
    for (const node of [a, b]) {
      for (const token of [hostToken, ann.resume, ben.resume]) {
        const told = await (await fetch(`${node.origin}/api/sessions/${key}`, { headers: { Authorization: `Bearer ${token}` } })).json();
        assert.equal(told.code, code);
      }
      assert.equal((await (await fetch(`${node.origin}/api/sessions/${key}`)).json()).code, undefined);
    }
    const [name, codeName] = namesOf({ key, code });
    assert.equal(await redis.command('HGET', codeName, 'session'), name);
    ann.send('end');
    for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
    for (const node of [a, b]) await until(async () => (await validate(node, code)).valid === false, 'its end');
    assert.equal(Number(await redis.command('EXISTS', codeName)), 0);
  }));

  test('it lives as long as its session, and is prolonged with it', () => withCluster({}, async ({ redis }, [a]) => {
    const { key, code } = await createSession(a);
    const left = async (name) => Number(await redis.command('PTTL', name));
    const [name, codeName] = namesOf({ key, code });
    const isSame = async () => Math.abs((await left(codeName)) - (await left(name))) < 2_000;
    assert.ok(await isSame());
    const ann = await join(a, key);
    for (const each of [name, codeName]) await redis.command('PEXPIRE', each, 30_000);
    ann.send('seek', { position: 3 });
    await ann.next('state');
    await until(async () => (await left(codeName)) > 60_000 && (await isSame()), 'a longer life');
  }));

  test('it survives the loss of the home', () => withCluster({}, async (_, [a, b]) => {
    const { key, code, people: [ann, ben] } = await showing([['Ann', a], ['Ben', b]], { control: 'everyone' });
    kill(a);
    const { back } = await allComeBack(b, key, [ann]);
    await agreement([...back, ben], ({ count }) => count === 2);
    assert.equal(back[0].welcome.session.code, code);
    assert.deepEqual(await validate(b, code), { valid: true, key });
  }));

  test('a Redis that has lost everything gets it back', () => withCluster({}, async ({ redis }, [a, b]) => {
    const { key, code, people: [ann] } = await showing([['Ann', a], ['Ben', b]]);
    await redis.command('FLUSHALL');
    ann.send('seek', { position: 7 });
    await until(async () => (await validate(b, code)).key === key, 'the code to be there again');
    assert.equal((await follow(b, code)).status, 302);
  }));

  test('also where it was away meanwhile and the home is lost with it', () => withCluster({ redis: { keepsData: false } }, async ({ redis }, [a, b]) => {
    const { key, code, people: [ann, ben] } = await showing([['Ann', a], ['Ben', b]]);
    await Promise.all([redis.kill(), kill(a)]);
    await redis.start({ isEmpty: true });
    const { back } = await allComeBack(b, key, [ann]);
    await agreement([...back, ben], ({ count }) => count === 2);
    await until(async () => (await validate(b, code)).key === key, 'the code to be there again');
  }));

  test('while Redis is away, and where nodes may still bring it back, nobody is told no', () => withCluster({ redis: { keepsData: false } }, async ({ redis }, [a]) => {
    const { code } = await createSession(a);
    await redis.kill();
    await until(async () => (await validate(a, code)).status === 503, 'it to be noticed');
    assert.equal((await follow(a, code)).status, 503);
    await redis.start({ isEmpty: true });
    await whenReady(a);
    assert.equal((await validate(a, code)).status, 503);
    await until(async () => (await validate(a, code)).valid === false, 'an answer', 10_000);
  }));
});
