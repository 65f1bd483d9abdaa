// What a flow in an engine needs: a server with films, the engine, two people whose pages last from flow to
// flow, each flow with a session of its own.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startBreakableProxy } from '../breakable_proxy.mjs';
import { aheadMs, join, measure, until } from '../browser.mjs';
import { replaceByPackage } from '../hls.mjs';
import { makeMedia } from '../media.mjs';
import { createSession, join as joinAsMember } from '../member.mjs';
import { hasStatus } from '../player_page.mjs';
import { startServer } from '../server.mjs';
import { untilFilmsAreKnown } from '../until.mjs';
import { launch } from './engines.mjs';

export const FILM_S = 90;
export const SHORT_S = 8;
export const PACKED_S = 60;
const IN_STEP_MS = 150;
const WAIT_MS = 20_000;

export class Stage {
  engine;
  server;
  proxy; // between Ben and the server
  ann; // a person: the host
  ben; // a person
  #media;

  // isAll: also the films 'second' and 'packed', which take some seconds to make.
  static async open(name, { isAll = false } = {}) {
    const stage = new Stage();
    try {
      stage.#media = await makeFilms(isAll);
      stage.server = await startServer({ args: ['--media', stage.#media.directory, '--video', 'film', '--session-rate', '0'] });
      await untilFilmsAreKnown(stage.server);
      stage.proxy = await startBreakableProxy(stage.server.origin);
      stage.engine = await launch(name);
      stage.ann = await stage.engine.openPerson();
      stage.ben = await stage.engine.openPerson();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  // A session of its own for these people, who have joined in this order; the first is its host. Resolves to
  // its link.
  async showing(people, { video } = {}) {
    const { key } = await createSession(this.server, video ? { video } : {});
    const link = this.linkOf(key);
    for (const person of people) await this.join(person, link);
    await hasStatus(people.at(-1).page, 'Ready to start');
    return link;
  }

  // One more member, without a page.
  watch(link) {
    return joinAsMember(this.server, new URL(link).searchParams.get('session'), { name: 'Observer' });
  }

  linkOf(key) {
    return `${this.server.origin}/player.html?session=${key}`;
  }

  join(person, link) {
    const name = person === this.ann ? 'Ann' : person === this.ben ? 'Ben' : 'Cem';
    return join(person.page, person === this.ann ? link : link.replace(this.server.origin, this.proxy.origin), name);
  }

  async close() {
    await this.engine?.close();
    await this.proxy?.stop();
    await this.server?.stop();
    await this.#media?.remove();
  }
}

async function makeFilms(isAll) {
  const media = await makeMedia([
    { name: 'film', seconds: FILM_S }, { name: 'short', seconds: SHORT_S }, ...(isAll ? [{ name: 'packed', seconds: PACKED_S }, { name: 'second', seconds: FILM_S }] : []),
  ]);
  for (const language of ['en', 'de']) {
    const cue = `WEBVTT\n\n00:00.000 --> 01:29.000\nwords in ${language}\n`;
    await writeFile(path.join(media.directory, `film.${language}.vtt`), cue);
  }
  if (isAll) await replaceByPackage(media.directory, 'packed');
  return media;
}

// Everybody's picture runs, they all say that they are in step, and they are.
export async function areInStep(...people) {
  const pages = people.map(({ page }) => page);
  for (const page of pages) await hasStatus(page, 'In step');
  let apart;
  await until(async () => {
    const measures = await Promise.all(pages.map(measure));
    apart = measures.slice(1).map((other) => aheadMs(other, measures[0]));
    return measures.every(({ paused }) => !paused) && apart.every((ms) => Math.abs(ms) < IN_STEP_MS);
  }, () => `together, and not ${apart.map((ms) => ms.toFixed(0))} ms apart`, WAIT_MS, 100);
}

// At rest, all on one place: to the half millisecond within which a player does not seek once more.
export async function standTogether(...people) {
  let measures;
  await until(async () => {
    measures = await Promise.all(people.map(({ page }) => measure(page)));
    const places = measures.map(({ position }) => position);
    return measures.every(({ paused }) => paused) && Math.max(...places) - Math.min(...places) <= 0.001;
  }, () => `everybody stands on one place: ${measures.map(({ position, paused }) => `${position} ${paused}`)}`, WAIT_MS);
  return measures[0].position;
}

export function isBeyond({ page }, seconds) {
  let last;
  const look = async () => (last = (await measure(page)).position) > seconds;
  return until(look, () => `beyond ${seconds} s, not at ${last}`, WAIT_MS);
}

export const press = async ({ page }, ...keys) => {
  await page.evaluate(() => document.activeElement?.blur());
  for (const key of keys) await page.keyboard.press(key);
};
