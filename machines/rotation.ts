/** Planned rotation: a session that gets old is replaced by a new one, which is up before the old one closes. */
import { type AnyActorRef, fromPromise, type PromiseActorLogic } from 'xstate';
import { attemptTimeoutOf, type BackoffPolicy, drawWait, growDelay } from './backoff';
import { AttemptTimeoutError } from './failure';
import type { Lease, Report } from './lease';
import { dial, type Owner } from './ownership';
import { sleep } from './sleep';
import type { ConnectArgs } from './vocabulary';

/** How much of a session's age is drawn at random, so that many clients do not come back at once. */
const SPREAD = 0.1;

/** What the actor `rotation` is invoked with. */
export interface RotationInput<TInput> {
  input: TInput;
}

/** What the actor `rotation` needs beside its input. */
export interface RotationWorld<TSession, TInput> {
  maxAge: number;
  policy: BackoffPolicy;
  owner: Owner<TSession, TInput>;
  random: () => number;
  report: Report;
}

/**
 * The actor `rotation`: once the session is old, connects beside it, and resolves with the new session's {@link Lease}. This is
 * the one exception to "one live session" (O1): two are live until the chart has taken the new one. An attempt that fails
 * is reported and made again after a wait of the backoff; the old session stays meanwhile.
 */
export function createRotationLogic<TSession, TInput>(
  world: RotationWorld<TSession, TInput>,
): PromiseActorLogic<Lease<TSession>, RotationInput<TInput>> {
  const { maxAge, policy, random } = world;
  return fromPromise<Lease<TSession>, RotationInput<TInput>>(async ({ input: { input }, self, signal }) => {
    await sleep(self, maxAge * (1 - SPREAD * random()), signal);
    let lastError: unknown;
    let delay = policy.initial;
    for (let attempt = 1; ; attempt += 1) {
      const args = { input, attempt, lastError, reason: 'rotation' as const, signal };
      try {
        return await dialWithin(world.owner, args, attemptTimeoutOf(policy), self);
      } catch (error) {
        world.report(error, 'rotation');
        lastError = error;
      }
      const wait = drawWait(policy, delay, random());
      await sleep(self, wait, signal);
      delay = growDelay(policy, delay, wait);
    }
  });
}

/** One call of `connect` that is aborted, and rejects, when it takes longer than `ms`. */
async function dialWithin<TSession, TInput>(
  owner: Owner<TSession, TInput>,
  args: ConnectArgs<TInput>,
  ms: number,
  self: AnyActorRef,
): Promise<Lease<TSession>> {
  const attempt = new AbortController();
  const timer = new AbortController();
  const abort = (): void => {
    attempt.abort();
    timer.abort();
  };
  args.signal.addEventListener('abort', abort, { once: true });
  if (args.signal.aborted) abort();
  const expired = sleep(self, ms, timer.signal).then((): never => {
    throw new AttemptTimeoutError(ms);
  });
  try {
    // Until the chart has taken the session over, an abort of the actor still reaches the attempt, and closes it (O2).
    const lease = await Promise.race([dial(owner, { ...args, signal: attempt.signal }), expired]);
    timer.abort();
    return lease;
  } catch (error) {
    args.signal.removeEventListener('abort', abort);
    abort();
    throw error;
  }
}
