import { describe, expect, it } from 'vitest';
import { type EnvironmentEvent, type ReconnectEvent, resilientBackoff, selectWindowLeft } from '../../src/index';
import '../support/unhandled';
import { play } from '../support/play';

const MADE = { connectMs: 10 };
const REFUSED = { connectMs: 10, error: new Error('refused') };
const CUTS = ['online', 'wake', 'resume'] as const;
const ALL = [...CUTS, 'offline', 'suspend'] as const;
const HOUR = 3_600_000;

const refusals = (count: number) => Array.from({ length: count }, () => REFUSED);

/** A connection in an environment that says what the test says. */
function surrounded(
  attempts: Parameters<typeof play>[0],
  options: Parameters<typeof play<string>>[1] = {},
  { start = true }: { start?: boolean } = {},
) {
  const sends: ((event: EnvironmentEvent) => void)[] = [];
  const counts = { started: 0, stopped: 0 };
  const run = play<string>(attempts, {
    environment: (send) => {
      counts.started++;
      sends.push(send);
      return () => void counts.stopped++;
    },
    input: 'first',
    ...options,
  });
  if (start) run.actor.start();
  return {
    ...run,
    counts,
    isWatched: () => counts.started - counts.stopped === 1,
    /** Says it through every source there ever was, as one that was stopped should not have to be careful. */
    say: (...types: EnvironmentEvent['type'][]) => {
      for (const type of types) for (const send of sends) send({ type });
    },
  };
}

describe('I offline never blocks: what says so may lie', () => {
  it('I attempts go on as ever', async () => {
    const run = surrounded([REFUSED, REFUSED, MADE]);
    run.say('offline');
    await run.clock.advance(10_000);
    expect(run.dials()).toEqual([0, 1_010, 3_020]);
    expect(run.value()).toBe('connected');
    expect(run.context().online).toBe(false);
    run.actor.stop();
  });

  it.each([
    ['the default policy', {}],
    ['a strict deadline', { ...resilientBackoff, jitter: 'none' as const }],
  ])(
    'I D with %s time without a network is not counted in the window, which begins when there is one',
    async (_, backoff) => {
      const run = surrounded(refusals(1_000), { backoff: { ...backoff, max: '10s', timeout: '30s' } });
      await run.clock.advance(15_000);
      run.say('offline');
      await run.clock.advance(HOUR);
      expect(run.value()).not.toBe('failed');
      // The waits are those of the backoff: not cut, and no hot loop.
      const dials = run.dials();
      const gaps = dials.slice(5).map((at, i) => at - (dials[i + 4] as number));
      expect(Math.min(...gaps)).toBe(10_010);
      expect(selectWindowLeft(run.actor.getSnapshot(), run.clock.now())).toBeUndefined();
      const back = run.clock.now();
      run.say('online');
      expect(run.context().retryStart).toBe(back);
      expect(selectWindowLeft(run.actor.getSnapshot(), run.clock.now())).toBe(30_000);
      await run.clock.advance(29_000);
      expect(run.value()).not.toBe('failed');
      await run.clock.advance(12_000);
      expect(run.value()).toBe('failed');
      expect(run.clock.pending).toBe(0);
    },
  );
});

describe('I online, wake and resume cut the wait', () => {
  const SLOW = { backoff: { initial: '10s' as const, max: '1m' as const } };

  it.each(CUTS.flatMap((type) => [0, 0.5, 0.999].map((draw) => [type, draw] as const)))(
    'I %s cuts it to a random part of the initial delay: a draw of %d',
    async (type, draw) => {
      const run = surrounded([...refusals(3), MADE], { ...SLOW, random: () => draw });
      await run.clock.advance(10 + 10_000 + 10 + 20_000 + 10);
      expect(run.context().retryAt).toBe(run.clock.now() + 40_000);
      const cutAt = run.clock.now() + 1_000;
      await run.clock.advanceTo(cutAt);
      run.say(type);
      const wait = draw * 10_000;
      expect(run.context()).toMatchObject({ retryAt: cutAt + wait, wait, waitReason: type });
      expect(run.events.at(-1)).toEqual({
        type: 'retrying',
        delay: wait,
        attempt: 3,
        error: REFUSED.error,
        reason: type,
      });
      expect(run.clock.pending).toBe(1);
      await run.clock.advance(wait + 10);
      expect(run.dials()).toHaveLength(4);
      expect(run.dials().at(-1)).toBe(cutAt + wait);
      expect(run.reasons().at(-1)).toBe(type);
      expect(run.value()).toBe('connected');
      run.actor.stop();
    },
  );

  it('I it never makes a wait longer', async () => {
    const run = surrounded([REFUSED, MADE], { ...SLOW, random: () => 0.9 });
    await run.clock.advance(10 + 9_000);
    run.say('online');
    expect(run.context().retryAt).toBe(10_010);
    run.actor.stop();
  });

  it('I C2 C3 a burst of events is one dial, no later than the first of them asked for', async () => {
    const run = surrounded([REFUSED, MADE], SLOW);
    await run.clock.advance(1_000);
    for (let i = 0; i < 100; i++) run.say('offline', 'online', 'wake', 'resume');
    expect(run.clock.pending).toBe(1);
    await run.clock.advance(5_000);
    expect(run.dials()).toHaveLength(2);
    await run.clock.advance(HOUR);
    expect(run.dials()).toHaveLength(2);
    run.actor.stop();
  });

  it('I what the server asked to wait is not cut, and not told again', async () => {
    const run = surrounded([REFUSED, MADE], { classify: () => ({ retryAfter: '1m' }) });
    await run.clock.advance(10);
    const told = run.told();
    run.say(...CUTS);
    expect(run.context()).toMatchObject({ retryAt: 60_010, waitReason: 'retry-after' });
    expect(run.told()).toEqual(told);
    await run.clock.advance(59_999);
    expect(run.dials()).toEqual([0]);
    await run.clock.advance(1);
    expect(run.dials()).toEqual([0, 60_010]);
    expect(run.reasons()).toEqual(['start', 'backoff']);
    run.actor.stop();
  });

  it.each([...CUTS, 'offline'] as const)('I %s while dialing does nothing', async (type) => {
    const run = surrounded([{ connectMs: 1_000 }]);
    await run.clock.advance(500);
    run.say(type, type);
    await run.clock.advance(499);
    expect(run.server.calls[0]?.args.signal.aborted).toBe(false);
    expect(run.told()).toEqual(['connecting']);
    await run.clock.advance(1);
    expect(run.value()).toBe('connected');
    expect(run.dials()).toEqual([0]);
    run.actor.stop();
  });

  it('I the growth of the delay goes on where it was', async () => {
    const run = surrounded(refusals(5), { ...SLOW, random: () => 0 });
    await run.clock.advance(10 + 10_000 + 10);
    expect(run.context().delay).toBe(20_000);
    run.say('online');
    await run.clock.advance(10);
    expect(run.context()).toMatchObject({ delay: 40_000, attempt: 3, waitReason: 'connect-failed' });
    run.actor.stop();
  });
});

describe('I suspend holds attempts until resume', () => {
  it('I a wait that is over meanwhile is not followed by an attempt; nothing is set that could fire', async () => {
    const run = surrounded([REFUSED, MADE]);
    await run.clock.advance(500);
    run.say('suspend');
    await run.clock.advance(HOUR);
    expect(run.dials()).toEqual([0]);
    expect(run.context().waitReason).toBe('suspended');
    expect(run.clock.pending).toBe(0);
    run.say('online', 'wake');
    await run.clock.advance(HOUR);
    expect(run.dials()).toEqual([0]);
    const resumedAt = run.clock.now();
    run.say('resume');
    await run.clock.advance(510);
    expect(run.dials()).toEqual([0, resumedAt + 500]);
    expect(run.reasons().at(-1)).toBe('resume');
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });

  it('I the wait goes on meanwhile, and a resume before its end cuts it', async () => {
    const run = surrounded([REFUSED, MADE], { random: () => 0 });
    await run.clock.advance(500);
    run.say('suspend');
    await run.clock.advance(100);
    run.say('resume');
    await run.clock.advance(10);
    expect(run.dials()).toEqual([0, 600]);
    run.actor.stop();
  });

  it.each([
    ['that was stable', 5_000, 'suspended'],
    ['that was short', 100, 'short-session'],
  ])('I also when a session %s ends', async (_, sessionMs, waitReason) => {
    const run = surrounded([{ connectMs: 10, sessionMs }, MADE]);
    await run.clock.advance(50);
    run.say('suspend');
    await run.clock.advance(sessionMs);
    expect(run.value()).toBe('backingOff');
    expect(run.context().waitReason).toBe(waitReason);
    await run.clock.advance(HOUR);
    expect(run.dials()).toEqual([0]);
    run.say('resume');
    await run.clock.advance(510);
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });

  it('I also when classify says to retry now', async () => {
    const run = surrounded([{ connectMs: 100, error: 'expired' }, MADE], { classify: () => 'retry-now' });
    run.say('suspend');
    await run.clock.advance(HOUR);
    expect(run.dials()).toEqual([0]);
    run.say('resume');
    await run.clock.advance(510);
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });

  it.each<[string, ReconnectEvent<string>, string]>([
    ['retry', { type: 'retry' }, 'retry'],
    ['another input', { type: 'update', input: 'other' }, 'update'],
  ])('I but not what a person asks for: %s', async (_, event, reason) => {
    for (const wait of [500, HOUR]) {
      const run = surrounded([REFUSED, MADE]);
      await run.clock.advance(100);
      run.say('suspend');
      await run.clock.advance(wait);
      run.actor.send(event);
      await run.clock.advance(20);
      expect(run.reasons()).toEqual(['start', reason]);
      expect(run.value()).toBe('connected');
      run.actor.stop();
    }
  });

  it('I an attempt under way is left alone', async () => {
    const run = surrounded([{ connectMs: 1_000 }]);
    run.say('suspend');
    await run.clock.advance(1_000);
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });

  it.each([
    ['the default policy', {}],
    ['a strict deadline', resilientBackoff],
  ])('I D with %s the time suspended is not counted in the window', async (_, backoff) => {
    const run = surrounded([{ connectMs: 100, error: 'refused' }, ...refusals(100)], { backoff });
    run.say('suspend');
    await run.clock.sleep(HOUR);
    await run.clock.advance(60_000);
    expect(run.value()).toBe('backingOff');
    expect(selectWindowLeft(run.actor.getSnapshot(), run.clock.now())).toBeUndefined();
    const resumedAt = run.clock.now();
    run.say('resume');
    expect(run.context().retryStart).toBe(resumedAt);
    await run.clock.advance(HOUR);
    expect(run.value()).toBe('failed');
    expect(run.dials().length).toBeGreaterThan(5);
  });
});

describe('I a manual stop is not undone', () => {
  it.each(ALL)('I neither by %s from the source nor by one that somebody sends', async (type) => {
    const run = surrounded([MADE, MADE]);
    await run.clock.advance(20);
    run.actor.send({ type: 'stop' });
    run.say(type);
    run.actor.send({ type });
    await run.clock.advance(HOUR);
    expect(run.value()).toBe('idle');
    expect(run.dials()).toEqual([0]);
    expect(run.clock.pending).toBe(0);
    run.actor.stop();
    run.say(type);
    await run.clock.advance(HOUR);
    expect(run.dials()).toEqual([0]);
  });

  it.each(ALL)('I nor is giving up, by %s', async (type) => {
    const run = surrounded([REFUSED, MADE], { backoff: { maxAttempts: 1 } });
    await run.clock.advance(20);
    run.say(type);
    run.actor.send({ type });
    await run.clock.advance(HOUR);
    expect(run.value()).toBe('failed');
    expect(run.dials()).toEqual([0]);
  });

  it('I nor before the first start', async () => {
    const run = surrounded([MADE], { autoStart: false });
    for (const type of ALL) run.actor.send({ type });
    await run.clock.advance(HOUR);
    expect(run.dials()).toEqual([]);
    run.actor.stop();
  });
});

describe('O5 at rest nothing is watched', () => {
  it('O5 it is watched from start to stop, and again after the next start', async () => {
    const run = surrounded([MADE, MADE, MADE], { autoStart: false });
    expect(run.counts).toEqual({ started: 0, stopped: 0 });
    for (let round = 1; round <= 3; round++) {
      run.actor.send({ type: 'start' });
      expect(run.counts).toEqual({ started: round, stopped: round - 1 });
      await run.clock.advance(20);
      expect(run.isWatched()).toBe(true);
      run.actor.send({ type: 'stop' });
      expect(run.counts).toEqual({ started: round, stopped: round });
    }
    run.actor.stop();
    expect(run.counts).toEqual({ started: 3, stopped: 3 });
  });

  it.each([
    ['start', { type: 'start' } as const],
    ['retry', { type: 'retry' } as const],
    ['update', { type: 'update', input: 'other' } as const],
  ])('O5 once it gave up it is not watched, and after %s it is again', async (_, event) => {
    const run = surrounded([REFUSED, MADE], { backoff: { maxAttempts: 1 } });
    expect(run.isWatched()).toBe(true);
    await run.clock.advance(10);
    expect(run.value()).toBe('failed');
    expect(run.counts).toEqual({ started: 1, stopped: 1 });
    run.actor.send(event);
    expect(run.isWatched()).toBe(true);
    run.actor.stop();
    expect(run.counts).toEqual({ started: 2, stopped: 2 });
  });

  it('O5 from failed to idle it is not even looked at', async () => {
    const run = surrounded([REFUSED], { backoff: { maxAttempts: 1 } });
    await run.clock.advance(10);
    run.actor.send({ type: 'stop' });
    expect(run.counts).toEqual({ started: 1, stopped: 1 });
    run.actor.stop();
  });

  it.each([
    ['connecting', 5],
    ['connected', 15],
    ['backingOff', 1_030],
  ])('O5 R8 a parent stop while %s stops watching', async (state, at) => {
    const run = surrounded([{ connectMs: 10, sessionMs: 1_000 }, REFUSED]);
    await run.clock.advance(at);
    expect(run.value()).toBe(state);
    run.actor.stop();
    expect(run.counts).toEqual({ started: 1, stopped: 1 });
    await run.clock.settle();
    expect(run.clock.pending).toBe(0);
  });

  it('H O5 what was said before a stop is forgotten: nobody would say when it is over', async () => {
    const run = surrounded([MADE, ...refusals(3), MADE]);
    await run.clock.advance(20);
    run.say('offline', 'suspend');
    expect(run.context()).toMatchObject({ online: false, suspended: true });
    run.actor.send({ type: 'stop' });
    expect(run.context()).toMatchObject({ online: true, suspended: false });
    run.actor.send({ type: 'start' });
    await run.clock.advance(20_000);
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });

  it('H O5 and so is what was said before it gave up', async () => {
    const run = surrounded([{ connectMs: 10, sessionMs: 50 }, MADE], { backoff: { maxAttempts: 1 } });
    await run.clock.advance(20);
    run.say('offline', 'suspend');
    await run.clock.advance(100);
    expect(run.value()).toBe('failed');
    expect(run.context()).toMatchObject({ online: true, suspended: false });
  });
});

describe('O4 a source is user code', () => {
  const boom = (): never => {
    throw new Error('boom');
  };

  it('O4 one that throws at the start is reported, and changes nothing', async () => {
    const run = surrounded([REFUSED, MADE], { environment: boom });
    await run.clock.advance(2_000);
    expect(run.value()).toBe('connected');
    run.actor.stop();
    expect(run.errors).toEqual([{ source: 'environment', message: 'boom' }]);
  });

  it('O4 one that throws when stopped is reported, and changes nothing', async () => {
    const run = surrounded([MADE], { environment: () => boom });
    await run.clock.advance(20);
    run.actor.send({ type: 'stop' });
    expect(run.value()).toBe('idle');
    expect(run.closes()).toEqual([['stopped']]);
    run.actor.stop();
    expect(run.errors).toEqual([{ source: 'environment', message: 'boom' }]);
  });

  it('O4 one that returns nothing, and one that speaks at once', async () => {
    const run = surrounded([REFUSED, MADE], { environment: (send) => send({ type: 'suspend' }) });
    await run.clock.advance(HOUR);
    expect(run.dials()).toEqual([0]);
    expect(run.context().suspended).toBe(true);
    run.actor.stop();
    expect(run.errors).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['a word', 'online'],
    ['nothing', undefined],
    ['an event of the chart', { type: 'stop' }],
    ['an event of XState', { type: 'xstate.done.actor.connect' }],
  ])('O4 one that says %s is reported by what was expected, and changes nothing', async (_, nonsense) => {
    const run = surrounded([MADE], { environment: (send) => send(nonsense as EnvironmentEvent) });
    await run.clock.advance(20);
    expect(run.actor.getSnapshot().status).toBe('active');
    expect(run.value()).toBe('connected');
    expect(run.errors).toHaveLength(1);
    expect(run.errors[0]?.source).toBe('environment');
    run.actor.stop();
    expect(run.closes()).toEqual([['stopped']]);
  });

  it('O4 the report names what was expected', () => {
    const run = surrounded([MADE], { environment: (send) => send({ type: 'sleep' } as never) });
    expect(run.errors).toEqual([
      {
        source: 'environment',
        message: 'environment: expected one of online, offline, suspend, resume, wake, got sleep',
      },
    ]);
    run.actor.stop();
  });

  it('C1 one that goes on talking after it was stopped is not heard', async () => {
    const run = surrounded([REFUSED, REFUSED, MADE]);
    await run.clock.advance(20);
    run.actor.send({ type: 'stop' });
    run.actor.send({ type: 'start' });
    await run.clock.advance(20);
    const told = run.told().length;
    // The first source is stopped; only the second one counts.
    run.say('online');
    expect(run.told()).toHaveLength(told + 1);
    run.actor.stop();
  });
});

describe('C7 D6 time asleep is no time spent trying', () => {
  it('C7 a wait that ends hours late is taken as sleep: one attempt at once, in a fresh window', async () => {
    const run = surrounded([REFUSED, MADE]);
    await run.clock.advance(500);
    await run.clock.sleep(HOUR);
    expect(run.dials()).toEqual([0, 500 + HOUR]);
    expect(run.reasons()).toEqual(['start', 'wake']);
    expect(run.context().retryStart).toBe(500 + HOUR);
    // What the platform says afterwards changes nothing.
    run.say('wake', 'online', 'resume');
    await run.clock.advance(10);
    expect(run.value()).toBe('connected');
    expect(run.dials()).toHaveLength(2);
    run.actor.stop();
  });

  it('C7 C2 a wake that is told before the timer fires cuts the wait: still one attempt', async () => {
    const run = surrounded([REFUSED, MADE], { backoff: { initial: '1m' } });
    await run.clock.advance(500);
    run.say('wake', 'resume', 'online');
    await run.clock.sleep(HOUR);
    await run.clock.advance(10);
    expect(run.dials()).toHaveLength(2);
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });

  it('D6 without an environment R4 decides, once', async () => {
    const run = play([REFUSED, MADE]);
    run.actor.start();
    await run.clock.advance(500);
    await run.clock.sleep(HOUR);
    expect(run.value()).toBe('failed');
    expect(run.dials()).toEqual([0]);
    expect(run.told()).toEqual(['connecting', 'retrying', 'failed']);
    expect(run.clock.pending).toBe(0);
  });

  it('D6 with one, a wait that is late by no more than a busy process explains is a verdict', async () => {
    const run = surrounded([REFUSED, MADE], { backoff: { timeout: '2s' } });
    await run.clock.advance(500);
    await run.clock.sleep(5_510);
    expect(run.value()).toBe('failed');
  });

  it('D6 C7 an attempt that was slept through is made again, in a fresh window', async () => {
    const run = surrounded([{ connectMs: 20_000 }, MADE], { backoff: resilientBackoff });
    await run.clock.advance(5_000);
    await run.clock.sleep(HOUR);
    expect(run.server.calls[0]?.args.signal.aborted).toBe(true);
    await run.clock.advance(10);
    expect(run.dials()).toEqual([0, 5_000 + HOUR]);
    expect(run.reasons()).toEqual(['start', 'wake']);
    expect(run.value()).toBe('connected');
    expect(run.context().history.at(-1)?.error?.name).toBe('AttemptTimeoutError');
    run.actor.stop();
    expect(run.clock.pending).toBe(0);
  });

  it('D1 without an environment a strict deadline decides over it', async () => {
    const run = play([{ connectMs: 20_000 }, MADE], { backoff: resilientBackoff });
    run.actor.start();
    await run.clock.advance(5_000);
    await run.clock.sleep(HOUR);
    expect(run.value()).toBe('failed');
    expect(run.dials()).toEqual([0]);
  });

  it.each([
    ['wake', []],
    ['online', ['offline']],
    ['resume', ['suspend']],
  ] as const)(
    'D6 %s while dialing reopens the window: the attempt that fails then is the first in it',
    async (type, before) => {
      const run = surrounded([{ connectMs: 600_000, error: 'refused' }, MADE]);
      await run.clock.advance(1_000);
      run.say(...before);
      await run.clock.advance(598_000);
      run.say(type);
      await run.clock.advance(1_000 + 1_000 + 10);
      expect(run.context().retryStart).toBe(599_000);
      expect(run.value()).toBe('connected');
      run.actor.stop();
    },
  );

  it.each([
    ['wake', []],
    ['online', ['offline']],
    ['resume', ['suspend']],
  ] as const)(
    'D6 %s while connected reopens it too: a short session is no end of the old window',
    async (type, before) => {
      const run = surrounded([{ connectMs: 400_000, sessionMs: 500 }, MADE]);
      await run.clock.advance(1_000);
      run.say(...before);
      await run.clock.advance(399_100);
      expect(run.value()).toBe('connected');
      run.say(type);
      await run.clock.advance(400 + 1_000 + 10);
      expect(run.reasons()).toEqual(['start', 'backoff']);
      expect(run.value()).toBe('connected');
      run.actor.stop();
    },
  );

  it.each([
    ['wake', []],
    ['offline', []],
    ['suspend', []],
    ['online', ['offline']],
    ['resume', ['suspend']],
  ] as const)(
    'D1 D6 an attempt that was given what was left of the window is its last one no more after %s',
    async (type, before) => {
      const run = surrounded([{ connectMs: 60_000 }, MADE], { backoff: { timeout: '30s', deadline: 'strict' } });
      await run.clock.advance(10_000);
      run.say(...before);
      run.say(type);
      await run.clock.advance(20_000);
      expect(run.server.calls[0]?.args.signal.aborted).toBe(true);
      expect(run.value()).toBe('backingOff');
      expect(run.context().waitReason).toBe('attempt-timeout');
      if (type === 'suspend') run.say('resume');
      await run.clock.advance(1_010);
      expect(run.value()).toBe('connected');
      run.actor.stop();
    },
  );

  it.each(['online', 'resume'] as const)('R4 %s reopens no window where nothing stood in the way', async (type) => {
    const run = surrounded(refusals(1_000), { backoff: { max: '10s' } });
    for (let i = 0; i < 80 && run.value() !== 'failed'; i++) {
      run.say(type);
      await run.clock.advance(5_000);
    }
    expect(run.value()).toBe('failed');
    expect(run.clock.now()).toBeLessThan(320_000);
  });
});
