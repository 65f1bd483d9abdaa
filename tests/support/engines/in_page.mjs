// What a driven page is asked about its elements, as expressions that it evaluates.
//
// Selectors are CSS, as Playwright takes it: they look into open shadow roots, also between the parts of
// "#scrubber input", though not of those in a list.

// Runs in the page: all elements that `selector` names, in the order of the document.
function find(selector) {
  const within = (root, part) => {
    const found = [...root.querySelectorAll(part)];
    for (const one of root.querySelectorAll('*')) if (one.shadowRoot) found.push(...within(one.shadowRoot, part));
    return found;
  };
  const whole = within(document, selector);
  if (selector.includes(',')) return whole;
  const parts = selector.match(/(?:\[[^\]]*\]|\([^)]*\)|[^\s[(]+)+/g);
  if (whole.length > 0 || parts.length === 1) return whole;
  const inside = (one, part) => [...within(one, part), ...(one.shadowRoot ? within(one.shadowRoot, part) : [])];
  return parts.slice(1).reduce((ones, part) => ones.flatMap((one) => inside(one, part)), within(document, parts[0]));
}

// Runs in the page: how the first of `found` stands, and where a hand would touch it; brought into sight.
function stateOf(found, at) {
  const [one] = found;
  if (!one) return { isThere: false };
  const isVisible = one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width > 0;
  const isEnabled = !one.disabled && one.getAttribute('aria-disabled') !== 'true';
  if (!at) return { isThere: true, isVisible, isEnabled };
  const isInSight = ({ top, left, bottom, right }) => top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
  if (!isInSight(one.getBoundingClientRect())) one.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
  const { left, top, width, height } = one.getBoundingClientRect();
  const x = Math.round(left + (at.position?.x ?? width / 2));
  const y = Math.round(top + (at.position?.y ?? height / 2));
  let hit = document.elementFromPoint(x, y);
  while (hit?.shadowRoot?.elementFromPoint(x, y) && hit.shadowRoot.elementFromPoint(x, y) !== hit) {
    hit = hit.shadowRoot.elementFromPoint(x, y);
  }
  const hitName = hit && (hit.id || hit.className || hit.localName);
  while (hit && hit !== one) hit = hit.assignedSlot ?? hit.parentNode ?? hit.host ?? null;
  if (!hit) one.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' }); // for the next look: behind what stays in its place
  return { isThere: true, isVisible, isEnabled, isHit: hit === one, hitName, x, y };
}

// Runs in the page: puts a value into a field at once, with the events of somebody who did.
function putValue([field], value) {
  field.focus();
  const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value');
  set.call(field, value);
  field.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

export const call = (act, ...values) => `(${act})(${values.map((value) => JSON.stringify(value)).join(', ')})`;

const onFound = (act, selector, ...values) =>
  `(${act})(${[`(${find})(${JSON.stringify(selector)})`, ...values.map((value) => JSON.stringify(value))].join(', ')})`;

// Runs in the page: resolves when it has laid out another picture; hidden it has none.
function nextFrame() {
  return Promise.race([new Promise((resolve) => requestAnimationFrame(resolve)), new Promise((resolve) => setTimeout(resolve, 500))]);
}

export const stateExpression = (selector, at) => onFound(stateOf, selector, at);
// The same as it is in the page's next picture: what was opened just now gets its place with that.
export const shownExpression = (selector, at) => `(${nextFrame})().then(() => ${stateExpression(selector, at)})`;
export const fillExpression = (selector, value) => onFound(putValue, selector, value);
// act(elements, value) with all of them.
export const allExpression = (selector, act, value) => onFound(act, selector, value);
// act(element, value) with the first one.
export const firstExpression = (selector, act, value) =>
  onFound(`([one], value) => { if (!one) throw new Error('nothing matches'); return (${act})(one, value); }`, selector, value);
