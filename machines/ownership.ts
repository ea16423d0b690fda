/** The two actors that own sessions: `connect` makes one, `closed` keeps it until it ends. Rules O1 to O4. */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import { print } from './backoff';
import { type CheckedVerdict, checkVerdict, type FailureFacts } from './classification';
import { Failure } from './failure';
import { type Close, Lease, type Report } from './lease';
import { sleep } from './sleep';
import type { AttemptReason, ConnectArgs, ReconnectOptions } from './vocabulary';

/** What the actor `connect` is invoked with. */
export interface ConnectInput<TInput> {
  input: TInput;
  attempt: number;
  /** Why the previous attempt failed or the previous session ended. */
  failure: Failure | undefined;
  reason: AttemptReason;
  /** Whether what led here took no macrotask, so that this attempt owes the event loop one. */
  owesTurn: boolean;
}

/** What the actors that watch a session are invoked with. */
export interface SessionInput<TSession> {
  lease: Lease<TSession>;
  /** The attempt that made it. */
  attempt: number;
}

/** How sessions are made, watched and closed: the user's functions, or their defaults. */
export interface Owner<TSession, TInput> {
  connect: ReconnectOptions<TSession, TInput>['connect'];
  /** Takes hold of a session. Throws, having closed it, when there is no way to tell when it ends. */
  lease: (session: TSession, dialedAt?: number) => Lease<TSession>;
  /** Takes hold of a session that somebody else's actor made and, if need be, watches. */
  adopt: (session: TSession) => Lease<TSession>;
  /** A failure, and what `classify` makes of it. */
  fail: (facts: FailureFacts, dialedAt?: number) => Failure;
}

export function createOwner<TSession, TInput>(
  options: ReconnectOptions<TSession, TInput>,
  report: Report,
): Owner<TSession, TInput> {
  const close: Close<TSession> = options.close ?? closeItself;
  const closed = options.closed ?? closedItself;
  const lease = (session: TSession, dialedAt?: number): Lease<TSession> =>
    new Lease(session, watchable(closed(session)), close, report, dialedAt);
  const unwatched = (session: TSession): Lease<TSession> => new Lease(session, undefined, close, report);
  const { classify } = options;
  const judge = (facts: FailureFacts): CheckedVerdict => {
    if (classify === undefined) return 'retry';
    try {
      const verdict: unknown = classify(facts);
      // A promise is no verdict, and nobody waits for this one: its rejection must not end the process.
      if (verdict instanceof Promise) verdict.catch(() => {});
      return checkVerdict(verdict);
    } catch (error) {
      report(error, 'classify');
      return 'retry';
    }
  };
  return {
    connect: options.connect,
    lease(session, dialedAt) {
      try {
        return lease(session, dialedAt);
      } catch (error) {
        unwatched(session).release('unusable');
        throw error;
      }
    },
    adopt(session) {
      try {
        return lease(session);
      } catch {
        return unwatched(session);
      }
    },
    fail: (facts, dialedAt) =>
      new Failure(facts.error, {
        verdict: judge(facts),
        uptime: facts.uptime,
        ...(dialedAt !== undefined && { dialedAt }),
      }),
  };
}

function closeItself(session: unknown): unknown {
  return (session as { close?: () => unknown } | null | undefined)?.close?.();
}

function closedItself(session: unknown): unknown {
  return (session as { closed?: unknown } | null | undefined)?.closed;
}

function watchable(closed: unknown): PromiseLike<unknown> {
  if (typeof (closed as PromiseLike<unknown> | null | undefined)?.then === 'function')
    return closed as PromiseLike<unknown>;
  throw new TypeError(
    `connect: expected a session with a \`closed\` promise, or a \`closed\` option that returns one; \`closed\` is ${print(closed)}`,
  );
}

/**
 * One call of `connect`: settles with a {@link Lease}, or with what went wrong, and once aborted never settles. A session that
 * arrives after the abort is closed and never seen (O2, O3).
 */
export async function dial<TSession, TInput>(
  owner: Owner<TSession, TInput>,
  args: ConnectArgs<TInput>,
  dialedAt?: number,
): Promise<Lease<TSession>> {
  const { signal } = args;
  // C1: stopped in the very turn in which a wait ended.
  if (signal.aborted) await never();
  let lease: Lease<TSession>;
  try {
    lease = owner.lease(await owner.connect(args), dialedAt);
  } catch (error) {
    if (signal.aborted) await never();
    throw error;
  }
  // O2: until the chart has taken the session over, an abort closes it. XState lets go of the signal at that moment.
  if (signal.aborted) {
    lease.release('late');
    await never();
  }
  signal.addEventListener('abort', () => lease.release('late'), { once: true });
  return lease;
}

/** A promise of its own each time: waiting on a shared one would keep every aborted attempt in its list for ever. */
const never = (): Promise<never> => new Promise<never>(() => {});

/**
 * The actor `connect`: one attempt. Settles with a {@link Lease} or a {@link Failure}, and once aborted never settles: a
 * stopped actor object can be started again, and the old attempt's outcome is not the new one's (O3, B6).
 */
export function createConnectLogic<TSession, TInput>(
  owner: Owner<TSession, TInput>,
  now: () => number,
): PromiseActorLogic<Lease<TSession>, ConnectInput<TInput>> {
  return fromPromise<Lease<TSession>, ConnectInput<TInput>>(async ({ input, signal, self }) => {
    const { attempt, failure, owesTurn, ...rest } = input;
    const dialedAt = now();
    // A server that accepts and closes at once must not starve timers, I/O or `stop`: the loop passes through a macrotask.
    if (owesTurn) await sleep(self, 0, signal);
    try {
      return await dial(owner, { ...rest, attempt, signal, lastError: failure?.error }, dialedAt);
    } catch (error) {
      throw owner.fail({ error, attempt, phase: 'connect', uptime: 0 }, dialedAt);
    }
  });
}

/**
 * The actor `closed`: waits until the session has ended by itself. Stopping it closes the session, because exit actions do
 * not run when a whole actor is stopped.
 */
export function createClosedLogic<TSession, TInput>(
  owner: Owner<TSession, TInput>,
  now: () => number,
): PromiseActorLogic<Failure, SessionInput<TSession>> {
  return fromPromise<Failure, SessionInput<TSession>>(({ input: { lease, attempt }, signal }) => {
    // A restarted actor object, or a session that came without a lease, has nothing left to wait for.
    if (lease.released || lease.closed === undefined) return Promise.resolve(new Failure(undefined));
    signal.addEventListener('abort', () => lease.release('stopped'), { once: true });
    const since = now();
    return new Promise((resolve, reject) => {
      const settle = (end: (failure: Failure) => void) => (error: unknown) => {
        if (!signal.aborted) end(owner.fail({ error, attempt, phase: 'session', uptime: now() - since }));
      };
      // A promise of our own settles once, whatever theirs does.
      Promise.resolve(lease.closed).then(settle(resolve), settle(reject));
    });
  });
}
