// The colour of a name: each member keeps theirs. Ids that follow each other are far apart.
export function hueOf(id) {
  let hash = 0;
  for (const letter of String(id)) hash = (hash * 31 + letter.charCodeAt(0)) % 997;
  return (hash * 137) % 360;
}
