// Plays every odd film of tests/support/odd_films.mjs in a browser, and prints a table: `make test-media`.
//   node tests/media/main.mjs [--engine chromium|firefox|webkit] [NAME...]   these alone
// Ends with 1 where fewer than 98 in 100 play as they should.
import { parseArgs } from 'node:util';
import { ENGINES } from '../support/engines/engines.mjs';
import { oddFilms } from '../support/odd_films.mjs';
import { openOddLibrary, playOddFilm, reasonOf } from '../support/odd_playing.mjs';

const PLAYING_PART = 0.98;
const AT_ONCE = 2;
const { values: { engine }, positionals } = parseArgs({ options: { engine: { type: 'string', default: 'chromium' } }, allowPositionals: true });
if (!ENGINES.includes(engine)) {
  console.error(`There is no engine ${engine}: one of ${ENGINES.join(', ')}`);
  process.exit(2);
}
const names = positionals.length > 0 ? positionals : Object.keys(oddFilms);
const unknown = names.filter((name) => !(name in oddFilms));
if (unknown.length > 0) {
  console.error(`There is no such film: ${unknown.join(', ')}\nThere are: ${Object.keys(oddFilms).join(', ')}`);
  process.exit(2);
}

async function tryOne(library, name) {
  const { reason } = oddFilms[name];
  try {
    if (!reason) return { ...(await playOddFilm(library, name)), verdict: 'plays' };
    const words = await reasonOf(library, name);
    return reason.test(words) ? { name, verdict: 'says why not' } : { name, verdict: 'FAILS', why: words };
  } catch (error) {
    return { name, verdict: 'FAILS', why: error.message };
  }
}

const ms = (value) => (value === undefined ? '' : value === null ? 'none' : value.toFixed(1));

function line({ name, form = '', pictureMs, soundMs, verdict }) {
  return [name.padEnd(30), form.padEnd(10), ms(pictureMs).padStart(8), ms(soundMs).padStart(8), `  ${verdict}`].join('');
}

console.log(`Making ${names.length} films, and a library of them ...`);
const library = await openOddLibrary(names, { engine });
console.log(`${engine} ${library.engine.version}`);
const results = [];
try {
  const left = [...names];
  const work = async () => {
    for (let name = left.shift(); name; name = left.shift()) {
      const result = await tryOne(library, name);
      results.push(result);
      console.log(`${String(results.length).padStart(3)}/${names.length}  ${line(result)}  ${result.why ?? ''}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
} finally {
  await library.close();
}

const failed = results.filter(({ verdict }) => verdict === 'FAILS');
console.log(`\n${'film'.padEnd(30)}${'form'.padEnd(10)}${'picture'.padStart(8)}${'sound'.padStart(8)}  verdict\n${''.padEnd(49)}ms      ms`);
for (const name of names) console.log(line(results.find((result) => result.name === name)));
for (const { name, why } of failed) console.log(`\n${name}: ${why}`);
console.log(`\n${results.length - failed.length} of ${results.length} are as they should be.`);
process.exit(results.length - failed.length < PLAYING_PART * results.length ? 1 : 0);
