/**
 * Keeps raw sessions and raw errors out of what can be walked or serialised. Viewers and `getPersistedSnapshot` walk every
 * enumerable property of a context, and a session may be cyclic, have throwing getters or be a Proxy. So the context holds a
 * lease and a failure, which show as a word, and `session` and `error` are read through accessors nobody enumerates.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { extendMachine } from './extension';
import type { Failure } from './failure';
import type { Lease } from './lease';

interface Holder {
  lease?: Lease<unknown>;
  failure?: Failure;
}

function addAccessors<TSnapshot extends AnyMachineSnapshot>(snapshot: TSnapshot): TSnapshot {
  const context = snapshot.context as Holder;
  if (!Object.hasOwn(context, 'session')) {
    Object.defineProperties(context, {
      session: { get: () => context.lease?.session },
      error: { get: () => context.failure?.error },
    });
  }
  return snapshot;
}

/** Gives every snapshot of `machine` the accessors `session` and `error`. */
export function concealSessions<TMachine extends AnyStateMachine>(machine: TMachine): TMachine {
  // `assign` copies the context by its enumerable properties, so the accessors are added anew to what comes out.
  return extendMachine(machine, ({ transition, getInitialSnapshot, restoreSnapshot }) => ({
    transition: (...args) => addAccessors(transition(...args)),
    getInitialSnapshot: (...args) => addAccessors(getInitialSnapshot(...args)),
    restoreSnapshot: (...args) => addAccessors(restoreSnapshot(...args)),
  }));
}
