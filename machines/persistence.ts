/**
 * A connection saved as JSON and restored in another process: no sessions, no functions, and times that mean the same there.
 * Restoring begins the chart anew with what was saved, so that every actor and every timer is started the ordinary way.
 */
import type { AnyMachineSnapshot, AnyStateMachine, Snapshot } from 'xstate';
import type { BackoffPolicy } from './backoff';
import { extendMachine } from './extension';
import { type DescribedError, Failure, giveUpError } from './failure';
import { type ReconnectContext, type ReconnectState, reconnectStates } from './vocabulary';
import type { World } from './world';

type Context = ReconnectContext<unknown, unknown>;

/** What a snapshot of ours is saved as. */
interface Saved {
  status: string;
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
    super(`${field}: expected ${expected}, got ${JSON.stringify(value)}`);
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
  const { failure, ...rest } = context;
  const now = world.now();
  // The wall clock may have been set back meanwhile, which takes no time away.
  const away = saved === undefined ? 0 : Math.max(0, world.wallNow() - saved.wall);
  const savedAt = saved?.now ?? now;
  const retryAt = rest.retryAt === undefined ? undefined : rest.retryAt - savedAt - away + now;
  // The window does not run while nobody tries.
  const retryStart = rest.retryStart - savedAt + now;
  const fresh = { connectedAt: undefined, healthy: false, online: true, suspended: false, lease: undefined };
  const restored = { ...rest, ...fresh, policy, retryAt, retryStart, failure: revive(context, policy) };
  // An attempt that was under way is made again; a session that was live is gone, through no fault of its server.
  if (value === 'connecting') restored.attempt -= 1;
  if (value === 'connected') Object.assign(restored, { delay: policy.initial, retryStart: now, attempt: 0 });
  // A connection that was stopped for good stays stopped.
  return new Restored(status === 'active' ? value : 'idle', restored as unknown as Context);
}

/** The failure that was saved as text. */
function revive({ failure, gaveUp, attempt, history }: Saved['context'], policy: BackoffPolicy): Failure | undefined {
  if (failure === undefined) return undefined;
  if (gaveUp === undefined) return new Failure(toError(failure));
  const last = history.at(-1)?.error;
  return new Failure(
    giveUpError(gaveUp, { timeout: policy.timeout, attempts: attempt, lastError: last && toError(last) }),
  );
}

function toError({ name, message }: DescribedError): Error {
  return Object.assign(new Error(message), name !== undefined && { name });
}

const NUMBERS = ['delay', 'retryStart', 'attempt', 'wait', 'sessions'] as const;

function check(snapshot: unknown): Pick<Saved, 'status' | 'value' | 'context'> & Partial<Pick<Saved, 'saved'>> {
  const saved = snapshot as Saved | null | undefined;
  const refuse = (field: string, value: unknown, expected: string): never => {
    throw new InvalidSnapshotError(`snapshot${field}`, value, expected);
  };
  if (typeof saved !== 'object' || saved === null) return refuse('', saved, 'a persisted snapshot of this machine');
  const { value, context } = saved;
  if (!reconnectStates.includes(value)) refuse('.value', value, `one of ${reconnectStates.join(', ')}`);
  if (typeof context !== 'object' || context === null) refuse('.context', context, 'an object');
  for (const field of NUMBERS) {
    if (!Number.isFinite(context[field])) refuse(`.context.${field}`, context[field], 'a finite number');
  }
  if (value === 'backingOff' && !Number.isFinite(context.retryAt)) {
    refuse('.context.retryAt', context.retryAt, 'a finite number while backing off');
  }
  if (!Array.isArray(context.history)) refuse('.context.history', context.history, 'an array');
  return saved;
}
