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
export type { Classify, FailureFacts, Verdict } from '../machines/classification';
export { type Duration, InvalidDurationError } from '../machines/duration';
export type { EnvironmentEvent, EnvironmentSource } from '../machines/environment';
export {
  AttemptTimeoutError,
  type DescribedError,
  Failure,
  type FailureDetails,
  type GaveUpReason,
  HalfOpenError,
  NotConnectedError,
  ReconnectAttemptsError,
  ReconnectFatalError,
  ReconnectGaveUpError,
  ReconnectStoppedError,
  ReconnectTimeoutError,
} from '../machines/failure';
export { type CloseReason, type ErrorSource, Lease } from '../machines/lease';
export type { LimitInput } from '../machines/limit';
export {
  createNoticeMachine,
  type Notice,
  type NoticeActor,
  type NoticeMachine,
  type NoticeOptions,
  noticeOf,
} from '../machines/notice';
export type { ConnectInput, SessionInput } from '../machines/ownership';
export { InvalidSnapshotError } from '../machines/persistence';
export type { RotationInput } from '../machines/rotation';
export type { WaitInput } from '../machines/sleep';
export {
  type ConnectionSummary,
  type ReconnectSnapshot,
  selectCountdown,
  selectSummary,
  selectUptime,
  selectWindowLeft,
} from '../machines/summary';
export type {
  AttemptReason,
  ConnectArgs,
  HistoryEntry,
  Liveness,
  ReconnectContext,
  ReconnectEmitted,
  ReconnectEvent,
  ReconnectOptions,
  ReconnectState,
  WaitReason,
} from '../machines/vocabulary';
export { createClock, type ReconnectClock } from './clock';
export { type ReconnectHandleOptions, type Reconnection, reconnect } from './handle';
export { createReconnectMachine, type ReconnectMachine, type ReconnectMachineOptions } from './machine';
export type { Status } from './status';
