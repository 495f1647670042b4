/**
 * Milliseconds since 1970 that never go back while the process lives: when the wall clock is set back, time goes on
 * from where it was; set forward, it follows. What lies on a disk needs such a time, since no monotonic one outlives
 * its process.
 */
export function steadyClock(
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): () => number {
  let last = -Infinity;
  let lastTick = 0;
  return () => {
    const tick = monotonic();
    last = Math.max(wall(), last + (tick - lastTick));
    lastTick = tick;
    return last;
  };
}
