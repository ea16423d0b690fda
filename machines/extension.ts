/** Gives a machine methods of ours, and keeps them on whatever `provide` makes of it. */
import type { AnyStateMachine } from 'xstate';

type Methods = Pick<AnyStateMachine, 'transition' | 'getInitialSnapshot' | 'getPersistedSnapshot' | 'restoreSnapshot'>;

/** Replaces those methods of `machine` that `make` returns; it is given the ones there were. */
export function extendMachine<TMachine extends AnyStateMachine>(
  machine: TMachine,
  make: (original: Methods) => Partial<Methods>,
): TMachine {
  const { transition, getInitialSnapshot, getPersistedSnapshot, restoreSnapshot, provide } = machine;
  const methods: Partial<AnyStateMachine> = {
    ...make({ transition, getInitialSnapshot, getPersistedSnapshot, restoreSnapshot }),
    provide: (implementations) => extendMachine(provide.call(machine, implementations), make),
  };
  return Object.assign(machine, methods);
}
