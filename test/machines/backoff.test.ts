import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areAttemptsSpent,
  attemptLimit,
  type Backoff,
  type BackoffPolicy,
  backoffFields,
  cutToWindow,
  defaultBackoff,
  drawWait,
  growDelay,
  InvalidBackoffError,
  isStable,
  isWindowSpent,
  jitters,
  originBackoff,
  resilientBackoff,
  resolveBackoff,
  windowEnd,
} from '../../machines/backoff';

/** The largest draw there is: `Math.random` never gives 1. */
const ALMOST_ONE = 1 - 2 ** -53;
const FOREVER = Number.POSITIVE_INFINITY;

const policy = (given: Partial<BackoffPolicy>): BackoffPolicy => resolveBackoff({ ...originBackoff, ...given });

const anyDraw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** A nanosecond, the shortest duration that can be written: far below it a number of ms has no digits left to be exact. */
const NANOSECOND = 1e-6;
const anyDuration = fc.oneof(
  fc.double({ min: NANOSECOND, max: Number.MAX_VALUE, noNaN: true }),
  fc.nat({ max: 600_000 }),
  fc.constantFrom(0, NANOSECOND, 1, 2 ** 31, Number.MAX_VALUE),
);
const anyCount = fc.oneof(fc.constantFrom(0, 1, 2, 4_294_967_295), fc.integer({ min: 0, max: 4_294_967_295 }));
const anyPolicy: fc.Arbitrary<BackoffPolicy> = fc.record({
  initial: anyDuration,
  multiplier: anyCount,
  max: anyDuration,
  timeout: anyDuration,
  minUptime: anyDuration,
  jitter: fc.constantFrom(...jitters),
  attemptTimeout: anyDuration,
  maxAttempts: anyCount,
  deadline: fc.constantFrom('between-attempts', 'strict'),
});

describe('the wait of each jitter', () => {
  it.each([
    ['none', 0, 1_000],
    ['none', 0.5, 1_000],
    ['none', ALMOST_ONE, 1_000],
    ['equal', 0, 500],
    ['equal', 0.5, 750],
    ['full', 0, 0],
    ['full', 0.5, 500],
    ['decorrelated', 0, 100],
    ['decorrelated', 0.5, 1_550],
  ] as const)('%s, at a draw of %d, is %d of 1000 ms', (jitter, random, wait) => {
    expect(drawWait(policy({ jitter, initial: 100 }), 1_000, random)).toBe(wait);
  });

  it.each([
    ['equal', 1_000],
    ['full', 1_000],
    ['decorrelated', 3_000],
  ] as const)('%s, at the largest draw, comes up to %d and not above', (jitter, bound) => {
    const wait = drawWait(policy({ jitter, initial: 100 }), 1_000, ALMOST_ONE);
    expect(wait).toBeLessThanOrEqual(bound);
    expect(wait).toBeCloseTo(bound, 9);
  });

  it.each(['none', 'equal', 'full'] as const)('R2 %s uses an initial above max once, uncapped', (jitter) => {
    const { initial, max } = { initial: 90_000, max: 30_000 };
    const wait = drawWait(policy({ jitter, initial, max }), initial, 0.5);
    expect(wait).toBe({ none: 90_000, equal: 67_500, full: 45_000 }[jitter]);
    expect(growDelay(policy({ jitter, initial, max }), initial, wait)).toBe(30_000);
  });

  it('no draw leaves the bounds: half to whole, nothing to whole, initial to three times the last wait but at most max', () => {
    fc.assert(
      fc.property(anyPolicy, anyDuration, anyDraw, (given, delay, random) => {
        const wait = drawWait(given, delay, random);
        const tripled = Math.max(given.initial, delay * 3);
        const [least, most] = {
          none: [delay, delay],
          equal: [delay / 2, delay],
          full: [0, delay],
          decorrelated: [Math.min(given.initial, given.max), Math.min(tripled, given.max)],
        }[given.jitter] as [number, number];
        expect(wait).toBeGreaterThanOrEqual(least);
        expect(wait).toBeLessThanOrEqual(most);
      }),
      { numRuns: 5_000 },
    );
  });

  it('decorrelated follows AWS: sleep = min(cap, random between base and 3 times the last sleep)', () => {
    const given = policy({ jitter: 'decorrelated', initial: 1_000, max: 20_000 });
    const waits: number[] = [];
    let delay = given.initial;
    for (const random of [ALMOST_ONE, 0.5, 0, 0.25, ALMOST_ONE, ALMOST_ONE, ALMOST_ONE]) {
      const wait = drawWait(given, delay, random);
      waits.push(wait);
      delay = growDelay(given, delay, wait);
    }
    expect(waits.map(Math.round)).toEqual([3_000, 5_000, 1_000, 1_500, 4_500, 13_500, 20_000]);
  });
});

describe('the growth of the delay', () => {
  it.each(['none', 'equal', 'full'] as const)(
    'R2 %s multiplies the delay, not what was waited, up to max',
    (jitter) => {
      const given = policy({ jitter, multiplier: 3, max: 10_000 });
      expect(growDelay(given, 1_000, 123)).toBe(3_000);
      expect(growDelay(given, 3_000, 123)).toBe(9_000);
      expect(growDelay(given, 9_000, 123)).toBe(10_000);
      expect(growDelay(given, 10_000, 123)).toBe(10_000);
    },
  );

  it('decorrelated goes on from what was waited, whatever the multiplier', () => {
    expect(growDelay(policy({ jitter: 'decorrelated', multiplier: 0 }), 1_000, 123)).toBe(123);
  });

  it('R2 a multiplier of 1 keeps the delay, and one of 0 leaves none', () => {
    expect(growDelay(policy({ multiplier: 1 }), 1_000, 1_000)).toBe(1_000);
    expect(growDelay(policy({ multiplier: 0 }), 1_000, 1_000)).toBe(0);
  });

  it.each(jitters)('C5 10,000 failures with the largest multiplier never overflow: %s', (jitter) => {
    for (const max of [30_000, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]) {
      const given = policy({ jitter, max, multiplier: 4_294_967_295 });
      const least = { none: given.initial, equal: given.initial / 2, full: 0, decorrelated: given.initial }[jitter];
      for (const random of [0, 0.5, ALMOST_ONE]) {
        let delay = given.initial;
        for (let failure = 0; failure < 10_000; failure++) {
          const wait = drawWait(given, delay, random);
          if (!(wait >= least && wait <= max)) throw new Error(`failure ${failure} of max ${max} waits ${wait}`);
          delay = growDelay(given, delay, wait);
          if (!(delay >= given.initial && delay <= max)) throw new Error(`failure ${failure} leads to ${delay}`);
        }
        if (jitter !== 'decorrelated') expect(delay).toBe(max);
      }
    }
  });

  it('C5 whatever the policy and the draws, every wait is a finite number and not negative', () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(anyDraw, { minLength: 1, maxLength: 50 }), (given, draws) => {
        let delay = given.initial;
        for (const random of draws) {
          const wait = drawWait(given, delay, random);
          expect(Number.isFinite(wait) && wait >= 0, `a wait of ${wait}`).toBe(true);
          delay = growDelay(given, delay, wait);
          expect(delay).toBeLessThanOrEqual(given.max);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the retry window', () => {
  const window = { timeout: 5_000 };
  const between = policy({ ...window, deadline: 'between-attempts' });
  const strict = policy({ ...window, deadline: 'strict' });

  it('R4 is spent past its end, and a strict one at its end', () => {
    const spent = (given: BackoffPolicy): boolean[] =>
      [1_000, 5_999, 6_000, 6_001].map((now) => isWindowSpent(given, 1_000, now));
    expect(spent(between)).toEqual([false, false, false, true]);
    expect(spent(strict)).toEqual([false, false, true, true]);
  });

  it('D2 a strict one cuts the last wait to its end, the other does not', () => {
    expect(cutToWindow(strict, 1_000, 5_999)).toBe(5_999);
    expect(cutToWindow(strict, 1_000, 60_000)).toBe(6_000);
    expect(cutToWindow(between, 1_000, 60_000)).toBe(60_000);
  });

  it('D2 a wait that was cut ends when the window is spent, so that no attempt follows it', () => {
    fc.assert(
      fc.property(anyPolicy, anyDuration, anyDuration, (given, retryStart, wait) => {
        const until = cutToWindow({ ...given, deadline: 'strict' }, retryStart, retryStart + wait);
        const cut = until < retryStart + wait;
        if (cut) expect(isWindowSpent({ ...given, deadline: 'strict' }, retryStart, until)).toBe(true);
        expect(until).toBeLessThanOrEqual(retryStart + wait);
      }),
    );
  });

  it.each(['between-attempts', 'strict'] as const)('D3 a timeout of 0 never ends: %s', (deadline) => {
    const given = policy({ timeout: 0, deadline });
    expect(windowEnd(given, 1_000)).toBe(FOREVER);
    expect(isWindowSpent(given, 0, Number.MAX_VALUE)).toBe(false);
    expect(cutToWindow(given, 0, Number.MAX_VALUE)).toBe(Number.MAX_VALUE);
    expect(attemptLimit(given, 0, Number.MAX_VALUE)).toBe(FOREVER);
  });
});

describe('how long an attempt may take', () => {
  it.each([
    ['nothing limits it', {}, 1_000, FOREVER],
    ['its own timeout does', { attemptTimeout: 10_000 }, 1_000, 10_000],
    ['R4 a window that is not strict does not', { timeout: 5_000 }, 5_999, FOREVER],
    ['D1 a strict window does', { timeout: 5_000, deadline: 'strict' }, 2_000, 4_000],
    ['D1 what is left of a strict window does', { timeout: 5_000, deadline: 'strict' }, 5_999, 1],
    ['the shorter one is the timeout', { timeout: 5_000, deadline: 'strict', attemptTimeout: 3_000 }, 1_000, 3_000],
    ['the shorter one is the window', { timeout: 5_000, deadline: 'strict', attemptTimeout: 3_000 }, 4_000, 2_000],
    ['D1 a strict window that is over leaves nothing', { timeout: 5_000, deadline: 'strict' }, 9_000, 0],
    ['D3 a strict window without an end', { timeout: 0, deadline: 'strict', attemptTimeout: 3_000 }, 9_000, 3_000],
  ] as const)('%s', (_, given, now, limit) => {
    expect(attemptLimit(policy(given), 1_000, now)).toBe(limit);
  });
});

describe('how many attempts there are', () => {
  it('maxAttempts counts attempts, and 0 sets no limit', () => {
    const spent = (maxAttempts: number): boolean[] =>
      [1, 2, 3, 4].map((attempt) => areAttemptsSpent(policy({ maxAttempts }), attempt));
    expect(spent(1)).toEqual([true, true, true, true]);
    expect(spent(3)).toEqual([false, false, true, true]);
    expect(spent(0)).toEqual([false, false, false, false]);
    expect(areAttemptsSpent(policy({ maxAttempts: 0 }), Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

describe('how long a session must live', () => {
  it('A4 minUptime itself is enough, and 0 asks for nothing', () => {
    expect([999, 1_000, 1_001].map((uptime) => isStable(policy({ minUptime: 1_000 }), uptime))).toEqual([
      false,
      true,
      true,
    ]);
    expect(isStable(originBackoff, 0)).toBe(true);
  });
});

describe('the presets', () => {
  it('R1 the origin has its defaults, and nothing that it does not know', () => {
    expect(originBackoff).toEqual({
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
  });

  it('the default differs in minUptime, the resilient one also spreads, limits attempts and ends on time', () => {
    expect(defaultBackoff).toEqual({ ...originBackoff, minUptime: 1_000 });
    expect(resilientBackoff).toEqual({
      ...defaultBackoff,
      jitter: 'equal',
      attemptTimeout: 10_000,
      deadline: 'strict',
    });
  });

  it.each([originBackoff, defaultBackoff, resilientBackoff])('are frozen, and valid as they are', (preset) => {
    expect(resolveBackoff(preset)).toEqual(preset);
    expect(Object.isFrozen(preset)).toBe(true);
  });
});

describe('settings', () => {
  it('what is not given is the default, and minUptime then follows initial', () => {
    expect(resolveBackoff()).toEqual(defaultBackoff);
    expect(resolveBackoff({ initial: '250ms' })).toEqual({ ...defaultBackoff, initial: 250, minUptime: 250 });
    expect(resolveBackoff({ ...resilientBackoff, initial: '250ms' })).toEqual({ ...resilientBackoff, initial: 250 });
  });

  it('durations are milliseconds or text', () => {
    expect(resolveBackoff({ attemptTimeout: '1m 30s' }).attemptTimeout).toBe(90_000);
    expect(resolveBackoff({ attemptTimeout: 0.5 }).attemptTimeout).toBe(0.5);
  });

  it('any policy is its own resolution', () => {
    fc.assert(
      fc.property(anyPolicy, (given) => {
        expect(resolveBackoff(given)).toEqual(given);
      }),
    );
  });

  const DURATION = 'a duration: a finite number of milliseconds, 0 or more, or text such as "250ms" or "1h 30m"';
  const COUNT = 'a whole number from 0 to 4294967295';
  const JITTER = 'one of none, equal, full, decorrelated';
  const DEADLINE = 'one of between-attempts, strict';

  it.each([
    ['attemptTimeout', Number.NaN, DURATION, 'NaN'],
    ['attemptTimeout', -1, DURATION, '-1'],
    ['attemptTimeout', FOREVER, DURATION, 'Infinity'],
    ['attemptTimeout', null, DURATION, 'null'],
    ['attemptTimeout', '10', `${DURATION} (a time unit is needed, for example 10s or 10ms, in "10")`, '"10"'],
    ['maxAttempts', -1, COUNT, '-1'],
    ['maxAttempts', 2.5, COUNT, '2.5'],
    ['maxAttempts', Number.NaN, COUNT, 'NaN'],
    ['maxAttempts', FOREVER, COUNT, 'Infinity'],
    ['maxAttempts', 2 ** 32, COUNT, '4294967296'],
    ['maxAttempts', '3', COUNT, '"3"'],
    ['maxAttempts', 3n, COUNT, '3'],
    ['jitter', 'some', JITTER, '"some"'],
    ['jitter', 'Equal', JITTER, '"Equal"'],
    ['jitter', true, JITTER, 'true'],
    ['jitter', 0.5, JITTER, '0.5'],
    ['jitter', () => 0, JITTER, 'a function'],
    ['deadline', 'hard', DEADLINE, '"hard"'],
    ['deadline', null, DEADLINE, 'null'],
    ['deadline', ['strict'], DEADLINE, 'an array'],
    ['deadline', {}, DEADLINE, 'an object'],
    ['preset', 'resilient', `one of ${backoffFields.join(', ')}`, '"resilient"'],
  ])('O6 backoff.%s = %s is refused by name', (field, value, expected, got) => {
    const refused = (): unknown => resolveBackoff({ [field]: value } as Partial<Backoff>);
    expect(refused).toThrow(InvalidBackoffError);
    expect(refused).toThrow(`backoff.${field}: expected ${expected}, got ${got}`);
  });
});
