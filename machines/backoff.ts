/** How long to wait, and when to give up: pure numbers, no time passes here. Rules R1 to R4, O6. */
import { type Duration, InvalidDurationError, parseDuration } from './duration';

/** The settings of a retry policy as people write them. */
export interface Backoff {
  /** How long the first failure waits. Default 1s. Rule R1. */
  initial: Duration;
  /** What the delay is multiplied by after each wait: a whole number from 0 to 4294967295. Default 2. Rule R2. */
  multiplier: number;
  /** The longest delay the multiplier may grow to. An `initial` above it is used once, uncapped. Default 30s. Rule R2. */
  max: Duration;
  /** The retry window: how long to keep retrying before giving up. 0 never gives up. Default 5m. Rule R4. */
  timeout: Duration;
  /**
   * A session that lived shorter counts as a failed attempt: neither the delay nor the window resets, and it waits.
   * Default: `initial`. 0 reconnects at once whatever the uptime, as the origin does.
   */
  minUptime: Duration;
}

/** A validated {@link Backoff}: every duration in milliseconds. */
export type BackoffPolicy = { readonly [Field in keyof Backoff]: number };

/** The origin's defaults and behaviour, event for event and millisecond for millisecond. Rules R1 to R5. */
export const originBackoff: BackoffPolicy = Object.freeze({
  initial: 1_000,
  multiplier: 2,
  max: 30_000,
  timeout: 300_000,
  minUptime: 0,
});

/**
 * The default: the origin's, but a session that ends within the `initial` delay is backed off from, so that a server which
 * accepts and closes at once is not redialled in a tight loop.
 */
export const defaultBackoff: BackoffPolicy = Object.freeze({ ...originBackoff, minUptime: originBackoff.initial });

/** A setting that is out of its range. The message names the field, the value and what was expected. */
export class InvalidBackoffError extends Error {
  override readonly name = 'InvalidBackoffError';

  constructor(
    /** The field's path, such as `backoff.initial`. */
    readonly field: string,
    readonly value: unknown,
    readonly expected: string,
    options?: ErrorOptions,
  ) {
    super(`${field}: expected ${expected}, got ${print(value)}`, options);
  }
}

function print(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

const EXPECTED_DURATION = 'a duration: a finite number of milliseconds, 0 or more, or text such as "250ms" or "1h 30m"';
const U32_MAX = 4_294_967_295;

/**
 * Validates `value` and returns it in milliseconds.
 *
 * @param field the path to name in the error, such as `backoff.initial`.
 * @throws {InvalidBackoffError} for NaN, negative and infinite numbers, and for text that is not a duration. Rule O6.
 */
export function resolveDuration(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  return resolveDurationText(field, value, EXPECTED_DURATION);
}

/**
 * Validates `value` as text in humantime's grammar and returns it in milliseconds.
 *
 * @param expected what to say was expected.
 * @throws {InvalidBackoffError} for anything but text, and for text that is not a duration.
 */
export function resolveDurationText(field: string, value: unknown, expected: string): number {
  if (typeof value !== 'string') throw new InvalidBackoffError(field, value, expected);
  try {
    return parseDuration(value);
  } catch (cause) {
    if (!(cause instanceof InvalidDurationError)) throw cause;
    throw new InvalidBackoffError(field, value, `${expected} (${cause.message})`, { cause });
  }
}

/**
 * Validates `value` as a multiplier, Rust's u32.
 *
 * @throws {InvalidBackoffError} unless it is a whole number from 0 to 4294967295.
 */
export function resolveMultiplier(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= U32_MAX) return value;
  throw new InvalidBackoffError(field, value, `a whole number from 0 to ${U32_MAX}`);
}

const RESOLVERS: { readonly [Field in keyof Backoff]: (field: string, value: unknown) => number } = {
  initial: resolveDuration,
  multiplier: resolveMultiplier,
  max: resolveDuration,
  timeout: resolveDuration,
  minUptime: resolveDuration,
};

/** The names of every backoff setting, in the order they are documented. */
export const backoffFields = Object.keys(RESOLVERS) as readonly (keyof Backoff)[];

/**
 * Fills in {@link defaultBackoff} and validates every field.
 *
 * @throws {InvalidBackoffError} naming the field, the value and what was expected; unknown fields are refused by name.
 */
export function resolveBackoff(backoff: Partial<Backoff> = {}): BackoffPolicy {
  for (const field of Object.keys(backoff)) {
    if (!Object.hasOwn(RESOLVERS, field)) {
      throw new InvalidBackoffError(
        `backoff.${field}`,
        backoff[field as keyof Backoff],
        `one of ${backoffFields.join(', ')}`,
      );
    }
  }
  const resolve = (field: keyof Backoff, otherwise: number): number =>
    backoff[field] === undefined ? otherwise : RESOLVERS[field](`backoff.${field}`, backoff[field]);
  const initial = resolve('initial', defaultBackoff.initial);
  return Object.freeze({
    initial,
    multiplier: resolve('multiplier', defaultBackoff.multiplier),
    max: resolve('max', defaultBackoff.max),
    timeout: resolve('timeout', defaultBackoff.timeout),
    minUptime: resolve('minUptime', initial),
  });
}

/** The delay that follows one of `delay` ms. Rule R2. */
export function growDelay(policy: BackoffPolicy, delay: number): number {
  return Math.min(delay * policy.multiplier, policy.max);
}

/** Whether the retry window that began at `retryStart` is spent at `now`, both in ms: past its timeout, strictly. Rule R4. */
export function isWindowSpent(policy: BackoffPolicy, retryStart: number, now: number): boolean {
  return policy.timeout !== 0 && now - retryStart > policy.timeout;
}

/** Whether a session that lived `uptime` ms was stable, and so resets the delay and the window. */
export function isStable(policy: BackoffPolicy, uptime: number): boolean {
  return uptime >= policy.minUptime;
}
