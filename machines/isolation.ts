/** Keeps a listener that throws from taking the process with it: XState rethrows it as an uncaught exception. Rule O4. */
import type { AnyActor, AnyActorScope, AnyStateMachine, Observer } from 'xstate';
import { extendMachine } from './extension';
import type { Report } from './lease';

/** The methods of an XState observer. */
type Listeners = { [Name in keyof Observer<unknown>]: Observer<unknown>[Name] | undefined };

/** An observer's methods may be those of a class. */
function bound(observer: Observer<unknown>): Listeners {
  return {
    next: observer.next?.bind(observer),
    error: observer.error?.bind(observer),
    complete: observer.complete?.bind(observer),
  };
}

/** Makes every actor of `machine` report a throwing listener and carry on. */
export function isolateListeners<TMachine extends AnyStateMachine>(machine: TMachine, report: Report): TMachine {
  const isolate = <TArgs extends unknown[]>(listener: (...args: TArgs) => void) => {
    return (...args: TArgs): void => {
      try {
        listener(...args);
      } catch (error) {
        report(error, 'listener');
      }
    };
  };

  const isolateObserver = ({ next, error, complete }: Listeners): Observer<unknown> => ({
    ...(next && { next: isolate(next) }),
    ...(error && { error: isolate(error) }),
    ...(complete && { complete: isolate(complete) }),
  });

  // A snapshot is made before anybody can listen, so that is the moment to take the two doors over.
  const guard = ({ self }: AnyActorScope): void => {
    const actor = self as unknown as AnyActor;
    const on = actor.on.bind(actor);
    const subscribe = actor.subscribe.bind(actor) as (observer: Observer<unknown>) => ReturnType<AnyActor['subscribe']>;
    actor.on = (type, handler) => on(type, isolate(handler));
    actor.subscribe = (
      listener?: Listeners['next'] | Observer<unknown>,
      error?: Listeners['error'],
      complete?: Listeners['complete'],
    ) =>
      subscribe(isolateObserver(typeof listener === 'object' ? bound(listener) : { next: listener, error, complete }));
  };

  return extendMachine(machine, ({ getInitialSnapshot, restoreSnapshot }) => ({
    getInitialSnapshot(scope, input) {
      guard(scope);
      return getInitialSnapshot(scope, input);
    },
    restoreSnapshot(snapshot, scope) {
      guard(scope);
      return restoreSnapshot(snapshot, scope);
    },
  }));
}
