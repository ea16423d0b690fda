/** Why an attempt or a session ended, in a form that viewers and logs can show whatever was thrown. */
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

/** How an attempt came about. */
export interface AttemptOrigin {
  /** When it was begun, in ms of the injected `now`. */
  readonly dialedAt: number;
  /** Whether the event `retry` asked for it. */
  readonly retried: boolean;
}

/**
 * The reason of a failure or of a session's end. It holds the value as it was given, out of reach of anything that walks or
 * serialises a snapshot: errors may be cyclic, huge, or hold the very session that failed.
 */
export class Failure {
  readonly #error: unknown;

  constructor(
    error: unknown,
    /** The attempt that failed; undefined for a session's end. */
    readonly attempt?: AttemptOrigin,
  ) {
    this.#error = error;
  }

  /** What was thrown, or what `closed` settled with, as it was given. */
  get error(): unknown {
    return this.#error;
  }

  /** What viewers, logs and persisted snapshots show. */
  toJSON(): { name?: string; message: string } | undefined {
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

/** The retry window is spent: the connection gave up. `cause` is the last failure. Rule R5. */
export class ReconnectTimeoutError extends Error {
  override readonly name = 'ReconnectTimeoutError';

  constructor(
    /** The retry window, in milliseconds. */
    readonly timeout: number,
    lastError?: unknown,
  ) {
    const reason = lastError === undefined ? '' : `: ${describeError(lastError)}`;
    super(
      `reconnect timed out after ${debugDuration(timeout)}${reason}`,
      lastError === undefined ? undefined : { cause: lastError },
    );
  }
}

/** The connection was stopped; there will be no further status. Rule R6. */
export class ReconnectStoppedError extends Error {
  override readonly name = 'ReconnectStoppedError';

  constructor() {
    super('reconnect stopped');
  }
}
