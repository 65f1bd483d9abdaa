// Starts an engine with one person, says so with the mark of its processes, and waits to be killed.
// Usage: node hold.mjs ENGINE
import { launch } from './engines.mjs';

const engine = await launch(process.argv[2]);
await engine.openPerson();
process.stdout.write(`${JSON.stringify(engine.mark)}\n`);
setInterval(() => {}, 60_000);
