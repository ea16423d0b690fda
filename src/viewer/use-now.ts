/** Time that passes on the screen. */
import { useEffect, useState } from 'preact/hooks';

/** Often enough to count seconds down, and for a bar to grow. */
const TICK_MS = 250;

/** `performance.now()`, anew every {@link TICK_MS} while `isRunning`. */
export function useNow(isRunning = true): number {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => tick((count) => count + 1), TICK_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  return performance.now();
}
