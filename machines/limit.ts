/** How long one attempt may take: its own timeout, or what is left of a strict deadline. */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import { AttemptTimeoutError, type Failure } from './failure';
import type { Owner } from './ownership';
import { sleep } from './sleep';

/** What the actor `limit` is invoked with. */
export interface LimitInput {
  /** How long the attempt may take, in ms; Infinity sets no limit. */
  ms: number;
  attempt: number;
}

/**
 * The actor `limit`: resolves with a {@link Failure} when the time of an attempt is up. A length and not a moment, because an
 * actor may be started long after it was created.
 */
export function createLimitLogic<TSession, TInput>(
  owner: Owner<TSession, TInput>,
  now: () => number,
): PromiseActorLogic<Failure, LimitInput> {
  return fromPromise<Failure, LimitInput>(async ({ input: { ms, attempt }, self, signal }) => {
    const dialedAt = now();
    await sleep(self, ms, signal);
    return owner.fail({ error: new AttemptTimeoutError(ms), attempt, phase: 'connect', uptime: 0 }, dialedAt);
  });
}
