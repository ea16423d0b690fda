/** Finds sessions that look open and are dead (half-open): asks for a sign of life, and again after every sign that time was lost. */
import { fromCallback } from 'xstate';
import { InvalidBackoffError, resolveDuration } from './backoff';
import { debugDuration } from './duration';
import { HalfOpenError } from './failure';
import type { Owner, SessionInput } from './ownership';
import { sleep } from './sleep';
import type { InternalEvent, Liveness } from './vocabulary';

/** A timer that is late by more than this, in ms, was not late because of a busy process: the machine slept. */
export const OVERSLEPT_MS = 5_000;

/** Tells the actor `liveness` to probe now. */
export interface ProbeEvent {
  type: 'probe';
}

interface CheckedLiveness<TSession> {
  every: number;
  within: number;
  probe: Liveness<TSession>['probe'];
}

/**
 * Validates the option `liveness`.
 *
 * @throws {InvalidBackoffError} naming the field, unless both durations are above 0.
 */
export function resolveLiveness<TSession>(liveness: Liveness<TSession>): CheckedLiveness<TSession> {
  const positive = (field: 'every' | 'within'): number => {
    const ms = resolveDuration(`liveness.${field}`, liveness[field]);
    if (ms > 0) return ms;
    throw new InvalidBackoffError(`liveness.${field}`, liveness[field], 'a duration above 0');
  };
  return { every: positive('every'), within: positive('within'), probe: liveness.probe };
}

/** How a probe ended: the session answered, did not, or nobody can tell, because time was lost or another probe is wanted. */
type Finding = 'alive' | 'unknown' | HalfOpenError;

/** The actor `liveness`: tells the chart with `dead` when the session is half-open. Takes {@link ProbeEvent}. */
export function createLivenessLogic<TSession, TInput>(
  liveness: CheckedLiveness<TSession> | undefined,
  owner: Owner<TSession, TInput>,
  now: () => number,
) {
  return fromCallback<ProbeEvent, SessionInput<TSession>>(({ input: { lease, attempt }, self, sendBack, receive }) => {
    if (liveness === undefined) return;
    const { every, within, probe } = liveness;
    const life = new AbortController();
    const since = now();
    let lastSignOfLife = since;
    let interrupt = (): void => {};
    receive(() => interrupt());

    /** Runs `wait` under a signal of its own, which ends with it, with the actor, or, if `patient`, when somebody asks for a probe. */
    async function interruptible<T>(
      patient: boolean,
      wait: (signal: AbortSignal) => Promise<T>,
    ): Promise<T | 'unknown'> {
      const controller = new AbortController();
      const end = (): void => controller.abort();
      life.signal.addEventListener('abort', end, { once: true });
      const interrupted = new Promise<'unknown'>((resolve) => {
        interrupt = () => {
          if (patient) resolve('unknown');
        };
      });
      try {
        return await Promise.race([wait(controller.signal), interrupted]);
      } finally {
        life.signal.removeEventListener('abort', end);
        controller.abort();
      }
    }

    /**
     * `patient` does not take a late timer for an answer: the peer's may be waiting to be read. Only the first of several probes
     * in a row is, or a network that comes and goes would put the verdict off for ever.
     */
    const ask = (patient: boolean): Promise<Finding> =>
      interruptible(patient, async (signal) => {
        const askedAt = now();
        const silence = sleep(self, within, signal).then((): Finding => {
          if (patient && now() - askedAt - within > OVERSLEPT_MS) return 'unknown';
          return new HalfOpenError(`no answer to a probe within ${debugDuration(within)}`);
        });
        const answer = new Promise((resolve) => resolve(probe(lease.session, signal))).then(
          (): Finding => 'alive',
          (cause: unknown): Finding => new HalfOpenError('a probe failed', { cause }),
        );
        return Promise.race([answer, silence]);
      });

    async function watch(): Promise<void> {
      while (!life.signal.aborted) {
        await interruptible(true, (signal) => sleep(self, every, signal));
        let finding: Finding = 'unknown';
        for (let patient = true; finding === 'unknown' && !life.signal.aborted; patient = false) {
          finding = await ask(patient);
        }
        if (finding === 'alive') lastSignOfLife = now();
        if (life.signal.aborted || !(finding instanceof HalfOpenError)) continue;
        // Until then it lived for certain; what only looked open since then is no stable session.
        const uptime = lastSignOfLife - since;
        const failure = owner.fail({ error: finding, attempt, phase: 'session', uptime });
        sendBack({ type: 'dead', failure } satisfies InternalEvent);
        return;
      }
    }

    void watch();
    return () => life.abort();
  });
}
