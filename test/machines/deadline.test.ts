import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { AttemptTimeoutError, createReconnectMachine, ReconnectTimeoutError, reconnect } from '../../src/index';
import { createScriptedServer, createVirtualClock, type ScriptedAttempt } from '../../src/testing/index';
import '../support/unhandled';
import { HANGS, keep, REFUSED, refused, times } from '../support/virtual';

const strict = { deadline: 'strict', timeout: '10s' } as const;
const WEEK = 7 * 86_400_000;

describe('a strict deadline', () => {
  it('D1 aborts an attempt that hangs when the window ends, and gives up then', async () => {
    const { clock, server, said, state, context } = keep([HANGS], { backoff: strict });
    await clock.advance(9_999);
    expect(state()).toBe('connecting');
    expect(server.calls[0]?.args.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(server.calls[0]?.args.signal.aborted).toBe(true);
    expect(state()).toBe('failed');
    expect(said('retrying')).toEqual([]);
    const error = context().error as ReconnectTimeoutError;
    expect(error).toBeInstanceOf(ReconnectTimeoutError);
    expect(error.message).toBe('reconnect timed out after 10s: the attempt timed out after 10s');
    expect(error.cause).toBeInstanceOf(AttemptTimeoutError);
  });

  it('D1 an attempt has what the others left of the window', async () => {
    // Dials at 0, 1, 3 and 7 s.
    const { clock, server, said, context } = keep([REFUSED, REFUSED, REFUSED, HANGS], { backoff: strict });
    await clock.advance(WEEK);
    expect(said('failed').map(({ at }) => at)).toEqual([10_000]);
    expect(server.calls.at(-1)).toMatchObject({ at: 7_000, args: { signal: { aborted: true } } });
    expect((context().error as Error).cause).toMatchObject({ timeout: 3_000 });
  });

  it('D1 a session that comes after the deadline is closed and never seen', async () => {
    const { clock, server, state } = keep([{ connectMs: 10_001 }], { backoff: strict, ignoreSignal: true });
    await clock.advance(WEEK);
    expect(state()).toBe('failed');
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['late']]);
  });

  it('D2 cuts the last wait to the end of the window, says so, and dials no more', async () => {
    // Dials at 0, 1, 3 and 7 s; the next wait would be 8 s.
    const { clock, dials, said, context } = keep(times(9, REFUSED), { backoff: strict });
    await clock.advance(7_000);
    expect(said('retrying').at(-1)).toMatchObject({ at: 7_000, delay: 3_000 });
    expect(context()).toMatchObject({ wait: 3_000, retryAt: 10_000 });
    await clock.advance(WEEK);
    expect(said('failed').map(({ at }) => at)).toEqual([10_000]);
    expect(context().error).toMatchObject({ timeout: 10_000, cause: refused });
    expect(dials()).toEqual([0, 1_000, 3_000, 7_000]);
  });

  it('D2 a wait that ends with the window leads to no dial', async () => {
    const { clock, dials, state } = keep(times(9, REFUSED), { backoff: { ...strict, initial: 5_000, multiplier: 1 } });
    await clock.advance(WEEK);
    expect(state()).toBe('failed');
    expect(dials()).toEqual([0, 5_000]);
  });

  it.each([
    [2_999, 'connected'],
    [3_001, 'failed'],
  ])('D1 an attempt that needs %i ms of the 3000 left ends %s', async (connectMs, end) => {
    const { clock, state } = keep([REFUSED, REFUSED, REFUSED, { connectMs }], { backoff: strict });
    await clock.advance(WEEK);
    expect(state()).toBe(end);
  });

  it('D1 a session that came in time is not ended by the deadline', async () => {
    const { clock, server, state } = keep([{ connectMs: 9_999 }], { backoff: strict });
    await clock.advance(WEEK);
    expect(state()).toBe('connected');
    expect(server.calls[0]?.args.signal.aborted).toBe(false);
  });

  it('A1 a session too short, that ends after the deadline, is the end', async () => {
    const backoff = { ...strict, minUptime: '1m' };
    const { clock, said, context } = keep([{ sessionMs: 30_000, reason: 'bye' }], { backoff });
    await clock.advance(WEEK);
    expect(said('failed').map(({ at }) => at)).toEqual([30_000]);
    expect((context().error as Error).message).toBe('reconnect timed out after 10s: bye');
  });

  it('D1 attemptTimeout counts where it is shorter, the deadline where that is', async () => {
    const backoff = { ...strict, attemptTimeout: '4s', initial: 1_000 };
    const { clock, dials, said } = keep([], { backoff });
    await clock.advance(WEEK);
    expect(dials()).toEqual([0, 5_000]);
    expect(said('retrying').map(({ at, error }) => [at, (error as AttemptTimeoutError).timeout])).toEqual([
      [4_000, 4_000],
      [9_000, 4_000],
    ]);
    expect(said('failed').map(({ at }) => at)).toEqual([10_000]);
  });

  it('D1 ends one attempt in the middle of a fraction of a millisecond, whatever the rounding', async () => {
    for (let i = 1; i <= 50; i++) {
      const { clock, said, state } = keep([REFUSED, HANGS], {
        backoff: { deadline: 'strict', initial: i / 7, timeout: (i * 10) / 3 },
      });
      await clock.advance(WEEK);
      expect(state()).toBe('failed');
      expect(said('retrying')).toHaveLength(1);
    }
  });

  it('D1 the timeout of somebody else’s attempt, thrown by connect, is no deadline', async () => {
    const { clock, dials } = keep([{ error: new AttemptTimeoutError(60_000) }], { backoff: strict });
    await clock.advance(1_000);
    expect(dials()).toEqual([0, 1_000]);
  });

  it.each([{ timeout: 0 }, { timeout: 0, maxAttempts: 2 }])('D3 %j means for ever', async (given) => {
    const { clock, server, state } = keep([REFUSED], { backoff: { deadline: 'strict', ...given } });
    await clock.advance(WEEK);
    expect(state()).toBe('connecting');
    expect(server.calls.at(-1)).toMatchObject({ at: 1_000, args: { signal: { aborted: false } } });
  });

  it.each(['retry', 'start'] as const)('D4 after giving up, %s has a fresh window', async (type) => {
    const { clock, actor, dials, said, state } = keep([HANGS, REFUSED, HANGS], { backoff: strict });
    await clock.advance(60_000);
    expect(state()).toBe('failed');
    actor.send({ type });
    await clock.advance(9_999);
    expect(state()).toBe('connecting');
    await clock.advance(1);
    expect(state()).toBe('failed');
    expect(dials()).toEqual([0, 60_000, 61_000]);
    expect(said('failed').map(({ at }) => at)).toEqual([10_000, 70_000]);
  });

  it('D4 a stable session opens a fresh window', async () => {
    const { clock, said } = keep([REFUSED, { sessionMs: 60_000 }], { backoff: strict });
    await clock.advance(WEEK);
    expect(said('failed').map(({ at }) => at)).toEqual([1_000 + 60_000 + 10_000]);
  });

  it('D5 giving up is seen by state, event, error and every promise', async () => {
    const { clock, connection, said, state, context } = keep(times(9, REFUSED), { backoff: strict });
    const promises = [connection.closed(), connection.connected(), connection.status(), connection.statuses().next()];
    const outcomes = Promise.allSettled(promises);
    await clock.advance(10_000);
    const error = context().error as ReconnectTimeoutError;
    expect(state()).toBe('failed');
    expect(context()).toMatchObject({ gaveUp: 'timeout', retryAt: undefined, waitReason: undefined });
    expect(connection.summary()).toMatchObject({ state: 'failed', gaveUp: 'timeout', lastError: { name: error.name } });
    expect(error).toMatchObject({ name: 'ReconnectTimeoutError', reason: 'timeout', timeout: 10_000, cause: refused });
    expect(said('failed')).toMatchObject([{ error, at: 10_000 }]);
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: error });
  });
});

describe('a deadline and the clocks', () => {
  it.each([
    ['waited', [REFUSED]],
    ['hung', [HANGS]],
  ])('D6 asleep while it %s, past the end: decides once, and dials no more', async (_, script) => {
    const { clock, dials, said, state } = keep(script, { backoff: strict });
    await clock.advance(500);
    await clock.sleep(600_000);
    expect(state()).toBe('failed');
    await clock.advance(WEEK);
    expect(said('failed').map(({ at }) => at)).toEqual([600_500]);
    expect(dials()).toEqual([0]);
  });

  it('R4 D6 between attempts too: the window that passed while asleep is over', async () => {
    const { clock, dials, said } = keep([REFUSED], {});
    await clock.advance(500);
    await clock.sleep(600_000);
    await clock.advance(WEEK);
    expect(said('failed').map(({ at }) => at)).toEqual([600_500]);
    expect(dials()).toEqual([0]);
  });

  it.each(['strict', 'between-attempts'] as const)(
    'C7 %s: timers late by minutes bring one dial, not those that were missed',
    async (deadline) => {
      const { clock, dials, said } = keep([REFUSED, REFUSED, HANGS], { backoff: { deadline, timeout: '1h' } });
      await clock.advance(500);
      await clock.sleep(600_000);
      expect(dials()).toEqual([0, 600_500]);
      // The wait after it is the next one of the backoff, in full.
      expect(said('retrying').at(-1)).toMatchObject({ at: 600_500, delay: 2_000 });
      await clock.advance(2_000);
      expect(dials()).toEqual([0, 600_500, 602_500]);
    },
  );

  it('C6 a wall clock that jumps changes nothing but what the history says', async () => {
    const day = 86_400_000;
    const readings = [day, -day, 400 * day, 0, 7];
    const run = async (wallClock: () => number) => {
      const { clock, dials, said, context } = keep(times(9, REFUSED), { backoff: strict, wallClock });
      await clock.advance(WEEK);
      return { dials: dials(), failed: said('failed').map(({ at }) => at), history: context().history };
    };
    const steady = await run(() => 0);
    const jumping = await run(() => readings.shift() ?? 0);
    expect(jumping.dials).toEqual(steady.dials);
    expect(jumping.failed).toEqual(steady.failed);
    expect(jumping.history.map(({ time }) => time)).toEqual([day, -day, 400 * day, 0]);
  });

  it('D2 on real time a strict window makes no dial after its end, though timers fire a little early', async () => {
    const runs = Array.from({ length: 200 }, async (_, i) => {
      let dials = 0;
      const connection = reconnect<{ closed: Promise<void> }>({
        connect: () => {
          dials += 1;
          return Promise.reject(refused);
        },
        // The wait is cut to the end of the window, wherever in a millisecond that is.
        backoff: { deadline: 'strict', timeout: 5 + i / 7 },
      });
      await expect(connection.closed()).rejects.toBeInstanceOf(ReconnectTimeoutError);
      return dials;
    });
    expect(await Promise.all(runs)).toEqual(Array(200).fill(1));
  });

  it('D1 on real time an attempt that hangs is the last thing of its window', async () => {
    const runs = Array.from({ length: 200 }, async (_, i) => {
      const events: string[] = [];
      const connection = reconnect<{ closed: Promise<void> }>({
        connect: () => new Promise(() => {}),
        backoff: { deadline: 'strict', timeout: 5 + i / 7 },
        autoStart: false,
      });
      connection.actor.on('*', ({ type }) => events.push(type));
      connection.actor.send({ type: 'start' });
      await expect(connection.closed()).rejects.toBeInstanceOf(ReconnectTimeoutError);
      return events.join(' ');
    });
    expect(new Set(await Promise.all(runs))).toEqual(new Set(['connecting failed']));
  });
});

describe('the first window begins when the actor is started, however long ago it was created', () => {
  /** An actor started 400 s after it was created. */
  async function startLate(attempts: readonly ScriptedAttempt[], backoff: object) {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, attempts);
    const machine = createReconnectMachine({ connect: server.connect, close: server.close, backoff, now: clock.now });
    const actor = createActor(machine, { clock });
    await clock.advance(400_000);
    const failed: number[] = [];
    actor.on('failed', () => failed.push(clock.now() - 400_000));
    actor.start();
    await clock.advance(1);
    return { clock, server, actor, failed, dials: () => server.calls.map(({ at }) => at - 400_000) };
  }

  it('D1 strict: an attempt that hangs has the whole of it', async () => {
    const { clock, failed } = await startLate([HANGS], strict);
    await clock.advance(WEEK);
    expect(failed).toEqual([10_000]);
  });

  it('D2 strict: the waits have the whole of it', async () => {
    const { clock, failed, dials } = await startLate(times(9, REFUSED), strict);
    await clock.advance(WEEK);
    expect(dials()).toEqual([0, 1_000, 3_000, 7_000]);
    expect(failed).toEqual([10_000]);
  });

  it.each([strict, { timeout: '10s' }])(
    'R4 %j: a first session that was short has the whole of it',
    async (backoff) => {
      const { clock, dials, actor } = await startLate([{ sessionMs: 500 }, HANGS], backoff);
      await clock.advance(2_000);
      expect(dials()).toEqual([0, 1_500]);
      expect(actor.getSnapshot().value).toBe('connecting');
      actor.stop();
    },
  );

  it.each([strict, { timeout: '10s' }])('R4 %j: a first attempt made anew has the whole of it', async (backoff) => {
    const { clock, dials, actor } = await startLate([HANGS, REFUSED, HANGS], backoff);
    actor.send({ type: 'retry', restart: true });
    await clock.advance(2_000);
    expect(dials()).toEqual([0, 1, 1_001]);
    expect(actor.getSnapshot().value).toBe('connecting');
    actor.stop();
  });
});

describe('between attempts, the default', () => {
  const backoff = { timeout: '10s' };

  it('R4 the last wait is not cut, and only its end is the end', async () => {
    const { clock, dials, said } = keep(times(9, REFUSED), { backoff });
    await clock.advance(WEEK);
    expect(dials()).toEqual([0, 1_000, 3_000, 7_000]);
    expect(said('retrying').at(-1)).toMatchObject({ delay: 8_000 });
    expect(said('failed').map(({ at }) => at)).toEqual([15_000]);
  });

  it('R4 an attempt may overrun the window and still win', async () => {
    const { clock, server, state } = keep([REFUSED, { connectMs: 60_000 }], { backoff });
    await clock.advance(WEEK);
    expect(state()).toBe('connected');
    expect(server.calls.map(({ args }) => args.signal.aborted)).toEqual([false, false]);
  });
});
