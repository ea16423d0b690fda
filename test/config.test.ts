import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultBackoff, originBackoff, resilientBackoff, resolveBackoff } from '../machines/backoff';
import schema from '../src/backoff.schema.json';
import {
  type BackoffSetting,
  backoffFlag,
  backoffFromArgs,
  backoffFromEnv,
  backoffSettings,
  backoffVariable,
  formatDuration,
  InvalidBackoffError,
  parseBackoff,
  parseDuration,
  parseDurationNanos,
} from '../src/config';
import { readGolden } from './golden/read';

interface ConfigVector {
  input: unknown;
  ok?: true;
  error?: string;
}

interface CliVector {
  args: string[];
  env: Record<string, string>;
  backoff?: { initial: string; multiplier: number; max: string; timeout: string };
  error?: string;
}

interface DurationVector {
  input: string;
  ns?: string;
  format?: string;
  error?: string;
}

const golden = readGolden<{ config: ConfigVector[]; cli: CliVector[] }>('config.json');
const durations = readGolden<DurationVector[]>('durations.json');
const defaults = { initial: 1_000, multiplier: 2, max: 30_000, timeout: 300_000 };
const SETTING_LIST =
  'initial, multiplier, max, timeout, minUptime, jitter, attemptTimeout, maxAttempts, deadline, preset';

/** The error that `act` throws, which must be one of ours. */
function refusal(act: () => unknown): InvalidBackoffError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidBackoffError);
    return error as InvalidBackoffError;
  }
  throw new Error('nothing was refused');
}

describe('R9 durations, as recorded from the original', () => {
  it.each(durations.filter(({ ns }) => ns !== undefined))('$input', ({ input, ns, format }) => {
    const nanos = parseDurationNanos(input);
    expect(nanos).toBe(BigInt(ns as string));
    expect(formatDuration(nanos)).toBe(format);
    const ms = Number(nanos) / 1e6;
    expect(Math.abs(parseDuration(input) - ms)).toBeLessThanOrEqual(ms * Number.EPSILON * 4);
  });

  it.each(durations.filter(({ error }) => error !== undefined))('refuses $input', ({ input }) => {
    expect(() => parseDurationNanos(input)).toThrow();
    expect(refusal(() => parseBackoff({ initial: input }))).toMatchObject({ field: 'initial', value: input });
  });
});

describe('R9 JSON', () => {
  it.each(golden.config.filter(({ ok }) => ok))('reads $input', ({ input }) => {
    const { initial, max, timeout, ...rest } = input as Record<string, string>;
    const given = Object.entries({ initial, max, timeout }).filter(([, text]) => text !== undefined);
    const expected = Object.fromEntries(given.map(([field, text]) => [field, parseDuration(text as string)]));
    expect(parseBackoff(input)).toEqual({ ...defaults, ...rest, ...expected });
  });

  it.each(golden.config.filter(({ error }) => error !== undefined))('refuses $input: $error', ({ input }) => {
    refusal(() => parseBackoff(input));
  });

  it('refuses null, and names the object it wants', () => {
    expect(refusal(() => parseBackoff(null)).message).toBe(
      `backoff: expected an object with any of ${SETTING_LIST}, got null`,
    );
  });

  it('names an unknown field and the known ones', () => {
    expect(refusal(() => parseBackoff({ timeouts: '1s' })).message).toBe(
      `timeouts: expected one of ${SETTING_LIST}, got "1s"`,
    );
    expect(refusal(() => parseBackoff(JSON.parse('{"__proto__": {}}'))).field).toBe('__proto__');
  });

  it('names the field, the value and what was expected', () => {
    expect(refusal(() => parseBackoff({ initial: 1000 }))).toMatchObject({
      field: 'initial',
      value: 1000,
      expected: expect.stringContaining('250ms'),
    });
    expect(refusal(() => parseBackoff({ max: '1.5s' })).message).toMatch(/^max: .*position 1.*got "1.5s"$/u);
  });

  it('has the four fields of the origin, with its defaults, when nothing was given', () => {
    expect(parseBackoff({})).toEqual(defaults);
    expect(originBackoff).toMatchObject(defaults);
  });
});

describe('R9 flags over environment over defaults', () => {
  it.each(golden.cli.filter(({ backoff }) => backoff !== undefined))('$args $env', ({ args, env, backoff }) => {
    const { initial, multiplier, max, timeout } = backoff as NonNullable<CliVector['backoff']>;
    const expected = {
      initial: parseDuration(initial),
      multiplier,
      max: parseDuration(max),
      timeout: parseDuration(timeout),
    };
    expect(backoffFromArgs(args, env)).toEqual(expected);
    if (args.length === 0) expect(backoffFromEnv(env)).toEqual(expected);
  });

  it.each(golden.cli.filter(({ error }) => error !== undefined))('refuses $args $env: $error', ({ args, env }) => {
    const name = (args[0] ?? Object.keys(env)[0]) as string;
    expect(refusal(() => backoffFromArgs(args, env)).field).toBe(name);
    if (args.length === 0) expect(refusal(() => backoffFromEnv(env)).field).toBe(name);
  });

  it.each(['', ' 2', '2 ', '1.5', '-1', '+2', '0x2', '1e3', '4294967296', '99999999999999999999'])(
    'refuses the multiplier %j',
    (text) => {
      expect(refusal(() => backoffFromEnv({ MOQ_BACKOFF_MULTIPLIER: text })).field).toBe('MOQ_BACKOFF_MULTIPLIER');
      expect(refusal(() => backoffFromArgs([`--backoff-multiplier=${text}`])).field).toBe('--backoff-multiplier');
    },
  );

  it('refuses what is no flag of its own, by name', () => {
    for (const stray of ['stray', '--', '-', '-i', '--backoff-', '--backoff-delay=1s', '--BACKOFF-INITIAL']) {
      expect(refusal(() => backoffFromArgs([stray])).message).toContain('--backoff-min-uptime');
    }
  });

  it('refuses a flag that the next flag follows', () => {
    const error = refusal(() => backoffFromArgs(['--backoff-initial', '--backoff-max', '1s']));
    expect(error.message).toBe('--backoff-initial: expected a value after it, got "--backoff-max"');
  });

  it('refuses a flag given twice, in whatever form', () => {
    const error = refusal(() => backoffFromArgs(['--backoff-max=1s', '--backoff-max', '1s']));
    expect(error).toMatchObject({ field: '--backoff-max', expected: 'to be given only once' });
  });

  it('looks at a variable only when its flag is not given', () => {
    expect(backoffFromArgs(['--backoff-max', '1s'], { MOQ_BACKOFF_MAX: 'fast' })).toEqual({ ...defaults, max: 1_000 });
  });

  it('takes another prefix', () => {
    expect(backoffFromEnv({ APP_INITIAL: '3s', MOQ_BACKOFF_MAX: '1s' }, { prefix: 'APP_' }).initial).toBe(3_000);
    expect(refusal(() => backoffFromEnv({ APP_MIN_UPTIME: '3' }, { prefix: 'APP_' })).field).toBe('APP_MIN_UPTIME');
  });

  it('reads a value whole, line breaks and all', () => {
    expect(backoffFromArgs(['--backoff-max=1s\n2m']).max).toBe(121_000);
  });
});

const DURATION = 'a duration as text, such as "250ms" or "1h 30m"';

/** The settings that the origin does not have: how they are called, what they accept and add to the result, and what they refuse. */
const additions: {
  setting: BackoffSetting;
  flag: string;
  variable: string;
  expected: string;
  accepted: [value: unknown, added: object][];
  refused: [text: string, because?: string][];
}[] = [
  {
    setting: 'minUptime',
    flag: '--backoff-min-uptime',
    variable: 'MOQ_BACKOFF_MIN_UPTIME',
    expected: DURATION,
    accepted: [
      ['2s', { minUptime: 2_000 }],
      ['0s', { minUptime: 0 }],
    ],
    refused: [
      ['5', 'a time unit is needed, for example 5s or 5ms,'],
      ['1.5s', 'unexpected character "." at position 1'],
    ],
  },
  {
    setting: 'jitter',
    flag: '--backoff-jitter',
    variable: 'MOQ_BACKOFF_JITTER',
    expected: 'one of none, equal, full, decorrelated',
    accepted: ['none', 'equal', 'full', 'decorrelated'].map((jitter) => [jitter, { jitter }]),
    refused: [['some'], ['Equal'], [' full'], ['constructor'], ['']],
  },
  {
    setting: 'attemptTimeout',
    flag: '--backoff-attempt-timeout',
    variable: 'MOQ_BACKOFF_ATTEMPT_TIMEOUT',
    expected: DURATION,
    accepted: [
      ['1m 30s', { attemptTimeout: 90_000 }],
      ['0s', { attemptTimeout: 0 }],
    ],
    refused: [
      ['10', 'a time unit is needed, for example 10s or 10ms,'],
      ['-1s', 'expected a number at position 0'],
      ['', 'a duration is empty: expected for example 1s or 1h 30m'],
    ],
  },
  {
    setting: 'maxAttempts',
    flag: '--backoff-max-attempts',
    variable: 'MOQ_BACKOFF_MAX_ATTEMPTS',
    expected: 'a whole number from 0 to 4294967295',
    accepted: [0, 1, 4_294_967_295].map((maxAttempts) => [maxAttempts, { maxAttempts }]),
    refused: [[''], ['-1'], ['+1'], ['1.5'], ['1e3'], ['0x2'], [' 3'], ['Infinity'], ['10s']],
  },
  {
    setting: 'deadline',
    flag: '--backoff-deadline',
    variable: 'MOQ_BACKOFF_DEADLINE',
    expected: 'one of between-attempts, strict',
    accepted: ['between-attempts', 'strict'].map((deadline) => [deadline, { deadline }]),
    refused: [['hard'], ['STRICT'], ['']],
  },
  {
    setting: 'preset',
    flag: '--backoff-preset',
    variable: 'MOQ_BACKOFF_PRESET',
    expected: 'one of origin, default, resilient',
    accepted: [
      ['origin', originBackoff],
      ['default', defaultBackoff],
      ['resilient', resilientBackoff],
    ],
    refused: [['fast'], ['toString'], ['resilientBackoff'], ['']],
  },
];

describe.each(additions)('$setting, from each source', ({ setting, flag, variable, expected, accepted, refused }) => {
  it.each(accepted)('is read: %j', (value, added) => {
    const result = { ...defaults, ...added };
    expect(parseBackoff({ [setting]: value })).toEqual(result);
    expect(backoffFromEnv({ [variable]: String(value) })).toEqual(result);
    expect(backoffFromArgs([flag, String(value)])).toEqual(result);
    expect(backoffFromArgs([`${flag}=${value}`], { [variable]: 'not looked at' })).toEqual(result);
    expect(backoffFromArgs([], { [variable]: String(value) })).toEqual(result);
    expect(resolveBackoff(parseBackoff({ [setting]: value }))).toMatchObject(result);
  });

  it.each(refused)('is refused by the name it was given under: %j', (text, because) => {
    const quoted = JSON.stringify(text);
    const reason = because === undefined ? '' : ` (${because} in ${quoted})`;
    const says = (name: string): string => `${name}: expected ${expected}${reason}, got ${quoted}`;
    expect(refusal(() => parseBackoff({ [setting]: text })).message).toBe(says(setting));
    expect(refusal(() => backoffFromEnv({ [variable]: text })).message).toBe(says(variable));
    expect(refusal(() => backoffFromArgs([`${flag}=${text}`])).message).toBe(says(flag));
    expect(refusal(() => backoffFromArgs([], { [variable]: text })).message).toBe(says(variable));
  });

  it.each([
    [null, 'null'],
    [true, 'true'],
    [-1, '-1'],
    [1.5, '1.5'],
    [4_294_967_296, '4294967296'],
    [['equal'], 'an array'],
    [{}, 'an object'],
  ])('is refused in JSON: %j', (value, got) => {
    const error = refusal(() => parseBackoff({ [setting]: value }));
    expect(error).toMatchObject({ field: setting, value, expected });
    expect(error.message).toBe(`${setting}: expected ${expected}, got ${got}`);
  });
});

it('a count from a flag or a variable that is too large is refused as a number', () => {
  expect(refusal(() => backoffFromEnv({ MOQ_BACKOFF_MAX_ATTEMPTS: '4294967296' })).message).toBe(
    'MOQ_BACKOFF_MAX_ATTEMPTS: expected a whole number from 0 to 4294967295, got 4294967296',
  );
});

describe('a preset', () => {
  it('has what was given over it', () => {
    const given = { preset: 'resilient', initial: '250ms', maxAttempts: 5, jitter: 'full' };
    expect(parseBackoff(given)).toEqual({ ...resilientBackoff, initial: 250, maxAttempts: 5, jitter: 'full' });
  });

  it('has over it what was given elsewhere', () => {
    const env = { MOQ_BACKOFF_MAX: '1m', MOQ_BACKOFF_DEADLINE: 'between-attempts' };
    expect(backoffFromArgs(['--backoff-preset', 'resilient'], env)).toEqual({
      ...resilientBackoff,
      max: 60_000,
      deadline: 'between-attempts',
    });
    expect(backoffFromArgs(['--backoff-max-attempts', '3'], { MOQ_BACKOFF_PRESET: 'default' })).toEqual({
      ...defaultBackoff,
      maxAttempts: 3,
    });
  });

  it.each(['default', 'resilient'])('%s keeps its minUptime whatever initial is, unlike no preset', (preset) => {
    expect(parseBackoff({ preset, initial: '5s' })).toMatchObject({ initial: 5_000, minUptime: 1_000 });
    expect(resolveBackoff(parseBackoff({ initial: '5s' }))).toMatchObject({ initial: 5_000, minUptime: 5_000 });
  });

  it('is not changed by what is given over it', () => {
    const config = parseBackoff({ preset: 'origin' });
    config.initial = 1;
    expect(parseBackoff({ preset: 'origin' })).toEqual({ ...originBackoff });
  });

  it('is named with another prefix too', () => {
    expect(backoffFromEnv({ APP_PRESET: 'resilient' }, { prefix: 'APP_' })).toEqual({ ...resilientBackoff });
    expect(refusal(() => backoffFromEnv({ APP_PRESET: 'fast' }, { prefix: 'APP_' })).field).toBe('APP_PRESET');
  });
});

it('has a flag and a variable for each setting', () => {
  const kinds = ['initial', 'multiplier', 'max', 'timeout', 'min-uptime', 'jitter', 'attempt-timeout', 'max-attempts'];
  const names = [...kinds, 'deadline', 'preset'];
  expect(backoffSettings.map((setting) => backoffFlag(setting))).toEqual(names.map((name) => `--backoff-${name}`));
  expect(backoffSettings.map((setting) => backoffVariable(setting))).toEqual(
    names.map((name) => `MOQ_BACKOFF_${name.replace('-', '_').toUpperCase()}`),
  );
});

describe('the JSON schema', () => {
  const ajv = new Ajv2020({ allErrors: true });
  const validate = ajv.compile(schema);

  /** The schema must say of `input` what the reader says. */
  function agree(input: unknown): void {
    let read = true;
    try {
      parseBackoff(input);
    } catch {
      read = false;
    }
    expect([input, validate(input)]).toEqual([input, read]);
  }

  it.each(golden.config)('agrees with the reader on $input', ({ input }) => agree(input));

  // How large a sum may become is beyond a pattern.
  it.each(durations.filter(({ error }) => !error?.includes('too large')))(
    'agrees on the duration $input',
    ({ input }) => agree({ timeout: input }),
  );

  it('agrees on anything that may be given for any of the settings', () => {
    const right: Record<BackoffSetting, fc.Arbitrary<unknown>> = {
      initial: fc.constantFrom('250ms', '0s'),
      multiplier: fc.nat(),
      max: fc.constantFrom('1m 30s', '1 h'),
      timeout: fc.constantFrom('0s', '5m'),
      minUptime: fc.constantFrom('0s', '1s'),
      jitter: fc.constantFrom('none', 'equal', 'full', 'decorrelated'),
      attemptTimeout: fc.constantFrom('0s', '10s'),
      maxAttempts: fc.nat(),
      deadline: fc.constantFrom('between-attempts', 'strict'),
      preset: fc.constantFrom('origin', 'default', 'resilient'),
    };
    const oneWrong = fc.constantFrom(...backoffSettings, 'preSet').chain((setting) =>
      fc
        .oneof(
          fc.constantFrom(...Object.values(right)).chain((value) => value),
          fc.jsonValue(),
        )
        .map((value) => ({
          [setting]: value,
        })),
    );
    const given = fc.tuple(fc.record(right, { requiredKeys: [] }), fc.option(oneWrong, { nil: {} }));
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(given, ([settings, wrong]) => {
        const input = { ...settings, ...wrong };
        agree(input);
        if (validate(input)) accepted++;
        else refused++;
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(100);
  });

  it('knows every setting and its default', () => {
    expect(Object.keys(schema.properties)).toEqual([...backoffSettings]);
    const given = Object.entries(schema.properties).flatMap(([setting, property]) =>
      'default' in property ? [[setting, property.default]] : [],
    );
    const { minUptime, ...rest } = originBackoff;
    expect(parseBackoff(Object.fromEntries(given))).toEqual(rest);
  });

  it('has examples that hold', () => {
    for (const example of schema.examples) agree(example);
    for (const [field, { examples }] of Object.entries(schema.properties)) {
      for (const example of examples) expect(validate({ [field]: example })).toBe(true);
    }
  });
});
