// Calls act() every so many milliseconds, until the function that it returns is called. Unlike a bare interval it
// keeps no test file from ending whose test has failed before that.
export function every(ms, act) {
  const timer = setInterval(act, ms).unref();
  return () => clearInterval(timer);
}
