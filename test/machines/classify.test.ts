import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ClassifyOptions, classifyUsual } from '../../src/classify';
import {
  AttemptTimeoutError,
  type FailureFacts,
  HalfOpenError,
  ReconnectAttemptsError,
  ReconnectFatalError,
  type Reconnection,
  reconnect,
  type Verdict,
} from '../../src/index';
import type { ScriptedAttempt, ScriptedSession } from '../../src/testing/index';
import { type WebSocketSession, websocket } from '../../src/websocket';
import { afterTest, faultServer, httpServer, webSocketServer } from '../support/servers';
import '../support/unhandled';
import { HANGS, keep, REFUSED, refused, times } from '../support/virtual';

type Handle = Reconnection<ScriptedSession>;

const WEEK = 7 * 86_400_000;

/** A `classify` that answers with `verdicts` one after another, and with `retry` when it has no more. */
function answering(...verdicts: unknown[]) {
  const seen: FailureFacts[] = [];
  const classify = (failure: FailureFacts): Verdict => {
    seen.push(failure);
    return (verdicts.length > 0 ? verdicts.shift() : 'retry') as Verdict;
  };
  return { seen, classify };
}

/** Failures of each kind, with a `backoff` under which they happen; the one of a stable session comes after a minute. */
const failures: Record<string, { script: ScriptedAttempt; backoff: object; at: number }> = {
  'an attempt that failed': { script: REFUSED, backoff: {}, at: 0 },
  'an attempt that took too long': { script: HANGS, backoff: { attemptTimeout: 200 }, at: 200 },
  'a session that was short': { script: { sessionMs: 300, reason: refused }, backoff: {}, at: 300 },
};
const failed = Object.entries(failures).map(([what, failure]) => ({ what, ...failure }));
const STABLE: ScriptedAttempt = { sessionMs: 60_000, reason: 'bye' };

describe('what classify is told', () => {
  it('F of an attempt, a timeout, a short and a long session: each once, with all there is to know', async () => {
    const { seen, classify } = answering();
    const script = [REFUSED, HANGS, { sessionMs: 300, reason: 'bye' }, { sessionMs: 5_000, reason: refused }, REFUSED];
    const { clock } = keep(script, { classify, backoff: { attemptTimeout: 200 } });
    await clock.advance(1_000 + 200 + 2_000 + 300 + 4_000 + 5_000);
    expect(seen).toEqual([
      { error: refused, attempt: 1, phase: 'connect', uptime: 0 },
      { error: expect.any(AttemptTimeoutError), attempt: 2, phase: 'connect', uptime: 0 },
      { error: 'bye', attempt: 3, phase: 'session', uptime: 300 },
      { error: refused, attempt: 4, phase: 'session', uptime: 5_000 },
      { error: refused, attempt: 1, phase: 'connect', uptime: 0 },
    ]);
  });

  it('F of a half-open session, how long there was a sign of life', async () => {
    const { seen, classify } = answering();
    const answers = [Promise.resolve(), new Promise(() => {})];
    const liveness = { every: 1_000, within: 500, probe: () => answers.shift() };
    const { clock } = keep([{}], { classify, liveness });
    await clock.advance(2_500);
    expect(seen).toEqual([{ error: expect.any(HalfOpenError), attempt: 1, phase: 'session', uptime: 1_000 }]);
  });

  it('B5 nothing of what was abandoned: late results, stops', async () => {
    const { seen, classify } = answering();
    const script = [{ connectMs: 500, error: refused }, {}];
    const { clock, connection } = keep(script, { classify, backoff: { attemptTimeout: 200 }, ignoreSignal: true });
    await clock.advance(5_000);
    connection.stop();
    await clock.advance(5_000);
    expect(seen).toHaveLength(1);
  });

  it('F of a `closed` that settles twice, once', async () => {
    const { seen, classify } = answering();
    const closed = {
      // biome-ignore format: both, as where `error` and `close` both fire
      then: (resolve: (reason: unknown) => void, reject: (error: unknown) => void) => { reject(refused); resolve('bye'); },
    };
    const connect = async () => ({ closed, close: () => {} }) as unknown as ScriptedSession;
    const { clock } = keep([], { connect, classify, close: () => {}, backoff: { maxAttempts: 1 } });
    await clock.settle();
    expect(seen.map(({ error }) => error)).toEqual([refused]);
  });
});

describe('each verdict on each failure', () => {
  it.each(failed)('R2 retry after $what waits as without classify', async ({ script, backoff, at }) => {
    const { clock, dials } = keep([script], { backoff, ...answering('retry') });
    await clock.advance(WEEK);
    expect(dials().slice(0, 2)).toEqual([0, at + 1_000]);
  });

  it.each(failed)('D5 give-up after $what ends it at once, for all to see', async ({ script, backoff, at }) => {
    const { clock, server, connection, said, state, context } = keep([script], { backoff, ...answering('give-up') });
    const promises = [connection.closed(), connection.connected().then(() => connection.closed())];
    const outcomes = Promise.allSettled(promises);
    await clock.advance(at);
    expect(state()).toBe('failed');
    expect(clock.pending).toBe(0);
    const error = context().error as ReconnectFatalError;
    const [entry] = context().history;
    expect(error).toBeInstanceOf(ReconnectFatalError);
    expect(error).toMatchObject({ name: 'ReconnectFatalError', reason: 'fatal' });
    expect(error.message).toBe(`reconnect gave up: ${entry?.error?.message}`);
    if (script !== HANGS) expect(error.cause).toBe(refused);
    expect(context()).toMatchObject({ gaveUp: 'fatal', session: undefined, retryAt: undefined });
    expect(said('failed')).toMatchObject([{ error, at }]);
    expect(said('retrying')).toEqual([]);
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: error });
    await clock.advance(WEEK);
    expect(server.calls).toHaveLength(1);
  });

  it.each(failed)('A5 retry-now after $what dials at once', async ({ script, backoff, at }) => {
    const { clock, dials, said } = keep([script], { backoff, ...answering('retry-now') });
    await clock.advance(at + 50);
    expect(dials()).toEqual([0, at]);
    expect(said('connecting').at(-1)).toMatchObject({ attempt: 2, reason: 'refresh' });
    expect(said('retrying')).toEqual([]);
  });

  it.each(failed)('R2 retryAfter after $what waits so long', async ({ script, backoff, at }) => {
    const { clock, dials, said } = keep([script], { backoff, ...answering({ retryAfter: '7s' }) });
    await clock.advance(at + 7_000);
    expect(dials()).toEqual([0, at + 7_000]);
    expect(said('retrying')).toMatchObject([{ at, delay: 7_000, reason: 'retry-after' }]);
  });

  it.each([
    ['retry', 60_000, 'closed'],
    ['retry-now', 60_000, 'closed'],
    [{ retryAfter: 5_000 }, 65_000, 'backoff'],
  ])('R3 %j after a stable session leads to a dial at %i', async (verdict, at, reason) => {
    const { clock, dials, said } = keep([STABLE], answering(verdict));
    await clock.advance(100_000);
    expect(dials()).toEqual([0, at]);
    expect(said('connecting').at(-1)).toMatchObject({ attempt: 1, reason });
  });

  it('D5 give-up after a stable session ends it all the same', async () => {
    const { clock, state, context } = keep([STABLE], answering('give-up'));
    await clock.advance(60_000);
    expect(state()).toBe('failed');
    expect((context().error as Error).message).toBe('reconnect gave up: bye');
  });
});

describe('retryAfter is a floor for the wait', () => {
  it.each([
    ['above the delay', { retryAfter: 5_000 }, 5_000, 'retry-after'],
    ['above max', { retryAfter: '10m' }, 600_000, 'retry-after'],
    ['above 2^31-1 ms (C4)', { retryAfter: 2 ** 31 + 5_000 }, 2 ** 31 + 5_000, 'retry-after'],
    ['below the delay', { retryAfter: 400 }, 1_000, 'connect-failed'],
    ['of 0, as of a date that is past', { retryAfter: 0 }, 1_000, 'connect-failed'],
  ])('R2 %s', async (_, verdict, delay, reason) => {
    const { clock, dials, said } = keep([REFUSED], { backoff: { timeout: 0 }, ...answering(verdict) });
    await clock.advance(delay);
    expect(dials()).toEqual([0, delay]);
    expect(said('retrying')).toMatchObject([{ delay, reason }]);
  });

  it('R2 under what jitter drew of the delay', async () => {
    const script = times(2, REFUSED);
    const { clock, said } = keep(script, {
      backoff: { initial: 10_000, jitter: 'full' },
      random: () => 0.1,
      ...answering({ retryAfter: 3_000 }, { retryAfter: 1_500 }),
    });
    await clock.advance(5_000);
    expect(said('retrying').map(({ delay }) => delay)).toEqual([3_000, 2_000]);
  });

  it('R2 the delay grows by itself meanwhile', async () => {
    const script = times(3, REFUSED);
    const { clock, said } = keep(script, answering({ retryAfter: '20s' }, 'retry', { retryAfter: '3s' }));
    await clock.advance(WEEK);
    expect(said('retrying').map(({ delay }) => delay)).toEqual([20_000, 2_000, 4_000]);
  });

  it('D2 beyond a strict window it is cut like any wait, and there is no dial', async () => {
    const backoff = { deadline: 'strict', timeout: '10s' } as const;
    const { clock, dials, said } = keep([REFUSED], { backoff, ...answering({ retryAfter: '1m' }) });
    await clock.advance(WEEK);
    expect(said('retrying')).toMatchObject([{ delay: 10_000, reason: 'retry-after' }]);
    expect(said('failed').map(({ at }) => at)).toEqual([10_000]);
    expect(dials()).toEqual([0]);
  });

  it('R3 after a stable session it waits at least the initial delay, and says who asked', async () => {
    const { clock, said } = keep([STABLE], answering({ retryAfter: 100 }));
    await clock.advance(100_000);
    expect(said('retrying')).toMatchObject([{ at: 60_000, delay: 1_000, reason: 'retry-after' }]);
  });

  it('I a stable session that ends while suspended waits for resume, and is not called unhealthy', async () => {
    const { clock, actor, dials, said } = keep([STABLE], {});
    await clock.advance(1_000);
    actor.send({ type: 'suspend' });
    await clock.advance(WEEK);
    expect(said('retrying')).toMatchObject([{ at: 60_000, reason: 'suspended' }]);
    expect(dials()).toEqual([0]);
    actor.send({ type: 'resume' });
    await clock.advance(1_000);
    expect(dials()).toHaveLength(2);
  });

  it.each([900, 1_100])(
    'I a network that comes back does not cut what the server asked for: %i ms',
    async (retryAfter) => {
      const { clock, actor, dials } = keep([REFUSED], { random: () => 0, ...answering({ retryAfter }) });
      await clock.settle();
      actor.send({ type: 'online' });
      actor.send({ type: 'wake' });
      await clock.advance(5_000);
      expect(dials()).toEqual([0, Math.max(1_000, retryAfter)]);
    },
  );

  it('I a wait that nobody asked for is cut', async () => {
    const { clock, actor, dials } = keep([REFUSED], { random: () => 0, ...answering({ retryAfter: 0 }) });
    await clock.settle();
    actor.send({ type: 'online' });
    await clock.advance(5_000);
    expect(dials()).toEqual([0, 0]);
  });

  it('C3 a person who asks does not wait', async () => {
    const { clock, connection, dials } = keep([REFUSED], answering({ retryAfter: '1m' }));
    await clock.settle();
    connection.retry();
    await clock.advance(5_000);
    expect(dials()).toEqual([0, 0]);
  });
});

describe('retry-now works once in a row', () => {
  it('A5 then it counts as a failure, and the waits grow', async () => {
    const { clock, dials, said } = keep(times(5, REFUSED), answering(...Array(5).fill('retry-now')));
    await clock.advance(20_000);
    expect(dials()).toEqual([0, 0, 1_000, 3_000, 7_000, 15_000]);
    expect(said('connecting').map(({ reason }) => reason)).toEqual(['start', 'refresh', ...Array(4).fill('backoff')]);
    expect(said('connecting').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('A5 after another verdict it works again', async () => {
    const { clock, dials } = keep(times(5, REFUSED), answering('retry-now', 'retry-now', 'retry', 'retry-now'));
    await clock.advance(3_000);
    expect(dials()).toEqual([0, 0, 1_000, 3_000, 3_000]);
  });

  it('A5 after a stable session it works again', async () => {
    const script = [REFUSED, STABLE, REFUSED, REFUSED];
    const { clock, dials } = keep(script, answering('retry-now', 'retry', 'retry-now', 'retry-now'));
    await clock.advance(60_500);
    expect(dials()).toEqual([0, 0, 60_000, 60_000]);
  });

  it('R4 not once the window is spent', async () => {
    const { clock, dials, state } = keep([{ connectMs: 400_000, error: refused }], answering('retry-now'));
    await clock.advance(WEEK);
    expect(state()).toBe('failed');
    expect(dials()).toEqual([0]);
  });

  it('A5 maxAttempts: the one at once is made, and then it gives up', async () => {
    const backoff = { maxAttempts: 3 };
    const verdicts = ['retry', 'retry', 'retry-now', 'retry-now'];
    const { clock, dials, context } = keep(times(9, REFUSED), { backoff, ...answering(...verdicts) });
    await clock.advance(WEEK);
    expect(dials()).toEqual([0, 1_000, 3_000, 3_000]);
    expect(context().error).toMatchObject({ name: 'ReconnectAttemptsError', attempts: 4 });
  });

  it('A5 a session accepted, then refused for an expired token, for ever: no hot loop, and an end', async () => {
    const refusal = { connectMs: 20, sessionMs: 50, reason: { code: 4401 } };
    const classify = classifyUsual({ refreshesToken: true });
    const { clock, said, server } = keep(times(100, refusal), { classify });
    await clock.advance(WEEK);
    // At once, then 1, 2, 4, 8, 16 and 30 s each, until the window of five minutes is spent.
    expect(server.calls).toHaveLength(15);
    expect(said('connecting').filter(({ reason }) => reason === 'refresh')).toHaveLength(1);
    expect(said('failed')).toHaveLength(1);
  });
});

describe('O4 classify may misbehave', () => {
  it.each<[what: string, answer: () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('classify: expected no throw');
      },
    ],
    ['answers nothing', () => undefined],
    ['answers null', () => null],
    ['answers another word', () => 'giveup'],
    ['answers a number', () => 5_000],
    ['answers a symbol', () => Symbol('retry')],
    ['answers a negative wait', () => ({ retryAfter: -1 })],
    ['answers a wait that is no number', () => ({ retryAfter: Number.NaN })],
    ['answers a wait without end', () => ({ retryAfter: Number.POSITIVE_INFINITY })],
    ['answers a wait in no unit', () => ({ retryAfter: '5' })],
    [
      'answers a wait that cannot be read',
      () => ({
        get retryAfter() {
          throw new Error('classify: expected no throw');
        },
      }),
    ],
    ['answers a promise', async () => 'give-up'],
    [
      'answers a promise that rejects',
      async () => {
        throw new Error('late');
      },
    ],
  ])('A3 one that %s counts as retry, and is reported once', async (_, answer) => {
    const { clock, reported, said } = keep([REFUSED], { classify: answer as () => Verdict });
    await clock.advance(500);
    expect(said('retrying')).toMatchObject([{ delay: 1_000, reason: 'connect-failed' }]);
    expect(reported.map(({ source }) => source)).toEqual(['classify']);
    expect(reported.map(({ error }) => String(error))).toEqual([expect.stringContaining('classify: expected ')]);
  });

  /** A connection whose `classify` calls `act` with the connection itself, and then answers `verdict`. */
  function meddling(script: readonly ScriptedAttempt[], backoff: object, verdict: Verdict, act: (it: Handle) => void) {
    const kept: ReturnType<typeof keep> = keep(script, {
      backoff,
      classify: () => {
        act(kept.connection);
        return verdict;
      },
    });
    return kept;
  }

  it.each(failed)('G stop from inside it, after $what, is the end of it', async ({ script, backoff }) => {
    const kept = meddling([script], backoff, 'retry-now', (it) => it.stop());
    const closed = kept.connection.closed();
    await kept.clock.advance(10_000);
    expect(await closed).toBeUndefined();
    expect(kept.dials()).toEqual([0]);
    expect(kept.clock.pending).toBe(0);
    expect(kept.server.sessions.every(({ closes }) => closes.length === 1)).toBe(true);
    expect(kept.said('retrying')).toEqual([]);
  });

  it.each(failed)('G a retry with restart from inside it, after $what, is one dial, at once', async (failure) => {
    const { script, backoff, at } = failure;
    const kept = meddling([script, {}], backoff, 'give-up', (it) => it.retry({ restart: true }));
    await kept.clock.advance(10_000);
    expect(kept.dials()).toEqual([0, at]);
    expect(kept.state()).toBe('connected');
    expect(kept.said('failed')).toEqual([]);
    const [last, ...others] = kept.server.sessions.map(({ closes }) => closes.length).reverse();
    expect(last).toBe(0);
    expect(others.every((closes) => closes === 1)).toBe(true);
  });

  it('G C2 a retry from inside it while connecting is ignored, as any is', async () => {
    const kept = meddling([REFUSED], {}, 'retry', (it) => it.retry());
    await kept.clock.advance(1_000);
    expect(kept.dials()).toEqual([0, 1_000]);
  });
});

describe('with real servers', () => {
  /** A connection to a real WebSocket server, judged by `classifyUsual`. */
  function open(port: number, backoff: object, options?: ClassifyOptions) {
    const tokens: string[] = [];
    const connection = reconnect<WebSocketSession<WebSocket>>({
      connect: websocket(
        () => {
          tokens.push(`token-${tokens.length + 1}`);
          return `ws://127.0.0.1:${port}/?token=${tokens.at(-1)}`;
        },
        { WebSocket },
      ),
      classify: classifyUsual(options),
      backoff,
      autoStart: false,
    });
    afterTest(() => connection.stop());
    const reasons: string[] = [];
    connection.actor.on('connecting', ({ reason }) => reasons.push(reason));
    connection.actor.send({ type: 'start' });
    return { connection, tokens, reasons };
  }

  it('A5 4401 for ever: a fresh token at once, one time; then waits; then the end', async () => {
    const urls: (string | undefined)[] = [];
    const server = await webSocketServer((peer, { url }) => {
      urls.push(url);
      peer.close(4401, 'token expired');
    });
    const backoff = { initial: 5, max: 20, minUptime: '1m', maxAttempts: 6 };
    const { connection, tokens, reasons } = open(server.port, backoff, { refreshesToken: true });
    const error = await connection.closed().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ReconnectAttemptsError);
    expect(error).toMatchObject({ attempts: 6, cause: { code: 4401, reason: 'token expired' } });
    expect(reasons).toEqual(['start', 'refresh', 'backoff', 'backoff', 'backoff', 'backoff']);
    expect(urls).toEqual(tokens.map((token) => `/?token=${token}`));
  });

  it('D5 a 401 gives up at once, and one with tokens that are refreshed does not', async () => {
    const server = await faultServer({ behaviour: { kind: 'refuse', status: 401 } });
    const plain = open(server.port, { initial: 5 });
    await expect(plain.connection.closed()).rejects.toMatchObject({
      name: 'ReconnectFatalError',
      cause: { status: 401 },
    });
    expect(plain.reasons).toEqual(['start']);
    const refreshing = open(server.port, { initial: 5, maxAttempts: 3 }, { refreshesToken: true });
    await expect(refreshing.connection.closed()).rejects.toMatchObject({ attempts: 3 });
    expect(refreshing.reasons).toEqual(['start', 'refresh', 'backoff']);
  });

  it('R2 a 429 with Retry-After: 1 is left alone for at least that long, as its server sees it', async () => {
    const requests: number[] = [];
    let second!: () => void;
    const seen = new Promise<void>((resolve) => (second = resolve));
    const server = await httpServer((_, response) => {
      requests.push(performance.now());
      if (requests.length === 2) second();
      response.writeHead(429, { 'retry-after': '1' }).end();
    });
    const { connection } = open(server.port, { initial: 5 });
    await seen;
    connection.stop();
    const [first = 0, next = 0] = requests;
    expect(next - first).toBeGreaterThanOrEqual(1_000);
  });

  it('R2 a 503 is tried again until the server is back', async () => {
    const down = await faultServer({ behaviour: { kind: 'refuse', status: 503 } });
    const { connection } = open(down.port, { initial: 5, max: 20 });
    const error = await new Promise((resolve) => connection.actor.on('retrying', (event) => resolve(event.error)));
    expect(error).toMatchObject({ status: 503 });
    down.treat({ kind: 'serve' });
    const session = await connection.connected();
    expect(session.socket.readyState).toBe(WebSocket.OPEN);
    expect(connection.session).toBe(session);
  });
});
