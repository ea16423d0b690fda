/** Notices that the machine, or the process alone, has slept: no platform says so, but its clocks do. */

export interface WakeOptions {
  /** How often to look, in ms. */
  every: number;
  /** The shortest sleep that counts, in ms. */
  threshold: number;
}

/** Often enough to notice a wake soon; longer than a busy process is late. */
export const defaultWake: WakeOptions = Object.freeze({ every: 5_000, threshold: 5_000 });

/**
 * Calls `onWake` once after each sleep, at most `every` ms after its end, and returns how to stop. It keeps no process alive.
 *
 * A blocked event loop and a wall clock that is set ahead look like a sleep. A wall clock that is set back changes nothing.
 */
export function watchForWake({ every, threshold }: WakeOptions, onWake: () => void): () => void {
  const read = () => ({ wall: Date.now(), monotonic: performance.now() });
  let last = read();
  const timer = setInterval(() => {
    const now = read();
    // Where the monotonic clock stands still during a sleep, as on Linux, only the wall clock tells; else the timer is late on both.
    const passed = Math.max(now.wall - last.wall, now.monotonic - last.monotonic);
    last = now;
    if (passed - every > threshold) onWake();
  }, every);
  // A browser's timer is a number, and keeps nothing alive.
  (timer as Partial<NodeJS.Timeout>).unref?.();
  return () => clearInterval(timer);
}
