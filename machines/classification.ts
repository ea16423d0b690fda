/** What a failure means for the next attempt: the vocabulary of `classify`, and what it may answer. */
import { type Duration, InvalidDurationError, parseDuration } from './duration';

/** One failure, as `classify` sees it. */
export interface FailureFacts {
  /** What `connect` threw, or what the session's `closed` settled with: a thrown error, a close event, anything. */
  error: unknown;
  /** The attempt that failed, or that made the session: 1-based, restarts with the window. */
  attempt: number;
  /** Whether the attempt failed, or the session it had made ended. */
  phase: 'connect' | 'session';
  /** How long the session lived, in ms; 0 in the phase `connect`. */
  uptime: number;
}

/**
 * What a failure means: `retry` backs off, `give-up` fails for good, `{ retryAfter }` backs off for at least that long, `retry-now`
 * tries again at once, one time in a row (a token was refreshed), and after that is the same as `retry`.
 */
export type Verdict = 'retry' | 'give-up' | 'retry-now' | { retryAfter: Duration };

/** Decides what a failure means. One that throws counts as `retry` and is reported. */
export type Classify = (failure: FailureFacts) => Verdict;

/** A {@link Verdict} that was checked: `retryAfter` in ms. */
export type CheckedVerdict = 'retry' | 'give-up' | 'retry-now' | { readonly retryAfter: number };

const EXPECTED = "'retry', 'give-up', 'retry-now' or { retryAfter: duration }";

/**
 * Checks what `classify` answered.
 *
 * @throws {TypeError} saying what was expected, for anything but a {@link Verdict}. A promise is none: `classify` is synchronous.
 */
export function checkVerdict(verdict: unknown): CheckedVerdict {
  if (verdict === 'retry' || verdict === 'give-up' || verdict === 'retry-now') return verdict;
  const retryAfter = (verdict as { retryAfter?: unknown } | null | undefined)?.retryAfter;
  const ms = typeof retryAfter === 'string' ? parseRetryAfter(retryAfter) : retryAfter;
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return { retryAfter: ms };
  throw new TypeError(`classify: expected ${EXPECTED}, got ${describeVerdict(verdict)}`);
}

function parseRetryAfter(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof InvalidDurationError) return undefined;
    throw error;
  }
}

function describeVerdict(verdict: unknown): string {
  if (typeof verdict !== 'object' || verdict === null) return String(verdict);
  if (verdict instanceof Promise) return 'a promise';
  return 'retryAfter' in verdict ? `{ retryAfter: ${String(verdict.retryAfter)} }` : 'an object';
}
