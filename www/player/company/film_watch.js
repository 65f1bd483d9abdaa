// Films that hosts bring: what shows and sends them is fetched when this viewer may bring one, where the server takes
// films, or when somebody brings one.
import { loadPart } from '../../load_part.js';

// uploadBytesMax(): resolves to how large a film may be, null where none are taken. The others: see bringing.js.
/** @param {{room: Room} & Record<string, any>} means */
export function watchForFilms({ room, uploadBytesMax, ...means }) {
  let part; // a promise
  let asked; // a promise: whether the server takes films
  const open = (bytesMax = null) => (part ??= loadPart(() => import('./bringing.js')).then(({ Bringing }) => new Bringing({ room, ...means }, bytesMax)));
  const look = () => {
    if (!room.mayBring || asked) return;
    asked = uploadBytesMax().then(async (bytesMax) => bytesMax !== null && (await open(bytesMax)).allow(bytesMax), () => (asked = null));
  };
  for (const type of /** @type {const} */ (['people', 'phase'])) room.addEventListener(type, look);
  room.addEventListener('upload', async ({ detail }) => (await open()).hear(detail));
}
