// Cues of captions at other times, or at the picture's top instead of its bottom: each remembers how its track has it,
// and is put back so. What says itself where it stands stays there.

export class CuePlaces {
  #own = new WeakMap(); // cue -> as its track has it: {startTime, endTime, isFree}, and whether it is at the top: isTop

  // cues: of a track, or null. delayS: positive, they come later. Returns whether some went to another place.
  place(cues, { delayS, isTop }) {
    let hasMoved = false;
    for (const cue of cues ?? []) {
      const own = this.#ownOf(cue);
      put(cue, 'endTime', Math.max(0, own.endTime + delayS));
      put(cue, 'startTime', Math.max(0, own.startTime + delayS));
      if (!own.isFree || own.isTop === isTop) continue; // what somebody else has moved meanwhile is left alone
      cue.line = isTop ? 0 : 'auto';
      own.isTop = isTop;
      hasMoved = true;
    }
    return hasMoved;
  }

  #ownOf(cue) {
    const known = this.#own.get(cue);
    if (known) return known;
    const { startTime, endTime, line } = cue;
    const own = { startTime, endTime, isFree: line === 'auto', isTop: false };
    this.#own.set(cue, own);
    return own;
  }
}

function put(cue, name, value) {
  if (cue[name] !== value) cue[name] = value;
}
