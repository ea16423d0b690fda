/** Keep a session alive: the statechart, and a handle for those who do not use XState. */
export {
  type Backoff,
  type BackoffPolicy,
  type Deadline,
  defaultBackoff,
  InvalidBackoffError,
  type Jitter,
  originBackoff,
  resilientBackoff,
} from '../machines/backoff';
export { type Duration, InvalidDurationError } from '../machines/duration';
export {
  AttemptTimeoutError,
  type DescribedError,
  Failure,
  type GaveUpReason,
  HalfOpenError,
  ReconnectAttemptsError,
  ReconnectFatalError,
  ReconnectGaveUpError,
  ReconnectStoppedError,
  ReconnectTimeoutError,
} from '../machines/failure';
export { type CloseReason, type ErrorSource, Lease } from '../machines/lease';
export type { ConnectInput } from '../machines/ownership';
export type { WaitInput } from '../machines/sleep';
export type {
  ConnectArgs,
  ReconnectContext,
  ReconnectEmitted,
  ReconnectEvent,
  ReconnectOptions,
} from '../machines/vocabulary';
export { type ReconnectClock, type ReconnectHandleOptions, type Reconnection, reconnect } from './handle';
export { createReconnectMachine, type ReconnectMachine, type ReconnectMachineOptions } from './machine';
export type { Status } from './status';
