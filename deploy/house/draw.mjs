// Draws docs/house.svg: the floors and rooms of the sources and which room uses which, as include lines
// and imports say. `make house` runs it; a test fails when the picture is not what this would draw.
//
// Usage: node deploy/house/draw.mjs [FILE]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { floorOf, rooms, sourceRoots } from '../../tests/layers/rules.mjs';
import { readTree, root } from '../../tests/layers/tree.mjs';
import { pagesOf, programOf, sharedWordsOf } from './facts.mjs';
import { draw } from './picture.mjs';

export const picture = join(root, 'docs/house.svg');

export function drawHouse() {
  const pages = pagesOf(readTree(['www'], /\.m?js$/));
  const program = programOf(readTree(sourceRoots, /\.(h|cpp)$/));
  return draw({ pages, shared: sharedWordsOf(pages), program, floorOf: (room) => floorOf(`${room}/`), permitted: rooms });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(process.argv[2] ?? picture, drawHouse());
