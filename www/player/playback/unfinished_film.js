// Whether a film has come to an end that is not its own: its file is incomplete, or still being copied.

export function breaksOff(follower, source) {
  const { over, ended } = follower.measure();
  return follower.ranOut || ((over || ended) && source.current?.endsEarly === true);
}
