/**
 * Who closes a session, and when. Every session that `connect` ever made is held by a {@link Lease}, and a lease releases its
 * session exactly once. Rule O1.
 */

/**
 * Why a session is being closed:
 * `ended` its `closed` settled, `stopped` the actor was stopped, `late` its attempt was aborted before it connected,
 * `unusable` it has no way to tell when it ends, `half-open` a probe got no answer, `replaced` a retry or a changed input asked for
 * another one, `rotated` a younger one took its place.
 */
export type CloseReason = 'ended' | 'stopped' | 'late' | 'unusable' | 'half-open' | 'replaced' | 'rotated';

/** What an error that could not be thrown at anybody came from. */
export type ErrorSource =
  | 'close'
  | 'listener'
  | 'now'
  | 'random'
  | 'wallClock'
  | 'classify'
  | 'environment'
  | 'healthy'
  | 'rotation';

/** Ends a session; may fail in any way. */
export type Close<TSession> = (session: TSession, reason: CloseReason) => unknown;

/** Is told of an error; must not throw. */
export type Report = (error: unknown, source: ErrorSource) => void;

/** The right to use a session and the duty to close it. Out of reach of anything that walks or serialises a snapshot. */
export class Lease<TSession> {
  readonly #session: TSession;
  readonly #closed: PromiseLike<unknown> | undefined;
  readonly #close: Close<TSession>;
  readonly #report: Report;
  readonly #dialedAt: number | undefined;
  #released = false;

  constructor(
    session: TSession,
    closed: PromiseLike<unknown> | undefined,
    close: Close<TSession>,
    report: Report,
    dialedAt?: number,
  ) {
    this.#session = session;
    this.#closed = closed;
    this.#close = close;
    this.#report = report;
    this.#dialedAt = dialedAt;
  }

  get session(): TSession {
    return this.#session;
  }

  /** Settles when the session has ended by itself. */
  get closed(): PromiseLike<unknown> | undefined {
    return this.#closed;
  }

  /** When the attempt that made it was begun, in ms of the injected `now`; undefined when that is not known. */
  get dialedAt(): number | undefined {
    return this.#dialedAt;
  }

  get released(): boolean {
    return this.#released;
  }

  /** Closes the session, the first time it is called (O1). A `close` that throws or rejects is reported (O4, B8). */
  release(reason: CloseReason): void {
    if (this.#released) return;
    this.#released = true;
    const report = (error: unknown): void => this.#report(error, 'close');
    try {
      Promise.resolve(this.#close(this.#session, reason)).catch(report);
    } catch (error) {
      report(error);
    }
  }

  /** What viewers, logs and persisted snapshots show. */
  toJSON(): string {
    return this.#released ? 'released' : 'live';
  }
}
