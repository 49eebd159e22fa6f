// The host clock that all threads of the process share.

/** Nanoseconds of the host's monotonic clock. */
export function hrtimeNs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}
