/** Retry settings from JSON, from environment variables and from command-line flags, each checked before it is used. Rule R9. */
import {
  type Backoff,
  type BackoffPolicy,
  backoffFields,
  type Deadline,
  deadlines,
  defaultBackoff,
  InvalidBackoffError,
  type Jitter,
  jitters,
  originBackoff,
  resilientBackoff,
  resolveChoice,
  resolveCount,
  resolveDurationText,
} from '../machines/backoff';

export { InvalidBackoffError } from '../machines/backoff';
export { type Duration, formatDuration, parseDuration, parseDurationNanos } from '../machines/duration';

const PRESETS = { origin: originBackoff, default: defaultBackoff, resilient: resilientBackoff };

/** A policy by name: `originBackoff`, `defaultBackoff` or `resilientBackoff`. */
export type Preset = keyof typeof PRESETS;

/** The name of a setting: a field of the policy, or the `preset` that says what the fields not given are. */
export type BackoffSetting = keyof Backoff | 'preset';

/**
 * Settings as read: every duration in milliseconds. What was not given is the preset's. Without a preset, `initial`,
 * `multiplier`, `max` and `timeout` have the origin's defaults, and the other fields are there only when they were given.
 */
export interface BackoffConfig {
  /** How long the first failure waits. Default 1000. */
  initial: number;
  /** What the delay is multiplied by after each wait. Default 2. */
  multiplier: number;
  /** The longest delay the multiplier may grow to. Default 30000. */
  max: number;
  /** How long to keep retrying before giving up; 0 never gives up. Default 300000. */
  timeout: number;
  /** A session that lived shorter counts as a failed attempt. A preset's is fixed: it does not follow `initial`. */
  minUptime?: number;
  /** How each wait is spread. */
  jitter?: Jitter;
  /** How long one attempt may take; 0 lets it take for ever. */
  attemptTimeout?: number;
  /** How many attempts in one window may fail; 0 sets no limit. */
  maxAttempts?: number;
  /** What the window covers. */
  deadline?: Deadline;
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
const resolveText = (name: string, value: unknown): number => resolveDurationText(name, value, EXPECTED_DURATION);

type Resolved = BackoffPolicy & { readonly preset: Preset };

const RESOLVERS: { readonly [Setting in BackoffSetting]: (name: string, value: unknown) => Resolved[Setting] } = {
  initial: resolveText,
  multiplier: resolveCount,
  max: resolveText,
  timeout: resolveText,
  minUptime: resolveText,
  jitter: resolveChoice(jitters),
  attemptTimeout: resolveText,
  maxAttempts: resolveCount,
  deadline: resolveChoice(deadlines),
  preset: resolveChoice(Object.keys(PRESETS) as Preset[]),
};

/** The names of every setting, in the order they are documented. */
export const backoffSettings = Object.keys(RESOLVERS) as readonly BackoffSetting[];

const SETTING_LIST = backoffSettings.join(', ');

/**
 * Reads settings from parsed JSON: `{ "preset": "resilient", "initial": "250ms", "multiplier": 3 }`. Durations are text, counts
 * are numbers.
 *
 * @throws {InvalidBackoffError} for anything but an object, for an unknown field and for a value out of range.
 */
export function parseBackoff(json: unknown): BackoffConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new InvalidBackoffError('backoff', json, `an object with any of ${SETTING_LIST}`);
  }
  const given = new Map<string, unknown>(Object.entries(json));
  for (const [name, value] of given) {
    if (!Object.hasOwn(RESOLVERS, name)) throw new InvalidBackoffError(name, value, `one of ${SETTING_LIST}`);
  }
  return resolve((setting) => (given.has(setting) ? { name: setting, value: given.get(setting) } : undefined));
}

/**
 * Reads settings from environment variables, one for each setting: `MOQ_BACKOFF_INITIAL`, `MOQ_BACKOFF_MIN_UPTIME`, and so on.
 *
 * @param options.prefix what the names begin with. Default `MOQ_BACKOFF_`.
 * @throws {InvalidBackoffError} naming the variable, for a value out of range; one that is set to nothing is refused too.
 */
export function backoffFromEnv(env: Environment, { prefix = DEFAULT_PREFIX }: { prefix?: string } = {}): BackoffConfig {
  return resolve((setting) => fromEnv(env, setting, prefix));
}

/**
 * Reads settings from command-line flags, over environment variables, over the defaults. There is a flag for each setting, such
 * as `--backoff-initial` or `--backoff-min-uptime`, written `--flag value` or `--flag=value`. A preset, from either, is under both.
 *
 * @param argv the flags alone: `process.argv.slice(2)` of a program that takes nothing else.
 * @param env the environment. Default: empty. A variable whose flag is given is not looked at.
 * @throws {InvalidBackoffError} naming the flag or the variable: for a value out of range, an unknown argument, a flag without a
 * value, and a flag given twice.
 */
export function backoffFromArgs(argv: readonly string[], env: Environment = {}): BackoffConfig {
  const flags = readFlags(argv);
  return resolve((setting) => flags.get(backoffFlag(setting)) ?? fromEnv(env, setting, DEFAULT_PREFIX));
}

/** The command-line flag of a setting: `--backoff-min-uptime` for `minUptime`. */
export function backoffFlag(setting: BackoffSetting): string {
  return `--backoff-${setting.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The environment variable of a setting: `MOQ_BACKOFF_MIN_UPTIME` for `minUptime`. */
export function backoffVariable(setting: BackoffSetting, prefix: string = DEFAULT_PREFIX): string {
  return prefix + setting.replace(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase();
}

function fromEnv(env: Environment, setting: BackoffSetting, prefix: string): Given | undefined {
  const name = backoffVariable(setting, prefix);
  const value = env[name];
  return value === undefined ? undefined : { name, value: textValue(setting, value) };
}

/** The flags given, by name. */
function readFlags(argv: readonly string[]): Map<string, Given> {
  const settings = new Map(backoffSettings.map((setting) => [backoffFlag(setting), setting]));
  const flags = new Map<string, Given>();
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] as string;
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
    const name = equals === -1 ? argument : argument.slice(0, equals);
    const setting = settings.get(name);
    const value = equals === -1 ? argv[at + 1] : argument.slice(equals + 1);
    if (setting === undefined) {
      throw new InvalidBackoffError(name, argument, `one of ${[...settings.keys()].join(', ')}`);
    }
    if (flags.has(name)) throw new InvalidBackoffError(name, value, 'to be given only once');
    if (equals === -1) {
      if (value === undefined || value.startsWith('--')) throw new InvalidBackoffError(name, value, 'a value after it');
      at++;
    }
    flags.set(name, { name, value: textValue(setting, value as string) });
  }
  return flags;
}

/** Text as the value it stands for. What is no plain number stays text, and is refused as such. */
function textValue(setting: BackoffSetting, text: string): unknown {
  return RESOLVERS[setting] === resolveCount && /^[0-9]+$/u.test(text) ? Number(text) : text;
}

function resolve(find: (setting: BackoffSetting) => Given | undefined): BackoffConfig {
  const preset = find('preset');
  const { initial, multiplier, max, timeout } = originBackoff;
  const config: BackoffConfig =
    preset === undefined
      ? { initial, multiplier, max, timeout }
      : { ...PRESETS[RESOLVERS.preset(preset.name, preset.value)] };
  for (const field of backoffFields) {
    const given = find(field);
    if (given !== undefined) Object.assign(config, { [field]: RESOLVERS[field](given.name, given.value) });
  }
  return config;
}
