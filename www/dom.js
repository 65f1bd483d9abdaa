// The few things every page does with its elements.

/** @template {keyof PageElements} I @param {I} id @returns {PageElements[I]} */
export function byId(id) {
  return /** @type {any} */ (document.getElementById(id));
}

// make('li', {class: 'row', text: 'Ann', 'aria-label': '...'}, child, ...)
/** @template {string} T @param {T} tag @param {Record<string, any>} [attributes] @param {...(Node | string)} children @returns {Tag<T>} */
export function make(tag, { text, ...attributes } = {}, ...children) {
  const element = /** @type {any} */ (document.createElement(tag));
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

// An icon of the page's sprite.
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

// Of what holds one, or is one.
export function setIcon(holder, name) {
  setAttribute(holder.querySelector('use'), 'href', `/icons.svg#${name}`);
}

// Only touches the page where something is different: what changes nothing is not announced.
// null takes the attribute away.
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

// What a screen reader says of it.
export function label(element, text) {
  setAttribute(element, 'aria-label', text);
}

// As setAttribute.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Copies `text`; `field` is an input that shows it, for browsers that forbid the clipboard.
// Resolves to whether it worked; if not, the field's text stands selected.
export async function copyText(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand('copy');
  }
}
