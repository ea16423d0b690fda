/** The app's own sign that a session works: a gate before the backoff resets. */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { Report } from './lease';
import type { SessionInput } from './ownership';
import type { ReconnectOptions } from './vocabulary';

/** The actor `health`: resolves when the session has given its sign. One that never comes is no end of the session. */
export function createHealthLogic<TSession, TInput>(
  healthy: ReconnectOptions<TSession, TInput>['healthy'],
  report: Report,
): PromiseActorLogic<void, SessionInput<TSession>> {
  return fromPromise<void, SessionInput<TSession>>(async ({ input, signal }) => {
    try {
      if (typeof healthy === 'function') await healthy(input.lease.session, signal);
    } catch (error) {
      if (!signal.aborted) report(error, 'healthy');
      await new Promise(() => {});
    }
  });
}
