/** One look at a connection that answers what support asks: where it is, since when, why, and what comes next. */
import { windowEnd } from './backoff';
import type { DescribedError, GaveUpReason } from './failure';
import type { AttemptReason, HistoryEntry, ReconnectContext, ReconnectState, WaitReason } from './vocabulary';

/** A snapshot of a reconnect machine, as far as it is looked at here. */
export interface ReconnectSnapshot {
  readonly value: ReconnectState;
  readonly context: Omit<ReconnectContext<unknown, unknown>, 'lease' | 'session'>;
}

/** Milliseconds until the next attempt, never below 0; undefined when none is scheduled. */
export function selectCountdown(
  { context: { retryAt, waitReason } }: ReconnectSnapshot,
  now: number,
): number | undefined {
  return retryAt === undefined || waitReason === 'suspended' ? undefined : Math.max(0, retryAt - now);
}

/** Milliseconds the live session has lived; undefined unless connected. */
export function selectUptime({ context: { connectedAt } }: ReconnectSnapshot, now: number): number | undefined {
  return connectedAt === undefined ? undefined : now - connectedAt;
}

/**
 * Milliseconds left of the retry window, never below 0; Infinity when it never ends. Undefined when it does not run: unless
 * connecting or backing off, while suspended and while there is no network.
 */
export function selectWindowLeft({ value, context }: ReconnectSnapshot, now: number): number | undefined {
  if ((value !== 'connecting' && value !== 'backingOff') || !context.online || context.suspended) return undefined;
  return Math.max(0, windowEnd(context.policy, context.retryStart) - now);
}

/** What {@link selectSummary} tells. Survives JSON, but for an Infinity, which JSON makes null. */
export interface ConnectionSummary {
  readonly state: ReconnectState;
  /** The attempt under way or the last one made. */
  readonly attempt: number;
  /** Why that attempt was made. */
  readonly reason: AttemptReason | undefined;
  /** Milliseconds until the next attempt; undefined when none is scheduled. */
  readonly retryIn: number | undefined;
  /** Why it waits; undefined unless backing off. */
  readonly waitingFor: WaitReason | undefined;
  /** The last failure; once failed, the give-up error. */
  readonly lastError: DescribedError | undefined;
  /** The last failures, oldest first. */
  readonly history: readonly HistoryEntry[];
  /** Milliseconds the live session has lived; undefined unless connected. */
  readonly uptime: number | undefined;
  /** How many sessions there have been. */
  readonly sessions: number;
  /** Milliseconds left of the retry window; undefined when it does not run. */
  readonly windowLeft: number | undefined;
  /** Why it gave up; undefined unless failed. */
  readonly gaveUp: GaveUpReason | undefined;
  /** Whether the environment says that there is a network. */
  readonly online: boolean;
  /** Whether the environment asked for no new attempts. */
  readonly suspended: boolean;
}

/** All that is worth knowing of `snapshot` at `now`, in ms of the machine's own `now`. */
export function selectSummary(snapshot: ReconnectSnapshot, now: number): ConnectionSummary {
  const { attempt, reason, waitReason, failure, history, sessions, gaveUp, online, suspended } = snapshot.context;
  return {
    state: snapshot.value,
    attempt,
    reason,
    retryIn: selectCountdown(snapshot, now),
    waitingFor: waitReason,
    lastError: failure?.toJSON(),
    history,
    uptime: selectUptime(snapshot, now),
    sessions,
    windowLeft: selectWindowLeft(snapshot, now),
    gaveUp,
    online,
    suspended,
  };
}
