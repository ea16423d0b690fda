/** The environment of a Node process: it tells that the machine slept and is awake. */
import { InvalidBackoffError, resolveDuration } from '../machines/backoff';
import type { Duration } from '../machines/duration';
import type { EnvironmentSource } from '../machines/environment';
import { MAX_TIMER_MS } from '../machines/sleep';
import { defaultWake, watchForWake } from './wake';

export interface NodeOptions {
  /** How often to look: a wake is told at most that much late. At least 1ms. Default 5s. */
  every?: Duration;
  /** The shortest sleep that counts. At least 1ms; an event loop that is blocked for longer counts too. Default 5s. */
  threshold?: Duration;
}

/**
 * Sends `wake` once after the machine, or this process alone, has slept. A wall clock that is set ahead looks the same; one that
 * is set back changes nothing. It keeps no process alive.
 *
 * @throws {InvalidBackoffError} naming the field, when an option is out of range.
 */
export function node({
  every = defaultWake.every,
  threshold = defaultWake.threshold,
}: NodeOptions = {}): EnvironmentSource {
  const options = {
    every: Math.min(resolvePositive('node.every', every), MAX_TIMER_MS),
    threshold: resolvePositive('node.threshold', threshold),
  };
  return (send) => watchForWake(options, () => send({ type: 'wake' }));
}

function resolvePositive(field: string, value: Duration): number {
  const ms = resolveDuration(field, value);
  if (ms >= 1) return ms;
  throw new InvalidBackoffError(field, value, 'a duration of at least 1ms');
}
