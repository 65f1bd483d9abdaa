// The keyboard, wherever the focus is, except where it writes or already means something.

const KEYS = {
  ' ': (actions) => actions.togglePlay(),
  k: (actions) => actions.togglePlay(),
  arrowleft: (actions) => actions.seekBy(-5),
  arrowright: (actions) => actions.seekBy(5),
  j: (actions) => actions.seekBy(-10),
  l: (actions) => actions.seekBy(10),
  home: (actions) => actions.seekToShare(0),
  end: (actions) => actions.seekToShare(1),
  arrowup: (actions) => actions.changeVolume(0.05),
  arrowdown: (actions) => actions.changeVolume(-0.05),
  m: (actions) => actions.toggleMute(),
  c: (actions) => actions.toggleCaptions(),
  '+': (actions) => actions.resizeCaptions(1),
  '=': (actions) => actions.resizeCaptions(1), // the same key, where that needs no second one
  '-': (actions) => actions.resizeCaptions(-1),
  b: (actions) => actions.moveCaptions(),
  g: (actions) => actions.delayCaptions(-1),
  h: (actions) => actions.delayCaptions(1),
  f: (actions) => actions.toggleFull(),
  t: (actions) => actions.toggleTheatre(),
  p: (actions) => actions.togglePopOut(),
  '?': (actions) => actions.help(),
};
// A figure goes to so many tenths of the video.
for (let tenth = 0; tenth <= 9; tenth++) KEYS[tenth] = (actions) => actions.seekToShare(tenth / 10);

// A key held down seeks or turns the volume, or what captions are like, on and on, but does not switch to and fro.
const REPEATING = new Set(['arrowleft', 'arrowright', 'arrowup', 'arrowdown', 'j', 'l', '+', '=', '-', 'g', 'h']);

export function bindKeys(actions) {
  document.addEventListener('keydown', (event) => {
    const key = event.key.toLowerCase();
    if (!Object.hasOwn(KEYS, key) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('dialog[open]') || isTaken(key, event.target)) return;
    event.preventDefault();
    if (!event.repeat || REPEATING.has(key)) KEYS[key](actions);
  });
}

// Text fields take every key, and so do menus; buttons the space bar, sliders, lists and scrolling
// parts the arrows; but the seek bar's own steps are too small to get anywhere with.
function isTaken(key, target) {
  if (target.matches('input:not([type=range], [type=checkbox]), textarea, select, [role=menu], [role=menu] *')) return true;
  if (key === ' ') return target.matches('button, a, summary, input[type=checkbox], [role=button]');
  if (target.matches('#scrubber')) return false;
  if (key === 'home' || key === 'end') return true;
  if (key.startsWith('arrow')) return target.matches('input[type=range], media-volume-range, [role=log]');
  return false;
}
