/** Retry settings from JSON, from environment variables and from command-line flags, each checked before it is used. Rule R9. */
import {
  type Backoff,
  backoffFields,
  InvalidBackoffError,
  originBackoff,
  resolveDurationText,
  resolveMultiplier,
} from '../machines/backoff';

export { InvalidBackoffError } from '../machines/backoff';
export { type Duration, formatDuration, parseDuration, parseDurationNanos } from '../machines/duration';

/** Settings as read: every duration in milliseconds. What was not given has the origin's default. */
export interface BackoffConfig {
  /** How long the first failure waits. Default 1000. */
  initial: number;
  /** What the delay is multiplied by after each wait. Default 2. */
  multiplier: number;
  /** The longest delay the multiplier may grow to. Default 30000. */
  max: number;
  /** How long to keep retrying before giving up; 0 never gives up. Default 300000. */
  timeout: number;
  /** A session that lived shorter counts as a failed attempt. Only there when it was given. */
  minUptime?: number;
}

/** Environment variables by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The prefix of the environment variables, unless another one is asked for. */
export const DEFAULT_PREFIX = 'MOQ_BACKOFF_';

/** One setting as it was given, and what to call it in an error. */
interface Given {
  name: string;
  value: unknown;
}

const EXPECTED_DURATION = 'a duration as text, such as "250ms" or "1h 30m"';
const EXPECTED_FIELDS = `one of ${backoffFields.join(', ')}`;

/**
 * Reads settings from parsed JSON: `{ "initial": "250ms", "multiplier": 3 }`. Durations are text, the multiplier is a number.
 *
 * @throws {InvalidBackoffError} for anything but an object, for an unknown field and for a value out of range.
 */
export function parseBackoff(json: unknown): BackoffConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new InvalidBackoffError('backoff', json, `an object with any of ${backoffFields.join(', ')}`);
  }
  const given = new Map<string, unknown>(Object.entries(json));
  for (const [name, value] of given) {
    if (!backoffFields.some((field) => field === name)) throw new InvalidBackoffError(name, value, EXPECTED_FIELDS);
  }
  return resolve((field) => (given.has(field) ? { name: field, value: given.get(field) } : undefined));
}

/**
 * Reads settings from environment variables: `MOQ_BACKOFF_INITIAL`, `_MULTIPLIER`, `_MAX`, `_TIMEOUT` and `_MIN_UPTIME`.
 *
 * @param options.prefix what the names begin with. Default `MOQ_BACKOFF_`.
 * @throws {InvalidBackoffError} naming the variable, for a value out of range; one that is set to nothing is refused too.
 */
export function backoffFromEnv(env: Environment, { prefix = DEFAULT_PREFIX }: { prefix?: string } = {}): BackoffConfig {
  return resolve((field) => fromEnv(env, field, prefix));
}

/**
 * Reads settings from command-line flags, over environment variables, over the defaults: `--backoff-initial`, `-multiplier`,
 * `-max`, `-timeout` and `-min-uptime`, each as `--flag value` or `--flag=value`.
 *
 * @param argv the flags alone: `process.argv.slice(2)` of a program that takes nothing else.
 * @param env the environment. Default: empty. A variable whose flag is given is not looked at.
 * @throws {InvalidBackoffError} naming the flag or the variable: for a value out of range, an unknown argument, a flag without a
 * value, and a flag given twice.
 */
export function backoffFromArgs(argv: readonly string[], env: Environment = {}): BackoffConfig {
  const flags = readFlags(argv);
  return resolve((field) => flags.get(backoffFlag(field)) ?? fromEnv(env, field, DEFAULT_PREFIX));
}

/** The command-line flag of a setting: `--backoff-min-uptime` for `minUptime`. */
export function backoffFlag(field: keyof Backoff): string {
  return `--backoff-${field.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The environment variable of a setting: `MOQ_BACKOFF_MIN_UPTIME` for `minUptime`. */
export function backoffVariable(field: keyof Backoff, prefix: string = DEFAULT_PREFIX): string {
  return prefix + field.replace(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase();
}

function fromEnv(env: Environment, field: keyof Backoff, prefix: string): Given | undefined {
  const name = backoffVariable(field, prefix);
  const value = env[name];
  return value === undefined ? undefined : { name, value: textValue(field, value) };
}

/** The flags given, by name. */
function readFlags(argv: readonly string[]): Map<string, Given> {
  const fields = new Map(backoffFields.map((field) => [backoffFlag(field), field]));
  const flags = new Map<string, Given>();
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] as string;
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
    const name = equals === -1 ? argument : argument.slice(0, equals);
    const field = fields.get(name);
    const value = equals === -1 ? argv[at + 1] : argument.slice(equals + 1);
    if (field === undefined) throw new InvalidBackoffError(name, argument, `one of ${[...fields.keys()].join(', ')}`);
    if (flags.has(name)) throw new InvalidBackoffError(name, value, 'to be given only once');
    if (equals === -1) {
      if (value === undefined || value.startsWith('--')) throw new InvalidBackoffError(name, value, 'a value after it');
      at++;
    }
    flags.set(name, { name, value: textValue(field, value as string) });
  }
  return flags;
}

/** Text as the value it stands for. What is no plain number stays text, and is refused as such. */
function textValue(field: keyof Backoff, text: string): unknown {
  return field === 'multiplier' && /^[0-9]+$/u.test(text) ? Number(text) : text;
}

function resolve(find: (field: keyof Backoff) => Given | undefined): BackoffConfig {
  const config: BackoffConfig = {
    initial: originBackoff.initial,
    multiplier: originBackoff.multiplier,
    max: originBackoff.max,
    timeout: originBackoff.timeout,
  };
  for (const field of backoffFields) {
    const given = find(field);
    if (given !== undefined) config[field] = resolveOne(field, given);
  }
  return config;
}

function resolveOne(field: keyof Backoff, { name, value }: Given): number {
  if (field === 'multiplier') return resolveMultiplier(name, value);
  return resolveDurationText(name, value, EXPECTED_DURATION);
}
