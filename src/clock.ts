/** The time a connection lives by. */

/** One injected source of time: a reading in milliseconds and the timers that go with it. */
export interface ReconnectClock {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/**
 * Real time: `performance.now` and the global timers.
 *
 * @param options.unref whether a Node process may end while a timer of this clock is all that is left. Default false: a
 * connection that waits to connect again keeps the process alive. Browsers have nothing of the kind.
 */
export function createClock({ unref = false }: { unref?: boolean } = {}): ReconnectClock {
  return {
    now: () => performance.now(),
    setTimeout(callback, ms) {
      const timer: unknown = setTimeout(callback, ms);
      if (unref) (timer as { unref?: () => void }).unref?.();
      return timer;
    },
    clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  };
}
