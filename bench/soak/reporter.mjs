// What a process of a soak tells the one that has started it: once a second what has happened since, and what was wrong.

const EVERY_MS = 1_000;
const FAULTS_MAX = 50; // a second: one that is seen by thousands is told some times

export function makeReporter() {
  let counts = {};
  let faults = [];
  let timer;
  let more = () => ({});
  const onLeft = () => process.exit(1); // whoever started it is gone
  process.on('disconnect', onLeft);
  const tell = () => {
    process.send({ counts, faults, ...more() });
    counts = {};
    faults = [];
  };
  return {
    count: (name, by = 1) => (counts[name] = (counts[name] ?? 0) + by),
    fault: (text) => {
      if (faults.length < FAULTS_MAX) faults.push(text);
    },
    begin: (tellMore = more) => {
      more = tellMore;
      timer = setInterval(tell, EVERY_MS);
    },
    // The last word; the process ends once nothing is left to do.
    end: () => {
      clearInterval(timer);
      process.off('disconnect', onLeft);
      process.send({ counts, faults, ...more() }, () => process.disconnect());
    },
  };
}
