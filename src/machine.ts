/** The statechart over the real world: monotonic time. */

import type { ErrorSource, Report } from '../machines/lease';
import { createReconnectChart } from '../machines/reconnect';
import type { ReconnectOptions } from '../machines/vocabulary';

export interface ReconnectMachineOptions<TSession, TInput = void> extends ReconnectOptions<TSession, TInput> {
  /**
   * Monotonic time in milliseconds, from the same source as the `clock` given to `createActor`. Default `performance.now`.
   * One that throws or is not finite counts as standing still, and is reported to `onError` (rule O4).
   */
  now?: () => number;
}

/** The machine that `createReconnectMachine` makes. */
export type ReconnectMachine<TSession, TInput = void> = ReturnType<typeof createReconnectChart<TSession, TInput>>;

/**
 * Creates the reconnect statechart: an XState 5 machine to `createActor`, `spawn` or `invoke`.
 *
 * @throws {InvalidBackoffError} naming the field, the value and what was expected, when `options.backoff` is out of range.
 */
export function createReconnectMachine<TSession, TInput = void>(
  options: ReconnectMachineOptions<TSession, TInput>,
): ReconnectMachine<TSession, TInput> {
  const report: Report = (error, source) => {
    try {
      (options.onError ?? logError)(error, source);
    } catch {
      // A reporter that throws has nobody left to be reported to.
    }
  };
  return createReconnectChart(options, { now: steady(options.now ?? monotonic, report), report });
}

function logError(error: unknown, source: ErrorSource): void {
  console.error(`xstate-reconnect: an error in ${source}`, error);
}

function monotonic(): number {
  return performance.now();
}

/** `now` as the chart needs it: it never throws and is always finite. */
function steady(now: () => number, report: Report): () => number {
  let last = 0;
  return () => {
    try {
      const time = now();
      if (!Number.isFinite(time)) throw new TypeError(`now: expected a finite number of milliseconds, got ${time}`);
      last = time;
    } catch (error) {
      report(error, 'now');
    }
    return last;
  };
}
