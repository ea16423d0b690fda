/** Waiting on an actor's own clock, whatever the length. Rules O5, O6. */
import { type AnyActor, type AnyActorRef, fromPromise, type PromiseActorLogic } from 'xstate';

/** The longest delay a timer takes; above it, `setTimeout` fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Resolves after `ms`, which may be Infinity, on the clock of `self`'s system: the real one, or the one given to `createActor`.
 * Once aborted it never settles, and leaves no timer and no listener behind.
 */
export function sleep(self: AnyActorRef, ms: number, signal: AbortSignal): Promise<void> {
  if (ms === Number.POSITIVE_INFINITY || signal.aborted) return new Promise(() => {});
  // Every actor has its system's clock; only the type of a reference hides it.
  const { clock } = self as unknown as AnyActor;
  return new Promise((resolve) => {
    let remaining = ms;
    let timer: unknown;
    const stop = (): void => clock.clearTimeout(timer);
    const wait = (): void => {
      const part = Math.min(remaining, MAX_TIMER_MS);
      timer = clock.setTimeout(() => {
        remaining -= part;
        if (remaining > 0) return wait();
        signal.removeEventListener('abort', stop);
        resolve();
      }, part);
    };
    signal.addEventListener('abort', stop, { once: true });
    wait();
  });
}

/** How early a timer may fire, in ms: Node's cuts fractions off, and counts in whole milliseconds. */
const EARLY_MS = 2;

/** Less than this, in ms, is missing only by the rounding of a sum. */
const ROUNDING_MS = 1e-3;

/** What the actor `wait` is invoked with. */
export interface WaitInput {
  /** When the wait ends, in ms of the injected `now`. */
  until: number;
}

/**
 * The actor `wait`: the pause between two attempts. An actor and not an `after`, because a timer of `after` is capped at
 * 2^31-1 ms and is not set again when a snapshot is restored or an actor object is started again.
 */
export function createWaitLogic(now: () => number): PromiseActorLogic<void, WaitInput> {
  return fromPromise<void, WaitInput>(async ({ input: { until }, self, signal }) => {
    await sleep(self, Math.max(0, until - now()), signal);
    // A server that asked to be left alone so long may count better than our timers.
    const missing = until - now();
    if (missing > ROUNDING_MS && missing < EARLY_MS) await sleep(self, missing + EARLY_MS, signal);
  });
}
