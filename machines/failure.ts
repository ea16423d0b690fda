/** Why an attempt or a session ended, in a form that viewers and logs can show whatever was thrown. */
import type { CheckedVerdict } from './classification';
import { debugDuration } from './duration';

/**
 * One line of text for anything that can be thrown: an Error's message, the text itself, or what `String` makes of it.
 * Never throws (rule O4): a hostile value is described by its type.
 */
export function describeError(error: unknown): string {
  try {
    if (typeof error === 'object' && error !== null && 'message' in error) {
      const { message, name } = error as { message: unknown; name?: unknown };
      return String(message) || String(name ?? 'Error');
    }
    return String(error);
  } catch {
    return `an unreadable ${typeof error}`;
  }
}

/** What is known of a failure beside the error itself. */
export interface FailureDetails {
  /** When the attempt that failed was begun, in ms of the injected `now`; undefined for a session's end. */
  readonly dialedAt?: number;
  /** How long the session lived that ended, in ms. Default 0. */
  readonly uptime?: number;
  /** What `classify` made of it. Default `retry`. */
  readonly verdict?: CheckedVerdict;
}

/** An error as text: what is left of it in viewers, logs, the history and persisted snapshots. */
export interface DescribedError {
  /** The class it was of; undefined unless it was an Error. */
  name?: string;
  message: string;
}

/**
 * The reason of a failure or of a session's end. It holds the value as it was given, out of reach of anything that walks or
 * serialises a snapshot: errors may be cyclic, huge, or hold the very session that failed.
 */
export class Failure {
  readonly #error: unknown;
  readonly #details: FailureDetails;

  constructor(error: unknown, details: FailureDetails = {}) {
    this.#error = error;
    this.#details = details;
  }

  /** What was thrown, or what `closed` settled with, as it was given. */
  get error(): unknown {
    return this.#error;
  }

  /** When the attempt that failed was begun, in ms of the injected `now`; undefined for a session's end. */
  get dialedAt(): number | undefined {
    return this.#details.dialedAt;
  }

  /** How long the session lived that ended, in ms; 0 for an attempt that failed. */
  get uptime(): number {
    return this.#details.uptime ?? 0;
  }

  get verdict(): CheckedVerdict {
    return this.#details.verdict ?? 'retry';
  }

  /** How long it asks to wait, in ms; undefined if it asks for nothing. */
  get retryAfter(): number | undefined {
    return typeof this.verdict === 'object' ? this.verdict.retryAfter : undefined;
  }

  /** What viewers, logs and persisted snapshots show. */
  toJSON(): DescribedError | undefined {
    if (this.#error === undefined) return undefined;
    const message = describeError(this.#error);
    return this.#error instanceof Error ? { name: nameOf(this.#error), message } : { message };
  }

  /** The failure that `value` already is, or one that holds it. */
  static from(value: unknown): Failure {
    return value instanceof Failure ? value : new Failure(value);
  }
}

function nameOf(error: Error): string {
  try {
    return String(error.name);
  } catch {
    return 'Error';
  }
}

/** The part of a message behind its colon; nothing without an error. */
function because(lastError: unknown): string {
  return lastError === undefined ? '' : `: ${describeError(lastError)}`;
}

function causedBy(lastError: unknown): ErrorOptions | undefined {
  return lastError === undefined ? undefined : { cause: lastError };
}

/** Why a connection gave up: its window ended, its attempts were used up, or `classify` said that the failure is fatal. */
export const gaveUpReasons = ['timeout', 'attempts', 'fatal'] as const;
export type GaveUpReason = (typeof gaveUpReasons)[number];

/** The connection gave up. `cause` is the last failure. */
export class ReconnectGaveUpError extends Error {
  override readonly name: string = 'ReconnectGaveUpError';

  constructor(
    readonly reason: GaveUpReason,
    problem: string,
    lastError?: unknown,
  ) {
    super(problem + because(lastError), causedBy(lastError));
  }
}

/** The retry window is spent: the connection gave up. `cause` is the last failure. Rule R5. */
export class ReconnectTimeoutError extends ReconnectGaveUpError {
  override readonly name = 'ReconnectTimeoutError';

  constructor(
    /** The retry window, in milliseconds. */
    readonly timeout: number,
    lastError?: unknown,
  ) {
    super('timeout', `reconnect timed out after ${debugDuration(timeout)}`, lastError);
  }
}

/** As many attempts as `maxAttempts` allows have failed: the connection gave up. `cause` is the last failure. */
export class ReconnectAttemptsError extends ReconnectGaveUpError {
  override readonly name = 'ReconnectAttemptsError';

  constructor(
    /** How many attempts failed in this retry window. */
    readonly attempts: number,
    lastError?: unknown,
  ) {
    super('attempts', `reconnect gave up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`, lastError);
  }
}

/** `classify` said that trying again is of no use: the connection gave up. `cause` is the fatal failure. */
export class ReconnectFatalError extends ReconnectGaveUpError {
  override readonly name = 'ReconnectFatalError';

  constructor(lastError?: unknown) {
    super('fatal', 'reconnect gave up', lastError);
  }
}

/** The error of a connection that gave up for `reason`, in a retry window of `timeout` ms, after `attempts` attempts. */
export function giveUpError(
  reason: GaveUpReason,
  { timeout, attempts, lastError }: { timeout: number; attempts: number; lastError: unknown },
): ReconnectGaveUpError {
  switch (reason) {
    case 'timeout':
      return new ReconnectTimeoutError(timeout, lastError);
    case 'attempts':
      return new ReconnectAttemptsError(attempts, lastError);
    case 'fatal':
      return new ReconnectFatalError(lastError);
  }
}

/** An attempt took longer than it may, and was aborted. */
export class AttemptTimeoutError extends Error {
  override readonly name = 'AttemptTimeoutError';

  constructor(
    /** How long it took, in milliseconds. */
    readonly timeout: number,
  ) {
    // What was left of a window is no round number.
    super(`the attempt timed out after ${debugDuration(Math.ceil(timeout))}`);
  }
}

/** A probe of a session that looked open got no answer, or failed: the session was half-open. */
export class HalfOpenError extends Error {
  override readonly name = 'HalfOpenError';
}

/** The connection was stopped; there will be no further status. Rule R6. */
export class ReconnectStoppedError extends Error {
  override readonly name = 'ReconnectStoppedError';

  constructor() {
    super('reconnect stopped');
  }
}

/** The connection was not there in time. `cause` is the last failure. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';

  constructor(
    /** How long was waited, in milliseconds. */
    readonly timeout: number,
    lastError?: unknown,
  ) {
    super(`not connected within ${debugDuration(timeout)}${because(lastError)}`, causedBy(lastError));
  }
}
