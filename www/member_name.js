// The rule for names, as the server has it (proto/wire/member_name.h): what is cleaned away, and what
// must be left. A table of cases (tests/support/member_names.json) holds the two together. Pure.

export const NAME_CHARACTERS_MAX = 40;

// Unicode 15: White_Space, Cc and Default_Ignorable_Code_Point, which has the marks that turn the
// direction; besides them U+2800, a blank by its look, the marks of annotations, U+FFF9 to U+FFFB, and
// half of a pair. All else is visible.
const KINDS = {
  blank: '9-d 20 85 a0 1680 2000-200a 2028-2029 202f 205f 2800 3000',
  joiner: '200c-200d',
  selector: '180b-180d 180f fe00-fe0f e0100-e01ef',
  tag: 'e0020-e007f',
  unseen: '0-8 e-1f 7f-84 86-9f ad 34f 61c 115f-1160 17b4-17b5 180e 200b 200e-200f 202a-202e 2060-206f 3164 ' +
    'd800-dfff feff ffa0 fff0-fffb 1bca0-1bca3 1d173-1d17a e0000-e001f e0080-e00ff e01f0-e0fff',
};
const RANGES = Object.entries(KINDS).flatMap(([kind, ranges]) => ranges.split(' ').map((range) => {
  const [first, last = first] = range.split('-').map((digits) => Number.parseInt(digits, 16));
  return { kind, first, last };
})).sort((a, b) => a.first - b.first);
const BLACK_FLAG = 0x1f3f4; // what tags make another flag of

function kindOf(code) {
  const range = RANGES.find(({ last }) => code <= last);
  return range && code >= range.first ? range.kind : 'visible';
}

// {name}: without what cannot be seen or turns the direction of writing; runs of blanks are one space,
// none stands at the ends, and what makes other characters is kept where it does. Or {fault}: 'empty',
// where nothing that can be seen is left, or 'too_long'.
export function cleanName(text) {
  const cleaner = new NameCleaner();
  for (const character of text) cleaner.take(character);
  const name = cleaner.kept;
  if (name === '') return { fault: 'empty' };
  return [...name].length > NAME_CHARACTERS_MAX ? { fault: 'too_long' } : { name };
}

class NameCleaner {
  kept = '';
  #base = 0; // the last visible character
  #last = null; // the kind of what was kept last
  #due = ''; // a blank or a joiner before the next visible character

  take(character) {
    const code = character.codePointAt(0);
    const kind = kindOf(code);
    const isBehindCharacter = this.kept !== '' && this.#due === '';
    if (kind === 'visible') {
      this.#keep(kind, this.#due + character);
      this.#base = code;
      this.#due = '';
    } else if (kind === 'blank') {
      this.#due = this.kept === '' ? '' : ' ';
    } else if (kind === 'joiner') {
      if (isBehindCharacter && this.#base > 0x7f) this.#due = character;
    } else if (kind === 'selector') {
      if (isBehindCharacter && this.#last === 'visible') this.#keep(kind, character);
    } else if (kind === 'tag') {
      if (isBehindCharacter && this.#base === BLACK_FLAG && this.#last !== 'selector') this.#keep(kind, character);
    }
  }

  #keep(kind, text) {
    this.kept += text;
    this.#last = kind;
  }
}
