/** The statechart over the real world: its time and its chance. */

import type { Report } from '../machines/lease';
import { createReconnectChart } from '../machines/reconnect';
import type { ReconnectOptions } from '../machines/vocabulary';
import { reportTo } from './report';

export interface ReconnectMachineOptions<TSession, TInput = void> extends ReconnectOptions<TSession, TInput> {
  /**
   * Monotonic time in milliseconds, from the same source as the `clock` given to `createActor`. Default `performance.now`.
   * One that throws or is not finite counts as standing still, and is reported to `onError` (rule O4).
   */
  now?: () => number;
  /**
   * Milliseconds since the epoch, for the history and for persisted snapshots; nothing waits for it. Default `Date.now`. One that
   * throws or is not finite counts as standing still, and is reported to `onError`.
   */
  wallClock?: () => number;
  /**
   * A draw from 0 up to, but not including, 1, for jitter. Default `Math.random`. One that throws or is out of range counts as the
   * last draw, and is reported to `onError`.
   */
  random?: () => number;
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
  const report = reportTo(options.onError);
  return createReconnectChart(options, {
    now: steady('now', options.now ?? (() => performance.now()), Number.isFinite, report),
    wallNow: steady('wallClock', options.wallClock ?? Date.now, Number.isFinite, report),
    random: steady('random', options.random ?? Math.random, (draw) => draw >= 0 && draw < 1, report),
    report,
  });
}

/** `read` as the chart needs it: it never throws, and what it reads is usable. */
function steady(
  source: 'now' | 'wallClock' | 'random',
  read: () => number,
  isUsable: (reading: number) => boolean,
  report: Report,
): () => number {
  let last = 0;
  return () => {
    try {
      const reading = read();
      if (!isUsable(reading)) throw new TypeError(`${source}: expected ${EXPECTED[source]}, got ${String(reading)}`);
      last = reading;
    } catch (error) {
      report(error, source);
    }
    return last;
  };
}

const EXPECTED = {
  now: 'a finite number of milliseconds',
  wallClock: 'a finite number of milliseconds since the epoch',
  random: 'a number from 0 up to, but not including, 1',
};
