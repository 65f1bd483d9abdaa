// The counting of round trips that the tests of the pages go by.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoundTrips } from '../support/round_trips.mjs';

const nowMs = () => performance.timeOrigin + performance.now();

// One side speaks and is heard; then the other.
const ask = ({ up }) => up.arrive(up.leave());
const answer = ({ down }) => down.arrive(down.leave());
const countOf = (trips) => trips.countAt(nowMs());

test('a connection, a handshake, a request and what comes of it are one each', () => {
  const trips = new RoundTrips();
  const way = trips.connect();
  for (const expected of [2, 3, 4]) { // the connection itself was the first
    ask(way);
    answer(way);
    assert.equal(countOf(trips), expected);
  }
});

test('what leaves together counts once, over one connection or several', () => {
  const trips = new RoundTrips();
  const [first, second] = [trips.connect(), trips.connect()];
  for (const way of [first, second]) for (let i = 0; i < 3; i += 1) ask(way);
  for (const way of [second, first]) for (let i = 0; i < 3; i += 1) answer(way);
  assert.equal(countOf(trips), 2);
});

test('a connection that is opened because of an answer begins behind that', () => {
  const trips = new RoundTrips();
  const first = trips.connect();
  ask(first);
  answer(first);
  const second = trips.connect();
  ask(second);
  answer(second);
  assert.equal(countOf(trips), 4);
});

test('an answer that was under way when more was asked does not count as one to that', () => {
  const trips = new RoundTrips();
  const way = trips.connect();
  ask(way);
  const [early, late] = [way.down.leave(), way.down.leave()];
  way.down.arrive(early);
  const next = way.up.leave();
  way.down.arrive(late);
  assert.equal(countOf(trips), 2);
  way.up.arrive(next);
  answer(way);
  assert.equal(countOf(trips), 3);
});

test('after a restart all begins anew, and connections that are there are there', () => {
  const trips = new RoundTrips();
  const way = trips.connect();
  ask(way);
  const old = way.down.leave();
  trips.restart();
  way.down.arrive(old);
  assert.equal(countOf(trips), 0);
  ask(way);
  answer(way);
  assert.equal(countOf(trips), 1);
});
