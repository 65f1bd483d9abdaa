// Controls that show a setting of the session and change it. What was chosen stays shown until the server has said
// something of it: what else is told meanwhile, such as who came, is about something else.

// show(settings): sets the controls. Returns choose(settings): one was changed, to these.
/** @param {Room} room @param {(settings: Settings) => void} show @returns {(settings: Partial<Settings>) => unknown} */
export function bindSettings(room, show) {
  const showAll = () => show(room.settings);
  room.addEventListener('settings', showAll);
  room.addEventListener('phase', showAll);
  room.addEventListener('refused', ({ detail: { re } }) => re === 'settings' && showAll());
  showAll();
  return (settings) => room.send('settings', settings) || showAll();
}
