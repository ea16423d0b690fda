import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { backoffFields, originBackoff } from '../machines/backoff';
import schema from '../src/backoff.schema.json';
import {
  backoffFlag,
  backoffFromArgs,
  backoffFromEnv,
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
      'backoff: expected an object with any of initial, multiplier, max, timeout, minUptime, got null',
    );
  });

  it('names an unknown field and the known ones', () => {
    expect(refusal(() => parseBackoff({ timeouts: '1s' })).message).toBe(
      'timeouts: expected one of initial, multiplier, max, timeout, minUptime, got "1s"',
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

  it('takes minUptime, and leaves it out when it was not given', () => {
    expect(parseBackoff({ minUptime: '2s' })).toEqual({ ...defaults, minUptime: 2_000 });
    expect(parseBackoff({})).not.toHaveProperty('minUptime');
  });

  it('fills in what the origin has', () => {
    expect({ ...parseBackoff({}), minUptime: 0 }).toEqual(originBackoff);
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

  it('takes minUptime from both', () => {
    expect(backoffFromEnv({ MOQ_BACKOFF_MIN_UPTIME: '3s' })).toEqual({ ...defaults, minUptime: 3_000 });
    expect(backoffFromArgs(['--backoff-min-uptime', '0s'])).toEqual({ ...defaults, minUptime: 0 });
  });

  it('takes another prefix', () => {
    expect(backoffFromEnv({ APP_INITIAL: '3s', MOQ_BACKOFF_MAX: '1s' }, { prefix: 'APP_' }).initial).toBe(3_000);
    expect(refusal(() => backoffFromEnv({ APP_MIN_UPTIME: '3' }, { prefix: 'APP_' })).field).toBe('APP_MIN_UPTIME');
  });

  it('reads a value whole, line breaks and all', () => {
    expect(backoffFromArgs(['--backoff-max=1s\n2m']).max).toBe(121_000);
  });

  it('has a flag and a variable for each field', () => {
    expect(backoffFields.map((field) => backoffFlag(field))).toContain('--backoff-min-uptime');
    expect(backoffFields.map((field) => backoffVariable(field))).toContain('MOQ_BACKOFF_MIN_UPTIME');
  });
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

  it('knows every field and its default', () => {
    expect(Object.keys(schema.properties)).toEqual([...backoffFields]);
    const { initial, multiplier, max, timeout } = schema.properties;
    expect(
      parseBackoff({
        initial: initial.default,
        multiplier: multiplier.default,
        max: max.default,
        timeout: timeout.default,
      }),
    ).toEqual(defaults);
  });

  it('has examples that hold', () => {
    for (const example of schema.examples) agree(example);
    for (const [field, { examples }] of Object.entries(schema.properties)) {
      for (const example of examples) expect(validate({ [field]: example })).toBe(true);
    }
  });
});
