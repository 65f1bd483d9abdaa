// What a soak prints: a line a minute, and what it came to. Pure.

const FAULTS_SHOWN = 20;
const number = (value, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits) : '-');
const whole = (value) => Math.round(value ?? 0).toLocaleString('en-US');

export function clockOf(ms) {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

export function progressLine({ atMs, present, sample, counts, faults }) {
  const of = (name) => whole(counts[name]);
  return `${clockOf(atMs)}  ${whole(present)} viewers  ${number(sample.rssMib)} MiB  ${sample.descriptors} fds  ${sample.threads} threads  ${sample.children} children  `
    + `${number(sample.cacheMib)} MiB cache  ${of('joins')} joins  ${of('states')} states  ${of('downloads')} downloads  ${of('uploads')} uploads  `
    + `${of('copies')}+${of('transcodes')} forms  ${of('sighups')} SIGHUP  ${of('redis restarts')} Redis restarts  ${whole(faults)} faults`;
}

export function summaryText({ figures, counts, verdict, totalMs, judgedMs, processor }) {
  const rows = figures.map(({ title, level, growth, low, high, growthMax, isFlat }) =>
    `  ${title.padEnd(28)} ${number(level).padStart(9)} ${number(growth, 2).padStart(9)}   ${`${number(low, 2)} to ${number(high, 2)}`.padEnd(18)} ${String(growthMax).padStart(6)}   ${isFlat ? 'flat' : 'NOT SHOWN'}`);
  const happened = Object.entries(counts).sort(([one], [other]) => one.localeCompare(other)).map(([name, count]) => `${name} ${whole(count)}`);
  const { faults, passed } = verdict;
  return [
    `${clockOf(totalMs)} min, of which the last ${clockOf(judgedMs)} were judged: growth in that time, with its interval of 95 %`,
    `  ${'figure'.padEnd(28)} ${'level'.padStart(9)} ${'growth'.padStart(9)}   ${'interval'.padEnd(18)} ${'at most'.padStart(6)}`,
    ...rows,
    `happened: ${happened.join(', ')}`,
    `processor: ${number(processor.own)} s the server's own, ${number(processor.children)} s its children's`,
    ...faults.slice(0, FAULTS_SHOWN).map((fault) => `fault: ${fault}`),
    ...(faults.length > FAULTS_SHOWN ? [`and ${faults.length - FAULTS_SHOWN} more`] : []),
    passed ? 'passed: all is flat, and no state was lost' : 'FAILED',
  ].join('\n');
}
