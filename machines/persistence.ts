/**
 * A connection saved as JSON and restored in another process: no sessions, no functions, and times that mean the same there.
 * Restoring begins the chart anew with what was saved, so that every actor and every timer is started the ordinary way.
 */
import type { AnyMachineSnapshot, AnyStateMachine, Snapshot } from 'xstate';
import { type BackoffPolicy, cutToWindow, print } from './backoff';
import { extendMachine } from './extension';
import { type DescribedError, Failure, gaveUpReasons, giveUpError } from './failure';
import { type ReconnectContext, type ReconnectState, reconnectStates } from './vocabulary';
import type { World } from './world';

type Context = ReconnectContext<unknown, unknown>;

const statuses = ['active', 'done', 'error', 'stopped'] as const;

/** What a snapshot of ours is saved as. */
interface Saved {
  status: (typeof statuses)[number];
  value: ReconnectState;
  context: Omit<Context, 'session' | 'error' | 'lease' | 'failure' | 'policy'> & { failure?: DescribedError };
  /** When it was saved: in ms of that process's monotonic clock, and since the epoch. */
  saved: { now: number; wall: number };
}

/** The input of a machine that is to go on from a saved snapshot. */
export class Restored {
  constructor(
    readonly state: ReconnectState,
    readonly context: Context,
  ) {}
}

/** A snapshot that is none of ours. The message names the field, the value and what was expected. */
export class InvalidSnapshotError extends Error {
  override readonly name = 'InvalidSnapshotError';

  constructor(
    /** The field's path, such as `snapshot.context.delay`. */
    readonly field: string,
    readonly value: unknown,
    readonly expected: string,
  ) {
    super(`${field}: expected ${expected}, got ${print(value)}`);
  }
}

/** Makes `machine` save snapshots that survive JSON, and go on from them. */
export function persistConnections<TMachine extends AnyStateMachine>(
  machine: TMachine,
  world: World,
  policy: BackoffPolicy,
): TMachine {
  return extendMachine(machine, ({ getInitialSnapshot }) => ({
    getPersistedSnapshot: (snapshot) => save(snapshot as AnyMachineSnapshot, world) as unknown as Snapshot<unknown>,
    restoreSnapshot: (snapshot, scope) => getInitialSnapshot(scope as never, restore(snapshot, world, policy) as never),
  }));
}

function save({ status, value, context }: AnyMachineSnapshot, { now, wallNow }: World): Saved {
  const { lease, failure, policy, ...rest } = context as Context;
  const shown = failure?.toJSON();
  return {
    status,
    value: value as ReconnectState,
    context: { ...rest, ...(shown && { failure: shown }) },
    saved: { now: now(), wall: wallNow() },
  };
}

function restore(snapshot: unknown, world: World, policy: BackoffPolicy): Restored {
  const { status, value, context, saved } = check(snapshot);
  // A connection that was stopped for good stays stopped.
  const state = status === 'active' ? value : 'idle';
  const now = world.now();
  const restored = {
    ...context,
    policy,
    failure: revive(context, policy),
    // The window does not run while nobody tries, nor did it while nobody could.
    retryStart: context.online && !context.suspended ? context.retryStart - saved.now + now : now,
    ...{ connectedAt: undefined, healthy: false, online: true, suspended: false, lease: undefined },
  };
  if (state === 'backingOff') {
    // The wall clock may have been set back meanwhile, which takes no time away.
    const away = Math.max(0, world.wallNow() - saved.wall);
    const left = Math.max(0, (context.retryAt ?? 0) - saved.now - away);
    const retryAt = cutToWindow(policy, restored.retryStart, now + left);
    Object.assign(restored, { wait: Math.max(0, retryAt - now), retryAt });
  } else Object.assign(restored, { retryAt: undefined, waitReason: undefined });
  // An attempt that was under way is made again; a session that was live is gone, through no fault of its server.
  if (state === 'connecting') restored.attempt -= 1;
  if (state === 'connected') Object.assign(restored, { delay: policy.initial, retryStart: now, attempt: 0 });
  return new Restored(state, restored as unknown as Context);
}

/** The failure that was saved as text. */
function revive({ failure, gaveUp, attempt, history }: Saved['context'], policy: BackoffPolicy): Failure | undefined {
  if (gaveUp === undefined) return failure && new Failure(toError(failure));
  const last = history.at(-1)?.error;
  return new Failure(
    giveUpError(gaveUp, { timeout: policy.timeout, attempts: attempt, lastError: last && toError(last) }),
  );
}

function toError({ name, message }: DescribedError): Error {
  return Object.assign(new Error(message), name !== undefined && { name });
}

/**
 * Checks what decides how it goes on; what is only shown is taken as it is.
 *
 * @throws {InvalidSnapshotError} naming the field.
 */
function check(snapshot: unknown): Saved {
  const demand = (isMet: boolean, field: string, value: unknown, expected: string): void => {
    if (!isMet) throw new InvalidSnapshotError(`snapshot${field}`, value, expected);
  };
  const demandObject = (field: string, value: unknown): void =>
    demand(typeof value === 'object' && value !== null, field, value, 'an object');
  const demandNumber = (field: string, value: number, least = Number.NEGATIVE_INFINITY): void =>
    demand(
      Number.isFinite(value) && value >= least,
      field,
      value,
      `a finite number${least === 0 ? ', 0 or more' : ''}`,
    );
  const demandOneOf = (choices: readonly unknown[], field: string, value: unknown): void =>
    demand(choices.includes(value), field, value, `one of ${choices.join(', ')}`);

  demandObject('', snapshot);
  const { status, value, saved, context } = snapshot as Saved;
  demandOneOf(statuses, '.status', status);
  demandOneOf(reconnectStates, '.value', value);
  demandObject('.saved', saved);
  demandNumber('.saved.now', saved.now);
  demandNumber('.saved.wall', saved.wall);
  demandObject('.context', context);
  for (const field of ['delay', 'attempt', 'wait', 'sessions'] as const) {
    demandNumber(`.context.${field}`, context[field], 0);
  }
  demandNumber('.context.retryStart', context.retryStart);
  if (value === 'backingOff') demandNumber('.context.retryAt', context.retryAt as number);
  if (value === 'failed') demandOneOf(gaveUpReasons, '.context.gaveUp', context.gaveUp);
  if (context.failure !== undefined) demandObject('.context.failure', context.failure);
  demand(Array.isArray(context.history), '.context.history', context.history, 'an array');
  for (const [i, entry] of context.history.entries()) demandObject(`.context.history[${i}]`, entry);
  return snapshot as Saved;
}
