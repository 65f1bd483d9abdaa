// What most tests of the pages need: a library of films, a server that shows them, a Chromium, and the people who
// come. Whoever opens one calls close(), also when the test fails.
import assert from 'node:assert/strict';
import { join, launchBrowser, openPerson } from './browser.mjs';
import { makeMedia } from './media.mjs';
import { createSession } from './member.mjs';
import { hasRole } from './player_page.mjs';
import { startServer } from './server.mjs';
import { untilFilmsAreKnown } from './until.mjs';

const WAIT_MS = 10_000;

class Cinema {
  media;
  server;
  browser;
  #people = [];
  #faults = []; // of everybody who has ever come

  // Of a new person (options: of openPerson), who is remembered here.
  async meet(options) {
    const person = await openPerson(this.browser, options);
    person.page.setDefaultTimeout(WAIT_MS);
    this.#people.push(person);
    this.#faults.push(person.faults);
    return person;
  }

  // To a session of its own, whose first member is its host.
  async newLink() {
    return this.server.origin + (await createSession(this.server)).url;
  }

  // People of these names in one session, the first its host. Resolves to {link, people}.
  async seat(names, options) {
    const link = await this.newLink();
    const people = [];
    for (const name of names) {
      people.push(await this.meet(options));
      await join(people.at(-1).page, link, name);
      if (people.length === 1) await hasRole(people[0].page, 'You are the host.');
    }
    return { link, people };
  }

  // No page had an error on its console, or broke the security policy.
  assertFaultless() {
    for (const faults of this.#faults) assert.deepEqual(faults, []);
  }

  // Everybody goes.
  async empty() {
    for (const { context } of this.#people) await context.close();
    this.#people = [];
  }

  async close() {
    await this.browser?.close();
    await this.server?.stop();
    await this.media?.remove();
  }
}

// films: of makeMedia. furnish(directory): what else lies in the library before the server sees it. args: the
// server's, flags: Chromium's. unreadable: of what is furnished, the ids of what is no film.
export async function openCinema({ films, furnish = () => {}, unreadable = [], args = [], flags = [] }) {
  const cinema = new Cinema();
  try {
    cinema.media = await makeMedia(films);
    await furnish(cinema.media.directory);
    cinema.server = await startServer({ args: ['--media', cinema.media.directory, '--session-rate', '0', ...args] });
    [cinema.browser] = await Promise.all([launchBrowser(flags), untilFilmsAreKnown(cinema.server, { unreadable })]);
    return cinema;
  } catch (error) {
    await cinema.close();
    throw error;
  }
}
