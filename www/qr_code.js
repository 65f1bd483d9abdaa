// A QR code as an SVG that scales to its place.
import { encode } from '/vendor/uqr.js';

const SVG = 'http://www.w3.org/2000/svg';
const QUIET_MODULES = 2; // the white card around it adds the rest of the four that readers want

// label: what a screen reader says instead.
export function makeQrCode(text, label) {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_MODULES });
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.setAttribute('shape-rendering', 'crispEdges');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', pathOf(data));
  svg.append(path);
  return svg;
}

// One rectangle a run of dark modules in a row.
export function pathOf(rows) {
  let path = '';
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; ++x) {
      if (!row[x]) continue;
      const start = x;
      while (row[x + 1]) ++x;
      path += `M${start} ${y}h${x + 1 - start}v1h${start - x - 1}z`;
    }
  });
  return path;
}
