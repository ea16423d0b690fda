import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  AttemptTimeoutError,
  type Backoff,
  ReconnectAttemptsError,
  ReconnectTimeoutError,
  reconnect,
  resilientBackoff,
} from '../../src/index';
import type { ScriptedSession } from '../../src/testing/index';
import { websocket } from '../../src/websocket';
import { afterTest, gone, tcpServer } from '../support/servers';
import '../support/unhandled';
import { HANGS, keep, REFUSED, refused, times } from '../support/virtual';

/** The largest draw there is: `Math.random` never gives 1. */
const ALMOST_ONE = 1 - 2 ** -53;
const WEEK = 7 * 86_400_000;

/** When each of these waits is over, one after another from 0 on. */
const endsOf = (waits: readonly number[]): number[] =>
  waits.map((_, i) => waits.slice(0, i + 1).reduce((a, b) => a + b));

describe('jitter: how each wait is spread', () => {
  const backoff = { initial: 1_000, multiplier: 2, max: 10_000, timeout: 0 };

  it.each([
    ['none', 0.5, [1_000, 2_000, 4_000, 8_000, 10_000]],
    ['equal', 0, [500, 1_000, 2_000, 4_000, 5_000]],
    ['equal', 0.5, [750, 1_500, 3_000, 6_000, 7_500]],
    ['full', 0.5, [500, 1_000, 2_000, 4_000, 5_000]],
    ['full', 0.25, [250, 500, 1_000, 2_000, 2_500]],
    ['decorrelated', 0, [1_000, 1_000, 1_000, 1_000, 1_000]],
    ['decorrelated', 0.5, [2_000, 3_500, 5_750, 9_125, 10_000]],
  ] as const)(
    'A3 %s, at draws of %d: it waits, and says so in `retrying`, `wait` and `retryAt`',
    async (jitter, draw, waits) => {
      const { clock, dials, said } = keep(times(5, REFUSED), { backoff: { ...backoff, jitter }, random: () => draw });
      await clock.advance(WEEK);
      expect(dials()).toEqual([0, ...endsOf(waits)]);
      const retrying = said('retrying');
      expect(retrying.map(({ delay }) => delay)).toEqual(waits);
      expect(retrying.map(({ context }) => context.wait)).toEqual(waits);
      expect(retrying.map(({ context }) => context.retryAt)).toEqual(endsOf(waits));
    },
  );

  it('R2 the delay grows as without jitter, whatever was drawn of it', async () => {
    const { clock, said } = keep(times(5, REFUSED), { backoff: { ...backoff, jitter: 'full' }, random: () => 0.1 });
    await clock.advance(WEEK);
    expect(said('retrying').map(({ context }) => context.delay)).toEqual([1_000, 2_000, 4_000, 8_000, 10_000]);
  });

  it('R2 each wait is a draw of its own, and the largest one is no longer than the delay', async () => {
    const draws = [0, 0.5, ALMOST_ONE];
    const { clock, said } = keep(times(3, REFUSED), {
      backoff: { ...backoff, jitter: 'equal' },
      random: () => draws.shift() as number,
    });
    await clock.advance(WEEK);
    const waits = said('retrying').map(({ delay }) => delay);
    expect(waits.slice(0, 2)).toEqual([500, 1_500]);
    expect(waits[2]).toBeCloseTo(4_000, 9);
    expect(waits[2]).toBeLessThanOrEqual(4_000);
  });

  it.each<[what: string, bad: () => number]>([
    [
      'throws',
      () => {
        throw new Error('no random: expected here');
      },
    ],
    ['gives NaN', () => Number.NaN],
    ['gives 1', () => 1],
    ['gives -1', () => -1],
    ['gives nothing', () => undefined as unknown as number],
  ])('A3 a `random` that %s counts as the last draw, and is reported', async (_, bad) => {
    const draws = [bad, () => 0.5, bad];
    const { clock, said, reported } = keep(times(3, REFUSED), {
      backoff: { ...backoff, jitter: 'equal' },
      random: () => draws.shift()?.() as number,
    });
    await clock.advance(WEEK);
    expect(said('retrying').map(({ delay }) => delay)).toEqual([500, 1_500, 3_000]);
    expect(reported.map(({ source }) => source)).toEqual(['random', 'random']);
    for (const { error } of reported) expect((error as Error).message).toContain('random: expected');
  });
});

describe('attemptTimeout: how long one attempt may take', () => {
  const backoff = { attemptTimeout: '10s', timeout: 0 };

  it('E a `connect` that never settles is aborted, and counts as an attempt that failed', async () => {
    const { clock, server, dials, said, state, context } = keep([HANGS, HANGS], { backoff });
    await clock.advance(9_999);
    expect(server.calls[0]?.args.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(server.calls[0]?.args.signal.aborted).toBe(true);
    expect(state()).toBe('backingOff');
    expect(context()).toMatchObject({ attempt: 1, waitReason: 'attempt-timeout', wait: 1_000 });
    const error = context().error as AttemptTimeoutError;
    expect(error).toBeInstanceOf(AttemptTimeoutError);
    expect(error).toMatchObject({ timeout: 10_000, message: 'the attempt timed out after 10s' });
    await clock.advance(11_000);
    expect(dials()).toEqual([0, 11_000]);
    expect(server.calls[1]?.args).toMatchObject({ attempt: 2, lastError: error });
    expect(said('retrying').map(({ delay }) => delay)).toEqual([1_000, 2_000]);
  });

  it('O3 each attempt has its own time: one that hung takes nothing from the next', async () => {
    const { clock, server, state } = keep([HANGS, { connectMs: 9_999 }], { backoff });
    await clock.advance(11_000 + 9_999);
    expect(state()).toBe('connected');
    expect(server.calls.map(({ args }) => args.signal.aborted)).toEqual([true, false]);
  });

  it('C2 an attempt that just makes it leaves no timer behind, and is left alone', async () => {
    const { clock, server, state } = keep([{ connectMs: 9_999 }], { backoff });
    await clock.advance(9_999);
    expect(clock.pending).toBe(0);
    await clock.advance(WEEK);
    expect(state()).toBe('connected');
    expect(server.calls[0]?.args.signal.aborted).toBe(false);
  });

  it('B2 a session that comes after the timeout is closed and never seen', async () => {
    const attempts = [{ connectMs: 10_500 }, { connectMs: 5_000 }];
    const { clock, server, actor, state } = keep(attempts, { backoff, ignoreSignal: true });
    const seen = new Set<unknown>();
    actor.subscribe(({ context: { session } }) => seen.add(session));
    await clock.advance(10_500);
    expect(state()).toBe('backingOff');
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['late']]);
    await clock.advance(10_000);
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['late'], []]);
    expect([...seen]).toEqual([undefined, server.sessions[1]]);
  });

  it('B6 a session that comes while the next attempt is under way is not that attempt’s', async () => {
    const attempts = [{ connectMs: 12_000 }, { connectMs: 5_000 }];
    const { clock, server, context, state } = keep(attempts, { backoff, ignoreSignal: true });
    await clock.advance(12_000);
    expect(state()).toBe('connecting');
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['late']]);
    await clock.advance(4_000);
    expect(context().session).toBe(server.sessions[1]);
  });

  it('B5 a rejection that comes after the timeout changes nothing', async () => {
    const attempts = [{ connectMs: 10_500, error: refused }, HANGS];
    const { clock, context, said } = keep(attempts, { backoff, ignoreSignal: true });
    await clock.advance(10_500);
    expect(context().error).toBeInstanceOf(AttemptTimeoutError);
    expect(said('retrying')).toHaveLength(1);
  });

  it('B9 a `connect` that ignores its signal for ever is left behind each time, and nothing waits for it', async () => {
    const signals: AbortSignal[] = [];
    const connect = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<ScriptedSession>(() => {});
    };
    const { clock, connection } = keep([], { backoff, connect });
    await clock.advance(60_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true, true, false]);
    connection.stop();
    expect(signals.at(-1)?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it.each([{ attemptTimeout: 0 }, {}])('R4 with %j an attempt may take for ever', async (given) => {
    const { clock, server, state } = keep([], { backoff: given });
    await clock.advance(WEEK);
    expect(state()).toBe('connecting');
    expect(server.calls[0]?.args.signal.aborted).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('O6 C4 one above 2^31-1 ms is waited for in full', async () => {
    const attemptTimeout = 2 ** 31 + 5_000;
    const { clock, server } = keep([], { backoff: { attemptTimeout } });
    await clock.advance(attemptTimeout - 1);
    expect(server.calls[0]?.args.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(server.calls[0]?.args.signal.aborted).toBe(true);
  });

  it('E a URL provider that hangs does not hang the connection', async () => {
    const asked: number[] = [];
    const connection = reconnect({
      connect: websocket(
        ({ attempt }) => {
          asked.push(attempt);
          return new Promise<string>(() => {});
        },
        { WebSocket },
      ),
      backoff: { initial: 1, attemptTimeout: 5, maxAttempts: 3 },
    });
    afterTest(() => connection.stop());
    await expect(connection.closed()).rejects.toThrow('the attempt timed out after 5ms');
    expect(asked).toEqual([1, 2, 3]);
  });

  it('E a real server that accepts and never answers the handshake is left, and its socket with it', async () => {
    const server = await tcpServer();
    const connection = reconnect({
      connect: websocket(`ws://127.0.0.1:${server.port}`, { WebSocket }),
      backoff: { initial: 1, attemptTimeout: 30 },
    });
    afterTest(() => connection.stop());
    const first = await server.peers.next();
    await gone(first);
    const second = await server.peers.next();
    connection.stop();
    await gone(second);
  });
});

describe('maxAttempts: how many attempts of one window may fail', () => {
  it('D5 gives up at once after the last one, with all that it knows', async () => {
    const { clock, connection, dials, said, state, context } = keep(times(9, REFUSED), { backoff: { maxAttempts: 3 } });
    const closed = connection.closed();
    closed.catch(() => {});
    await clock.advance(2_999);
    expect(state()).toBe('backingOff');
    await clock.advance(1);
    expect(dials()).toEqual([0, 1_000, 3_000]);
    expect(state()).toBe('failed');
    const { error, gaveUp } = context();
    expect(error).toBeInstanceOf(ReconnectAttemptsError);
    expect(error).toMatchObject({ attempts: 3, reason: 'attempts', cause: refused });
    expect((error as Error).message).toBe('reconnect gave up after 3 attempts: refused');
    expect(gaveUp).toBe('attempts');
    expect(said('failed')).toMatchObject([{ error, at: 3_000 }]);
    await expect(closed).rejects.toBe(error);
    expect(clock.pending).toBe(0);
    await clock.advance(WEEK);
    expect(dials()).toHaveLength(3);
  });

  it('D5 of 1: the first failure is the last', async () => {
    const { clock, dials, context } = keep(times(9, REFUSED), { backoff: { maxAttempts: 1 } });
    await clock.advance(WEEK);
    expect(dials()).toEqual([0]);
    expect((context().error as Error).message).toBe('reconnect gave up after 1 attempt: refused');
  });

  it('D3 of 0 sets no limit', async () => {
    const { clock, dials, state } = keep(times(1_000, REFUSED), {
      backoff: { maxAttempts: 0, multiplier: 1, timeout: 0 },
    });
    await clock.advance(1_000_000);
    expect(dials()).toHaveLength(1_001);
    expect(state()).toBe('connecting');
  });

  it('A1 sessions that are accepted and closed count: graphql-ws never gets to its limit', async () => {
    const { clock, server, context } = keep(times(9, { sessionMs: 10, reason: 'bye' }), {
      backoff: { maxAttempts: 3, timeout: 0 },
    });
    await clock.advance(WEEK);
    expect(server.sessions).toHaveLength(3);
    expect(context()).toMatchObject({ gaveUp: 'attempts' });
    expect((context().error as Error).message).toBe('reconnect gave up after 3 attempts: bye');
  });

  it('R3 a stable session begins a new count', async () => {
    const script = [REFUSED, REFUSED, { sessionMs: 60_000 }, REFUSED, REFUSED, REFUSED, REFUSED];
    const { clock, server, state } = keep(script, { backoff: { maxAttempts: 3 } });
    await clock.advance(WEEK);
    expect(state()).toBe('failed');
    expect(server.calls.map(({ args }) => args.attempt)).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it.each(['retry', 'start'] as const)('D4 after giving up, %s begins a new count', async (type) => {
    const { clock, server, actor, state, context } = keep(times(9, REFUSED), { backoff: { maxAttempts: 2 } });
    await clock.advance(WEEK);
    actor.send({ type });
    expect(state()).toBe('connecting');
    expect(context()).toMatchObject({ gaveUp: undefined, error: undefined, delay: 1_000 });
    await clock.advance(WEEK);
    expect(state()).toBe('failed');
    expect(server.calls.map(({ args }) => args.attempt)).toEqual([1, 2, 1, 2]);
  });

  it('R4 a window that ends first decides', async () => {
    const { clock, context } = keep(times(9, REFUSED), { backoff: { maxAttempts: 9, timeout: '5s' } });
    await clock.advance(WEEK);
    expect(context().gaveUp).toBe('timeout');
    expect(context().error).toBeInstanceOf(ReconnectTimeoutError);
  });
});

describe('on real time', () => {
  it('O6 no wait ends early, though timers do by up to two milliseconds: a server that asked for it may count', async () => {
    const runs = Array.from({ length: 100 }, async (_, i) => {
      const late: number[] = [];
      let due: number | undefined;
      const connection = reconnect<ScriptedSession>({
        connect: () => {
          if (due !== undefined) late.push(performance.now() - due);
          return Promise.reject(refused);
        },
        backoff: { initial: 3 + i / 7, multiplier: 1, maxAttempts: 5 },
      });
      connection.actor.on('retrying', () => {
        due = connection.snapshot.context.retryAt;
      });
      await expect(connection.closed()).rejects.toBeInstanceOf(ReconnectAttemptsError);
      return late;
    });
    const late = (await Promise.all(runs)).flat();
    expect(late).toHaveLength(400);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  });
});

describe('hours of outage', { timeout: 60_000 }, () => {
  it.each(['none', 'decorrelated'] as const)(
    'C5 10,000 failures never wait less than the initial delay: %s',
    async (jitter) => {
      let draw = 0;
      const { clock, said } = keep(times(10_000, REFUSED), {
        backoff: { timeout: 0, jitter },
        // All over the range, and the same in every run.
        random: () => (draw = (draw + 0.618_033_988_749_894_9) % 1),
      });
      await clock.advance(WEEK);
      const waits = said('retrying').map(({ delay }) => delay);
      expect(waits).toHaveLength(10_000);
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
      expect(Math.max(...waits)).toBe(30_000);
    },
  );
});

describe('resilientBackoff does what it says', () => {
  it('R2 waits half to all of the delay', async () => {
    const draws = [0, 0.5, 0, 0.5];
    const { clock, said } = keep(times(4, REFUSED), {
      backoff: resilientBackoff,
      random: () => draws.shift() as number,
    });
    await clock.advance(9_999);
    expect(said('retrying').map(({ delay }) => delay)).toEqual([500, 1_500, 2_000, 6_000]);
  });

  it('A1 counts a session of less than a second as a failure, and gives up in five minutes', async () => {
    const flap = { connectMs: 20, sessionMs: 999 };
    const { clock, server, said, context } = keep(times(100, flap), { backoff: resilientBackoff, random: () => 0 });
    await clock.advance(WEEK);
    expect(said('failed').map(({ at }) => at)).toEqual([300_000]);
    expect(context().gaveUp).toBe('timeout');
    // 0.5, 1, 2, 4, 8 and then 15 s, with a second of session between.
    expect(server.calls.length).toBeLessThan(25);
  });

  it('D1 gives up an attempt that hangs after ten seconds, and the connection in five minutes', async () => {
    const { clock, server, said, context } = keep([], { backoff: resilientBackoff, random: () => 0 });
    await clock.advance(10_000);
    expect(server.calls[0]?.args.signal.aborted).toBe(true);
    await clock.advance(WEEK);
    expect(said('failed').map(({ at }) => at)).toEqual([300_000]);
    expect(context().error).toBeInstanceOf(ReconnectTimeoutError);
    expect((context().error as Error).cause).toBeInstanceOf(AttemptTimeoutError);
  });

  it('R1 one setting over it changes that one', async () => {
    const backoff: Partial<Backoff> = { ...resilientBackoff, maxAttempts: 2 };
    const { clock, context } = keep([], { backoff, random: () => 0 });
    await clock.advance(20_500);
    expect(context().gaveUp).toBe('attempts');
  });
});
