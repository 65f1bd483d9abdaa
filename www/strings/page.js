// The static words of an html file. An element names them:
//   data-string="home.create"                   its text
//   data-string-aria-label="home.link"          an attribute (those of `attributes` below)

export const attributes = ['aria-label', 'alt', 'content', 'placeholder', 'title'];
const named = ['data-string', ...attributes.map((name) => `data-string-${name}`)];
const selector = named.map((name) => `[${name}]`).join(',');

// strings.home.create for "home.create"; undefined where there is none.
export function lookUp(strings, path) {
  return path.split('.').reduce((part, name) => part?.[name], strings);
}

export function fillStrings(root, strings) {
  for (const element of root.querySelectorAll(selector)) {
    if (element.hasAttribute('data-string')) {
      element.textContent = lookUp(strings, element.getAttribute('data-string'));
    }
    for (const name of attributes) {
      const path = element.getAttribute(`data-string-${name}`);
      if (path) element.setAttribute(name, lookUp(strings, path));
    }
  }
}
