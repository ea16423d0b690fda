/** What the events that move the chart mean: why an attempt is made, why it waits, why a session is closed, what failed. */
import { AttemptTimeoutError, Failure } from './failure';
import { type CloseReason, Lease } from './lease';
import type { AttemptReason, Facts, InternalEvent, ReconnectEvent, WaitReason } from './vocabulary';

/** Any event: the public ones, those of the chart's own actors, and XState's of actors that are done or failed. */
export type AnyChartEvent = { readonly type: string };

export type ChartEvent<TInput> = ReconnectEvent<TInput> | InternalEvent;

/** The failure that an event brings; undefined if it brings none. */
export function failureIn(event: AnyChartEvent): Failure | undefined {
  const { type, error, output, failure } = event as AnyChartEvent & {
    error?: unknown;
    output?: unknown;
    failure?: Failure;
  };
  if (type === 'dead') return failure;
  if (type.startsWith('xstate.error.actor.')) return Failure.from(error);
  return type.startsWith('xstate.done.actor.') ? Failure.from(output) : undefined;
}

/** How long the failure in `event` asks to wait, in ms; undefined if it asks for nothing. */
export function retryAfterIn(event: AnyChartEvent): number | undefined {
  return failureIn(event)?.retryAfter;
}

/** When the time of an attempt was to be up, in ms, if `event` says that it is; else undefined. */
export function limitEnd(event: AnyChartEvent): number | undefined {
  const { error, dialedAt = 0 } = failureIn(event) ?? {};
  return isTimeUp(event) && error instanceof AttemptTimeoutError ? dialedAt + error.timeout : undefined;
}

/** When the retry window began. An actor may be started long after it was created, which is when its first window was opened. */
export function windowStart(event: AnyChartEvent, { attempt, retryStart }: Facts): number {
  return attempt === 1 ? Math.max(retryStart, dialedAt(event) ?? retryStart) : retryStart;
}

function dialedAt(event: AnyChartEvent): number | undefined {
  const { output } = event as AnyChartEvent & { output?: unknown };
  return output instanceof Lease ? output.dialedAt : failureIn(event)?.dialedAt;
}

/** What failed: the attempt, or the session it had made. */
export function phaseOf({ type }: AnyChartEvent): 'connect' | 'session' {
  return isSessionEnd(type) || type === 'dead' ? 'session' : 'connect';
}

export function isRotation({ type }: AnyChartEvent): boolean {
  return type === 'xstate.done.actor.rotation';
}

/** Why `event` makes the chart connect. */
export function attemptReason(event: AnyChartEvent, context: Facts): AttemptReason {
  switch (event.type) {
    case 'start':
    case 'retry':
    case 'update':
    case 'restore':
      return event.type;
    case 'dead':
      return 'half-open';
  }
  if (isCut(context.waitReason)) return context.waitReason;
  if (isWaitEnd(event)) return 'backoff';
  if (context.refreshed) return 'refresh';
  return 'closed';
}

/**
 * Whether an attempt that `event` asks for must first pass through a macrotask. All but the first one, one after a wait, and a
 * retry that somebody asks for: but a retry that answers another retry's failure must, as a listener may ask each time.
 */
export function owesTurn(event: AnyChartEvent, context: Facts): boolean {
  if (context.reason === undefined || isWaitEnd(event)) return false;
  return event.type !== 'retry' || context.reason === 'retry';
}

/** Why the chart waits after `event`. `stable` is whether the session that ended had lived long enough. */
export function waitReason(event: AnyChartEvent, stable: boolean): WaitReason {
  if (event.type === 'dead') return 'half-open';
  if (isTimeUp(event)) return 'attempt-timeout';
  if (!isSessionEnd(event.type)) return 'connect-failed';
  return stable ? 'unhealthy' : 'short-session';
}

/** Whether `event` ends a time in which nothing could be tried: the process slept, was suspended, or had no network. */
export function endsAbsence({ type }: AnyChartEvent, { online, suspended }: Facts): boolean {
  return type === 'wake' || (type === 'online' && !online) || (type === 'resume' && suspended);
}

/** Why `event` closes the live session. */
export function closeReason(event: AnyChartEvent): CloseReason {
  switch (event.type) {
    case 'stop':
      return 'stopped';
    case 'retry':
    case 'update':
      return 'replaced';
    case 'dead':
      return 'half-open';
    default:
      return isRotation(event) ? 'rotated' : 'ended';
  }
}

function isSessionEnd(type: string): boolean {
  return type === 'xstate.done.actor.closed' || type === 'xstate.error.actor.closed';
}

/** Whether the time of an attempt is up. */
function isTimeUp({ type }: AnyChartEvent): boolean {
  return type === 'xstate.done.actor.limit';
}

/** Whether a wait is over. */
export function isWaitEnd({ type }: AnyChartEvent): boolean {
  return type === 'xstate.done.actor.wait' || type === 'xstate.error.actor.wait';
}

/** Whether it names an event of the environment that cuts a wait short. */
export function isCut(word: string | undefined): word is 'online' | 'wake' | 'resume' {
  return word === 'online' || word === 'wake' || word === 'resume';
}
