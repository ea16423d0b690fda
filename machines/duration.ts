/**
 * Durations as people write them, in the grammar of Rust's `humantime` crate: `"250ms"`, `"1h 30m"`, `"2days"`.
 * Rule R9.
 */

/** A length of time: a number of milliseconds, or text in humantime's grammar (`"1m 30s"`). */
export type Duration = number | string;

const NANOS_PER_MS = 1_000_000n;
const NANOS_PER_SECOND = 1_000_000_000n;
const U64_MAX = 2n ** 64n - 1n;

const SECONDS_PER_MONTH = 2_630_016n; // 30.44 days
const SECONDS_PER_YEAR = 31_557_600n; // 365.25 days

const SUBSECOND_UNITS: Readonly<Record<string, bigint>> = {
  ...units(['ns', 'nsec', 'nanos'], 1n),
  ...units(['us', 'usec'], 1_000n),
  ...units(['ms', 'msec', 'millis'], NANOS_PER_MS),
};

const SECOND_UNITS: Readonly<Record<string, bigint>> = {
  ...units(['s', 'sec', 'secs', 'second', 'seconds'], 1n),
  ...units(['m', 'min', 'mins', 'minute', 'minutes'], 60n),
  ...units(['h', 'hr', 'hrs', 'hour', 'hours'], 3_600n),
  ...units(['d', 'day', 'days'], 86_400n),
  ...units(['w', 'week', 'weeks'], 604_800n),
  ...units(['M', 'month', 'months'], SECONDS_PER_MONTH),
  ...units(['y', 'year', 'years'], SECONDS_PER_YEAR),
};

const UNIT_LIST =
  'ns, us, ms, s, m, h, d, w, M (months), y, or their long forms: sec, min, hours, days, weeks, months, years';

function units(names: readonly string[], size: bigint): Record<string, bigint> {
  return Object.fromEntries(names.map((name) => [name, size]));
}

/** A text that is not a duration. The message says what is wrong and where; `input` is the text as given. */
export class InvalidDurationError extends Error {
  override readonly name = 'InvalidDurationError';

  constructor(
    readonly input: string,
    problem: string,
  ) {
    super(`${problem} in ${JSON.stringify(input)}`);
  }
}

// Whitespace is allowed between the digits of one number ("2 52 M" is 252 months), as humantime allows it.
const TERM = /\s*([0-9][0-9\s]*)([A-Za-z]*)/uy;

/**
 * Reads a duration in humantime's grammar and returns its exact length in nanoseconds.
 *
 * @throws {InvalidDurationError} for anything humantime refuses: no unit (`"5"`), a fraction (`"1.5s"`), an unknown unit,
 * an empty text, or more than 2^64-1 seconds.
 */
export function parseDurationNanos(text: string): bigint {
  const end = text.trimEnd().length;
  if (end === 0) throw new InvalidDurationError(text, 'a duration is empty: expected for example 1s or 1h 30m');
  let seconds = 0n;
  let nanos = 0n;
  TERM.lastIndex = 0;
  while (TERM.lastIndex < end) {
    const at = TERM.lastIndex;
    const term = TERM.exec(text);
    if (term === null) {
      const start = at + (/\S/u.exec(text.slice(at))?.index ?? 0);
      throw new InvalidDurationError(text, `expected a number at position ${start}`);
    }
    const digits = (term[1] as string).replace(/\s+/gu, '');
    const unit = term[2] as string;
    // A term ends at white space, at the next digit or at the end; anything else is no part of a duration.
    const next = text[TERM.lastIndex];
    if (next !== undefined && !/[\s0-9]/u.test(next)) {
      throw new InvalidDurationError(
        text,
        `unexpected character ${JSON.stringify(next)} at position ${TERM.lastIndex}`,
      );
    }
    const value = inU64(text, BigInt(digits));
    if (unit === '') {
      throw new InvalidDurationError(text, `a time unit is needed, for example ${value}s or ${value}ms,`);
    }
    const subsecond = SUBSECOND_UNITS[unit];
    const second = SECOND_UNITS[unit];
    if (subsecond !== undefined) nanos = inU64(text, nanos + inU64(text, value * subsecond));
    else if (second !== undefined) seconds = inU64(text, seconds + inU64(text, value * second));
    else throw new InvalidDurationError(text, `unknown time unit ${JSON.stringify(unit)} (known: ${UNIT_LIST})`);
    seconds = inU64(text, seconds + nanos / NANOS_PER_SECOND);
    nanos %= NANOS_PER_SECOND;
  }
  return seconds * NANOS_PER_SECOND + nanos;
}

/** The origin counts in unsigned 64-bit integers, and refuses what does not fit. */
function inU64(text: string, value: bigint): bigint {
  if (value > U64_MAX) throw new InvalidDurationError(text, 'a number is too large');
  return value;
}

/**
 * Reads a duration in humantime's grammar.
 *
 * @returns milliseconds; fractional below a millisecond (`"1us"` is 0.001).
 * @throws {InvalidDurationError} as {@link parseDurationNanos} does.
 */
export function parseDuration(text: string): number {
  return nanosToMs(parseDurationNanos(text));
}

function nanosToMs(nanos: bigint): number {
  return Number(nanos / NANOS_PER_MS) + Number(nanos % NANOS_PER_MS) / 1e6;
}

/** Nanoseconds of `duration`: milliseconds as a number, or exact nanoseconds as a bigint. */
function toNanos(duration: number | bigint): bigint {
  if (typeof duration === 'bigint') return duration;
  const whole = Math.trunc(duration);
  return BigInt(whole) * NANOS_PER_MS + BigInt(Math.round((duration - whole) * 1e6));
}

/**
 * Writes a duration as humantime does: `90_000` is `"1m 30s"`, `0` is `"0s"`.
 *
 * @param duration milliseconds as a number, or exact nanoseconds as a bigint; finite and not negative.
 */
export function formatDuration(duration: number | bigint): string {
  const total = toNanos(duration);
  const seconds = total / NANOS_PER_SECOND;
  const nanos = total % NANOS_PER_SECOND;
  const inYear = seconds % SECONDS_PER_YEAR;
  const inMonth = inYear % SECONDS_PER_MONTH;
  const inDay = inMonth % 86_400n;
  const parts = [
    plural(seconds / SECONDS_PER_YEAR, 'year'),
    plural(inYear / SECONDS_PER_MONTH, 'month'),
    plural(inMonth / 86_400n, 'day'),
    part(inDay / 3_600n, 'h'),
    part((inDay % 3_600n) / 60n, 'm'),
    part(inDay % 60n, 's'),
    part(nanos / NANOS_PER_MS, 'ms'),
    part((nanos / 1_000n) % 1_000n, 'us'),
    part(nanos % 1_000n, 'ns'),
  ].filter((text) => text !== '');
  return parts.length === 0 ? '0s' : parts.join(' ');
}

function part(count: bigint, unit: string): string {
  return count === 0n ? '' : `${count}${unit}`;
}

function plural(count: bigint, unit: string): string {
  return part(count, count > 1n ? `${unit}s` : unit);
}

/** Writes a duration as Rust's `Duration` prints in `{:?}`: `300_000` is `"300s"`, `1_500` is `"1.5s"`. Rule R5. */
export function debugDuration(ms: number): string {
  const nanos = toNanos(ms);
  const [size, unit] =
    nanos >= NANOS_PER_SECOND
      ? ([NANOS_PER_SECOND, 's'] as const)
      : nanos >= NANOS_PER_MS
        ? ([NANOS_PER_MS, 'ms'] as const)
        : nanos >= 1_000n
          ? ([1_000n, 'µs'] as const)
          : ([1n, 'ns'] as const);
  const fraction = (nanos % size)
    .toString()
    .padStart(size.toString().length - 1, '0')
    .replace(/0+$/u, '');
  return `${nanos / size}${fraction === '' ? '' : `.${fraction}`}${unit}`;
}
