/** The words the chart and its users share: options, context, events. */
import type { Backoff } from './backoff';
import type { Failure } from './failure';
import type { CloseReason, ErrorSource, Lease } from './lease';

/** What `connect` is called with. */
export interface ConnectArgs<TInput> {
  /** The input the actor was created with. */
  input: TInput;
  /** Aborts as soon as the attempt is no longer wanted: release what the attempt holds. Rule O3. */
  signal: AbortSignal;
  /** 1 for the first attempt of a retry window, then 2, 3, ... */
  attempt: number;
  /** Why the previous attempt failed or the previous session ended; undefined at first. */
  lastError: unknown;
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
  /** Whether to connect without waiting for `start`. Default true. */
  autoStart?: boolean;
  /** Told of errors in user code that change nothing in the chart, such as a throwing `close` or listener (rule O4). Default: `console.error`. */
  onError?: (error: unknown, source: ErrorSource) => void;
}

export interface ReconnectContext<TSession, TInput> {
  /** What `connect` is called with. */
  input: TInput;
  /** Milliseconds the next failure will wait. */
  delay: number;
  /** When the current retry window began, in ms of the injected `now`. */
  retryStart: number;
  /** The attempt under way, or the last one made: 1-based, restarts with the window. 0 before the first. */
  attempt: number;
  /** The live session; undefined unless connected. Not enumerable: viewers, logs and JSON never see it. */
  readonly session: TSession | undefined;
  /** Why the last attempt failed or the last session ended; once failed, the give-up error. Not enumerable. */
  readonly error: unknown;
  /** When the wait ends, in ms of the injected `now`; only while backing off. */
  retryAt: number | undefined;
  /** When the live session connected, in ms of the injected `now`; only while connected. */
  connectedAt: number | undefined;
  /** Ownership of {@link session}; shows as a word. */
  lease: Lease<TSession> | undefined;
  /** What {@link error} reads from; shows as name and message. */
  failure: Failure | undefined;
}

export type ReconnectEvent =
  /** Connect, from `idle` or `failed`. */
  | { type: 'start' }
  /** Close the session or abandon the attempt, and rest in `idle`. */
  | { type: 'stop' }
  /** Connect now: skip the wait, or try again after giving up. */
  | { type: 'retry' };

/** What `actor.on(type, ...)` reports. */
export type ReconnectEmitted =
  | { type: 'connecting'; attempt: number }
  | { type: 'connected'; attempt: number }
  /** The session is gone. `error` is what its `closed` settled with; `uptime` is in ms. */
  | { type: 'disconnected'; error: unknown; uptime: number }
  /** Attempt `attempt` failed with `error`; the next one is in `delay` ms. */
  | { type: 'retrying'; delay: number; attempt: number; error: unknown }
  /** Gave up; `error` is a `ReconnectTimeoutError`. */
  | { type: 'failed'; error: unknown }
  | { type: 'stopped' };
