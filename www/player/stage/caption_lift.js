// Lifts captions above the controls where a style sheet cannot: Firefox gives pages no hold on the box
// that captions are shown in (elsewhere captions.css moves it), so the cues themselves are placed.
//
// Only those that say nothing of their place, which browsers put at the bottom; what is not shown above
// the bar any more is placed as it was.

const LINE_SHARE = 0.0625; // of the picture's height: what Firefox gives a line of the usual size

// Whether captions have to be lifted like this. WebKit and Chromium do not know the property.
export function mustLiftCues(css = globalThis.CSS) {
  return Boolean(css?.supports('-moz-appearance', 'none'));
}

export class CaptionLift {
  #tracks;
  #before = new Map(); // cue -> how it was placed: {line, snapToLines, lineAlign}

  // tracks(): those whose cues may be on the picture now.
  constructor(tracks) {
    this.#tracks = tracks;
  }

  // roomPx: from the bottom of a picture of heightPx; 0: nothing lies there. scale: of the letters.
  place(roomPx, heightPx, scale = 1) {
    const shown = this.#tracks().flatMap(({ activeCues }) => [...(activeCues ?? [])]);
    for (const cue of this.#before.keys()) if (roomPx === 0 || !shown.includes(cue)) this.#restore(cue);
    if (roomPx === 0 || heightPx === 0) return;
    let line = 100 * (1 - roomPx / heightPx);
    for (const cue of shown) {
      if (cue.line !== 'auto' && !this.#before.has(cue)) continue;
      this.#lift(cue, Math.max(0, line));
      line -= 100 * LINE_SHARE * scale * cue.text.split('\n').length; // the next one above it
    }
  }

  #lift(cue, line) {
    if (!this.#before.has(cue)) {
      const { line: before, snapToLines, lineAlign } = cue;
      this.#before.set(cue, { line: before, snapToLines, lineAlign });
    }
    if (cue.line !== line) Object.assign(cue, { snapToLines: false, lineAlign: 'end', line });
  }

  #restore(cue) {
    Object.assign(cue, this.#before.get(cue));
    this.#before.delete(cue);
  }
}
