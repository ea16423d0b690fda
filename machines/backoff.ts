/** How long to wait, and when to give up: pure numbers, no time passes here and nothing is drawn. Rules R1 to R4, O6. */
import { type Duration, InvalidDurationError, parseDuration } from './duration';

/** How a wait is spread, so that many clients do not come back at once; AWS's terms. */
export const jitters = ['none', 'equal', 'full', 'decorrelated'] as const;
export type Jitter = (typeof jitters)[number];

/** What the retry window covers. */
export const deadlines = ['between-attempts', 'strict'] as const;
export type Deadline = (typeof deadlines)[number];

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
  /**
   * How each wait is spread over the delay: `none` waits all of it, `equal` half to all of it, `full` nothing to all of it,
   * `decorrelated` from `initial` to three times the last wait, at most `max`; the multiplier is then not used. Default `none`.
   */
  jitter: Jitter;
  /** How long one attempt may take; then it is aborted and counts as failed. 0 lets it take for ever. Default 0. */
  attemptTimeout: Duration;
  /** How many attempts in one retry window may fail; then it gives up. A whole number; 0 sets no limit. Default 0. */
  maxAttempts: number;
  /**
   * `between-attempts` looks at the window only when about to connect, and an attempt may overrun it, as in the origin.
   * `strict` gives up when the window ends: the last wait is cut short and an attempt under way is aborted. Default
   * `between-attempts`.
   */
  deadline: Deadline;
}

/** A validated {@link Backoff}: every duration in milliseconds. */
export type BackoffPolicy = {
  readonly [Field in keyof Backoff]: Field extends 'jitter' | 'deadline' ? Backoff[Field] : number;
};

/** The origin's defaults and behaviour, event for event and millisecond for millisecond. Rules R1 to R5. */
export const originBackoff: BackoffPolicy = Object.freeze({
  initial: 1_000,
  multiplier: 2,
  max: 30_000,
  timeout: 300_000,
  minUptime: 0,
  jitter: 'none',
  attemptTimeout: 0,
  maxAttempts: 0,
  deadline: 'between-attempts',
});

/**
 * The default: the origin's, but a session that ends within the `initial` delay is backed off from, so that a server which
 * accepts and closes at once is not redialled in a tight loop.
 */
export const defaultBackoff: BackoffPolicy = Object.freeze({ ...originBackoff, minUptime: originBackoff.initial });

/** For the open internet: waits are spread, an attempt that hangs is given up after 10s, and the window is a deadline. */
export const resilientBackoff: BackoffPolicy = Object.freeze({
  ...defaultBackoff,
  jitter: 'equal',
  attemptTimeout: 10_000,
  deadline: 'strict',
});

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

/** A value in a message. Never throws. */
export function print(value: unknown): string {
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
 * Validates `value` as a count, Rust's u32.
 *
 * @throws {InvalidBackoffError} unless it is a whole number from 0 to 4294967295.
 */
export function resolveCount(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= U32_MAX) return value;
  throw new InvalidBackoffError(field, value, `a whole number from 0 to ${U32_MAX}`);
}

/**
 * Makes a validator of `value` as one of `choices`.
 *
 * @throws {InvalidBackoffError} the validator does, for anything else.
 */
export function resolveChoice<TChoice extends string>(choices: readonly TChoice[]) {
  return (field: string, value: unknown): TChoice => {
    const choice = choices.find((known) => known === value);
    if (choice !== undefined) return choice;
    throw new InvalidBackoffError(field, value, `one of ${choices.join(', ')}`);
  };
}

const RESOLVERS: { readonly [Field in keyof Backoff]: (field: string, value: unknown) => BackoffPolicy[Field] } = {
  initial: resolveDuration,
  multiplier: resolveCount,
  max: resolveDuration,
  timeout: resolveDuration,
  minUptime: resolveDuration,
  jitter: resolveChoice(jitters),
  attemptTimeout: resolveDuration,
  maxAttempts: resolveCount,
  deadline: resolveChoice(deadlines),
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
  const resolve = <Field extends keyof Backoff>(field: Field, otherwise: BackoffPolicy[Field]): BackoffPolicy[Field] =>
    backoff[field] === undefined ? otherwise : RESOLVERS[field](`backoff.${field}`, backoff[field]);
  const initial = resolve('initial', defaultBackoff.initial);
  return Object.freeze({
    initial,
    multiplier: resolve('multiplier', defaultBackoff.multiplier),
    max: resolve('max', defaultBackoff.max),
    timeout: resolve('timeout', defaultBackoff.timeout),
    minUptime: resolve('minUptime', initial),
    jitter: resolve('jitter', defaultBackoff.jitter),
    attemptTimeout: resolve('attemptTimeout', defaultBackoff.attemptTimeout),
    maxAttempts: resolve('maxAttempts', defaultBackoff.maxAttempts),
    deadline: resolve('deadline', defaultBackoff.deadline),
  });
}

/** What AWS multiplies the last wait by for its decorrelated jitter. */
const DECORRELATION = 3;

/** How long to wait after a failure whose delay is `delay` ms. `random` is a draw from 0 up to, but not including, 1. */
export function drawWait(policy: BackoffPolicy, delay: number, random: number): number {
  switch (policy.jitter) {
    case 'none':
      return delay;
    case 'equal':
      return delay / 2 + (random * delay) / 2;
    case 'full':
      return random * delay;
    case 'decorrelated': {
      const widest = Math.max(policy.initial, Math.min(delay * DECORRELATION, Number.MAX_VALUE));
      return Math.min(policy.initial + random * (widest - policy.initial), policy.max);
    }
  }
}

/** The delay that follows one of `delay` ms, of which `wait` ms were waited. Rule R2. */
export function growDelay(policy: BackoffPolicy, delay: number, wait: number): number {
  return policy.jitter === 'decorrelated' ? wait : Math.min(delay * policy.multiplier, policy.max);
}

/** When the retry window that began at `retryStart` ends, in ms; Infinity if it never does. */
export function windowEnd(policy: BackoffPolicy, retryStart: number): number {
  return policy.timeout === 0 ? Number.POSITIVE_INFINITY : retryStart + policy.timeout;
}

/**
 * Whether the retry window that began at `retryStart` is spent at `now`, both in ms: past its end, strictly (rule R4). A strict
 * deadline is spent at its end, which is where the last wait is cut to.
 */
export function isWindowSpent(policy: BackoffPolicy, retryStart: number, now: number): boolean {
  const end = windowEnd(policy, retryStart);
  return policy.deadline === 'strict' ? now >= end : now > end;
}

/** When a wait that would end at `retryAt` ends: a strict deadline cuts it. */
export function cutToWindow(policy: BackoffPolicy, retryStart: number, retryAt: number): number {
  return policy.deadline === 'strict' ? Math.min(retryAt, windowEnd(policy, retryStart)) : retryAt;
}

/** How long any attempt may take, in ms; Infinity if it may take for ever. */
export function attemptTimeoutOf(policy: BackoffPolicy): number {
  return policy.attemptTimeout === 0 ? Number.POSITIVE_INFINITY : policy.attemptTimeout;
}

/** How long an attempt begun at `now` may take, in ms: its own timeout, or what is left of a strict window; else Infinity. */
export function attemptLimit(policy: BackoffPolicy, retryStart: number, now: number): number {
  const own = attemptTimeoutOf(policy);
  return policy.deadline === 'strict' ? Math.max(0, Math.min(own, windowEnd(policy, retryStart) - now)) : own;
}

/** Whether attempt number `attempt` was the last one its window allows. */
export function areAttemptsSpent(policy: BackoffPolicy, attempt: number): boolean {
  return policy.maxAttempts !== 0 && attempt >= policy.maxAttempts;
}

/** Whether a session that lived `uptime` ms was stable, and so resets the delay and the window. */
export function isStable(policy: BackoffPolicy, uptime: number): boolean {
  return uptime >= policy.minUptime;
}
