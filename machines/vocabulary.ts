/** The words the chart and its users share: options, context, events. */
import type { Backoff, BackoffPolicy } from './backoff';
import type { Classify } from './classification';
import type { Duration } from './duration';
import type { EnvironmentEvent, EnvironmentSource } from './environment';
import type { DescribedError, Failure, GaveUpReason } from './failure';
import type { CloseReason, ErrorSource, Lease } from './lease';

/**
 * Why an attempt is made: `start` the connection was started, `closed` a session ended, `backoff` a wait is over, `retry` somebody
 * asked, `update` the input changed, `refresh` `classify` said `retry-now`, `half-open` a probe found the session dead, `rotation` the
 * session is old, `restore` a persisted snapshot was restored; `online`, `wake` and `resume` cut a wait short.
 */
export type AttemptReason =
  | 'start'
  | 'closed'
  | 'backoff'
  | 'retry'
  | 'update'
  | 'refresh'
  | 'half-open'
  | 'rotation'
  | 'restore'
  | 'online'
  | 'wake'
  | 'resume';

/**
 * Why it waits: `connect-failed` the attempt failed, `attempt-timeout` it took too long, `short-session` the session lived less than
 * `minUptime`, `unhealthy` it ended without a sign of health, `half-open` a probe found it dead, `retry-after` the failure asked for a
 * longer wait than the backoff's; `online`, `wake` and `resume` cut the wait short; `suspended` the next attempt is not begun
 * before `resume`.
 */
export type WaitReason =
  | 'connect-failed'
  | 'attempt-timeout'
  | 'short-session'
  | 'unhealthy'
  | 'half-open'
  | 'retry-after'
  | 'online'
  | 'wake'
  | 'resume'
  | 'suspended';

/** What `connect` is called with. */
export interface ConnectArgs<TInput> {
  /** The input the actor was created with, or the last `update` brought. */
  input: TInput;
  /** Aborts as soon as the attempt is no longer wanted: release what the attempt holds. Rule O3. */
  signal: AbortSignal;
  /** 1 for the first attempt of a retry window, then 2, 3, ... */
  attempt: number;
  /** Why the previous attempt failed or the previous session ended; undefined at first. */
  lastError: unknown;
  /** Why this attempt is made. */
  reason: AttemptReason;
}

/** How a link that looks open but is dead (half-open) is found. */
export interface Liveness<TSession> {
  /** The pause between two probes; more than 0. */
  every: Duration;
  /** How long a probe may take; more than 0. */
  within: Duration;
  /**
   * Asks the peer for a sign of life. Resolves once there is one; when it rejects or takes longer than `within`, the session is
   * closed and replaced. `signal` aborts when the answer is no longer wanted.
   */
  probe: (session: TSession, signal: AbortSignal) => unknown;
}

export interface ReconnectOptions<TSession, TInput> {
  /** Makes one session, or throws. */
  connect: (args: ConnectArgs<TInput>) => TSession | PromiseLike<TSession>;
  /** Settles when the session has ended, resolved or rejected alike. Default: the session's own `closed` promise. */
  closed?: (session: TSession) => PromiseLike<unknown>;
  /** Ends a session. Called exactly once for each session `connect` ever made (rule O1). Default: `session.close?.()`. */
  close?: (session: TSession, reason: CloseReason) => void | PromiseLike<void>;
  /** The retry policy, over `defaultBackoff`. */
  backoff?: Partial<Backoff>;
  /** Decides what a failure means: back off, give up, wait at least so long, try again at once. Default: always `retry`. */
  classify?: Classify;
  /**
   * A second gate, after `minUptime`, before a session resets the delay and the window: the event `healthy`, or a promise for each
   * session. A session that ends without it counts as a failed attempt, however long it lived. Default: no such gate.
   */
  healthy?: 'event' | ((session: TSession, signal: AbortSignal) => PromiseLike<unknown>);
  /** Finds half-open links. Default: none are looked for. */
  liveness?: Liveness<TSession>;
  /**
   * A session that gets this old is replaced by a new one, which is up before the old one closes; spread over the last tenth of
   * it, so that many clients do not come back at once. 0 lets sessions live. Default 0.
   */
  maxSessionAge?: Duration;
  /** Tells what happens around the connection, such as `browser()` or `node()`. Default: nothing is watched. */
  environment?: EnvironmentSource;
  /** Whether to connect without waiting for `start`. Default true. */
  autoStart?: boolean;
  /** Told of errors in user code that change nothing in the chart, such as a throwing `close` or listener (rule O4). Default: `console.error`. */
  onError?: (error: unknown, source: ErrorSource) => void;
}

/** One failure that is over. */
export interface HistoryEntry {
  /** When it happened, in ms since the epoch. */
  readonly time: number;
  /** Whether the attempt failed, or the session it had made ended. */
  readonly phase: 'connect' | 'session';
  readonly attempt: number;
  /** How long the session had lived, in ms; 0 in the phase `connect`. */
  readonly uptime: number;
  /** As text, so that no session and no socket is kept alive by it; undefined where there was no error. */
  readonly error: DescribedError | undefined;
}

export interface ReconnectContext<TSession, TInput> {
  /** What `connect` is called with. */
  input: TInput;
  /** The retry policy in force. */
  policy: BackoffPolicy;
  /** Milliseconds the next failure will wait, before jitter. */
  delay: number;
  /** When the current retry window began, in ms of the injected `now`. */
  retryStart: number;
  /** The attempt under way, or the last one made: 1-based, restarts with the window. 0 before the first. */
  attempt: number;
  /** Why the last attempt was made; undefined before the first. */
  reason: AttemptReason | undefined;
  /** The live session; undefined unless connected. Not enumerable: viewers, logs and JSON never see it. */
  readonly session: TSession | undefined;
  /** Why the last attempt failed or the last session ended; once failed, the give-up error. Not enumerable. */
  readonly error: unknown;
  /** When the wait ends, in ms of the injected `now`; only while backing off. */
  retryAt: number | undefined;
  /** Milliseconds of the wait under way or the last one, after jitter; 0 before the first. */
  wait: number;
  /** Why it waits; only while backing off. */
  waitReason: WaitReason | undefined;
  /** When the live session connected, in ms of the injected `now`; only while connected. */
  connectedAt: number | undefined;
  /** Whether the live session gave its sign of health; see the option `healthy`. */
  healthy: boolean;
  /** How many sessions there have been. */
  sessions: number;
  /** The last failures, oldest first; at most {@link HISTORY_LENGTH}. */
  history: readonly HistoryEntry[];
  /** Why it gave up; only once failed. */
  gaveUp: GaveUpReason | undefined;
  /** Whether the environment says that there is a network. It may be wrong, and blocks nothing. */
  online: boolean;
  /** Whether the environment asked for no new attempts. */
  suspended: boolean;
  /** Whether the last failure was answered with `retry-now`, which works once in a row. */
  refreshed: boolean;
  /** Whether the attempt under way passed through a macrotask before it dialed, so that no loop starves the process. */
  owesTurn: boolean;
  /** Ownership of {@link session}; shows as a word. */
  lease: Lease<TSession> | undefined;
  /** What {@link error} reads from; shows as name and message. */
  failure: Failure | undefined;
}

export type ReconnectEvent<TInput = unknown> =
  /** Connect, from `idle` or `failed`. */
  | { type: 'start' }
  /** Close the session or abandon the attempt, and rest in `idle`. */
  | { type: 'stop' }
  /**
   * Connect now. Backing off: skips the wait. Connected: replaces the session. Failed: a fresh window. Connecting: ignored, or with
   * `restart` the attempt is abandoned and made anew. Idle: ignored, as a stop is undone by `start` alone.
   */
  | { type: 'retry'; restart?: boolean }
  /** Take another input. One that equals the present one does nothing; else it connects anew with it, unless idle. */
  | { type: 'update'; input: TInput }
  /** The session gave its sign of health; see the option `healthy`. */
  | { type: 'healthy' }
  | EnvironmentEvent;

/** What the chart's own actors tell it. */
export type InternalEvent =
  /** A probe found the session dead. */
  | { type: 'dead'; failure: Failure }
  /** A persisted snapshot was restored. */
  | { type: 'restore'; state: ReconnectState };

/** The context without what is the app's own: what decisions are made from. */
export type Facts = Omit<ReconnectContext<unknown, unknown>, 'session' | 'lease' | 'input'>;

/** The states of the chart. */
export const reconnectStates = ['idle', 'connecting', 'connected', 'backingOff', 'failed'] as const;
export type ReconnectState = (typeof reconnectStates)[number];

/** What `actor.on(type, ...)` reports. */
export type ReconnectEmitted =
  | { type: 'connecting'; attempt: number; reason: AttemptReason }
  | { type: 'connected'; attempt: number }
  /** A younger session took the place of the live one; it was never disconnected. */
  | { type: 'rotated' }
  /** The session is gone. `error` is what its `closed` settled with; `uptime` is in ms. */
  | { type: 'disconnected'; error: unknown; uptime: number }
  /** Attempt `attempt` failed with `error`; the next one is in `delay` ms. Comes again when the environment cuts the wait short. */
  | { type: 'retrying'; delay: number; attempt: number; error: unknown; reason: WaitReason }
  /** Gave up; `error` is a `ReconnectGaveUpError`, such as `ReconnectTimeoutError`. */
  | { type: 'failed'; error: unknown }
  | { type: 'stopped' };
