// The processes of a soak that are its viewers and its traffic: started, told what to do, ended.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const END_MS = 20_000;

// onTold({counts, faults, present}): what it tells once a second. It ends when this process does.
// Resolves to {tell(what, words), ask(what, answer): what it answers, end(), kill()}.
export async function startProcess(name, onTold) {
  const child = fork(fileURLToPath(new URL(`${name}.mjs`, import.meta.url)));
  await once(child, 'spawn');
  const exited = once(child, 'exit');
  const waiting = new Map(); // name of an answer to who wants it
  child.on('message', (message) => {
    if (message.counts) onTold(message);
    for (const key of Object.keys(message)) {
      waiting.get(key)?.(message[key]);
      waiting.delete(key);
    }
  });
  let isEnding = false;
  exited.then(([code, signal]) => {
    if (!isEnding) onTold({ counts: {}, faults: [`the process of ${name} ended with ${signal ?? code}`], present: 0 });
  });
  const tell = (what, words = {}) => child.connected && child.send({ do: what, ...words });
  return {
    tell,
    ask: (what, answer) => new Promise((resolve) => {
      waiting.set(answer, resolve);
      tell(what);
    }),
    end: async () => {
      isEnding = true;
      tell('end');
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
