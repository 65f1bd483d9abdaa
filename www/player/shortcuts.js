// The keyboard, wherever the focus is, except where it writes or already means something.

const KEYS = {
  ' ': (actions) => actions.togglePlay(),
  k: (actions) => actions.togglePlay(),
  arrowleft: (actions) => actions.seekBy(-5),
  arrowright: (actions) => actions.seekBy(5),
  j: (actions) => actions.seekBy(-10),
  l: (actions) => actions.seekBy(10),
  arrowup: (actions) => actions.volumeBy(0.05),
  arrowdown: (actions) => actions.volumeBy(-0.05),
  m: (actions) => actions.toggleMute(),
  c: (actions) => actions.cycleCaptions(),
  f: (actions) => actions.toggleFull(),
  '?': (actions) => actions.help(),
};

// A key held down seeks or turns the volume on and on, but does not switch to and fro.
const REPEATING = new Set(['arrowleft', 'arrowright', 'arrowup', 'arrowdown', 'j', 'l']);

export function bindKeys(actions) {
  document.addEventListener('keydown', (event) => {
    const key = event.key.toLowerCase();
    const action = KEYS[key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('dialog[open]') || isTaken(key, event.target)) return;
    event.preventDefault();
    if (!event.repeat || REPEATING.has(key)) action(actions);
  });
}

// Text fields take every key, buttons the space bar, sliders, lists and scrolling parts the arrows;
// but the scrubber's own steps are too small to get anywhere with.
function isTaken(key, target) {
  if (target.matches('input:not([type=range], [type=checkbox]), textarea, select')) return true;
  if (key === ' ') return target.matches('button, a, summary, input[type=checkbox]');
  if (target.matches('#scrubber')) return key === 'arrowup' || key === 'arrowdown';
  if (key.startsWith('arrow')) return target.matches('input[type=range], [role=log]');
  return false;
}
