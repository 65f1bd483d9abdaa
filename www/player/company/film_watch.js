// Films that hosts bring: what shows and sends them is fetched when this viewer may bring one, where the server takes
// films, or when somebody brings one.
import { byId } from '../../dom.js';
import { describeFault } from '../../faults.js';
import { loadPart } from '../../load_part.js';

// uploadBytesMax(): resolves to how large a film may be, null where none are taken. The others: see bringing.js.
/** @param {{room: Room} & Record<string, any>} means */
export function watchForFilms({ room, uploadBytesMax, ...means }) {
  let part; // a promise
  let asked = null; // a promise: how large a film may be, where the server takes any
  const open = (bytesMax = null) => (part ??= loadPart(() => import('./bringing.js')).then(({ Bringing }) => new Bringing({ room, ...means }, bytesMax)));
  const ask = () => {
    asked ??= uploadBytesMax().then(async (bytesMax) => bytesMax !== null && (await open(bytesMax)).allow(bytesMax));
    asked.catch(() => (asked = null));
    return asked;
  };
  const look = () => room.mayBring && ask().catch(() => {});
  for (const type of /** @type {const} */ (['people', 'phase'])) room.addEventListener(type, look);
  room.addEventListener('upload', async ({ detail }) => (await open()).hear(detail));
  // A drop is taken from the first moment on: what the server says of films comes later.
  const take = async (file) => {
    await ask();
    (await open()).bring(file);
  };
  takeDrops(() => room.mayBring && room.connection.phase.name !== 'closed', (file) => take(file).catch((fault) => means.toast(describeFault(fault))));
}

// mayTake(): whether a file is taken now; else whoever drags one is shown that it is not. Without this a browser leaves
// the room to show the file.
function takeDrops(mayTake, take) {
  const glow = (isOver) => byId('app').classList.toggle('takes-film', isOver);
  const hasFile = ({ dataTransfer }) => dataTransfer?.types.includes('Files');
  addEventListener('dragover', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    if (!mayTake()) event.dataTransfer.dropEffect = 'none';
    glow(mayTake());
  });
  for (const type of ['dragleave', 'drop']) addEventListener(type, () => glow(false));
  addEventListener('drop', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file && mayTake()) take(file);
  });
}
