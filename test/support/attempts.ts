/** One attempt, as the chart makes it, for tests that call a `connect` themselves. */
import type { ConnectArgs } from '../../src/index';

export function attempt(signal: AbortSignal = new AbortController().signal): ConnectArgs<void> {
  return { input: undefined, signal, attempt: 1, lastError: undefined, reason: 'start' };
}

/** What `promise` rejects with; fails if it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${String(value)}`);
    },
    (error: unknown) => error,
  );
}
