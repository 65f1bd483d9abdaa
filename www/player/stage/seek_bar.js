// The seek bar moves as often as the player tells its time, four times a second. The library draws it anew
// with each picture of the screen, by hundredths of a pixel: that took half of all the page takes while a
// film plays and the controls are in sight.

// scrubber: the <media-time-range>, which draws by itself only while nothing loads.
export function stepWithTime(scrubber) {
  Object.defineProperty(scrubber, 'mediaLoading', { get: () => true, set() {} });
}
