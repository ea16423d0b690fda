import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { createReconnectMachine, type ReconnectEvent, type ReconnectState } from '../../src/index';
import { createScriptedSession, type ScriptedAttempt, type ScriptedSession } from '../../src/testing/index';
import '../support/unhandled';
import { play } from '../support/play';

const MADE = { connectMs: 10 };
const REFUSED = { connectMs: 10, error: new Error('refused') };
const SLOW = { connectMs: 100 };
const LATER: ScriptedAttempt[] = [MADE, MADE, MADE];

/** How to get into each state, and when to look. */
const WAYS: Record<ReconnectState, { attempts: ScriptedAttempt[]; at: number }> = {
  idle: { attempts: [], at: 0 },
  connecting: { attempts: [SLOW], at: 50 },
  connected: { attempts: [MADE], at: 50 },
  backingOff: { attempts: [REFUSED], at: 50 },
  failed: { attempts: [{ connectMs: 10, error: 'fatal' }], at: 50 },
};

/** A connection in `state`, whose further attempts connect in 10 ms; a session is given up as careless code does. */
async function inState<TInput = void>(state: ReconnectState, input?: TInput) {
  const { attempts, at } = WAYS[state];
  const run = play<TInput>([...attempts, ...LATER], {
    ignoreSignal: true,
    classify: ({ error }) => (error === 'fatal' ? 'give-up' : 'retry'),
    ...(input !== undefined && { input }),
  });
  run.actor.start();
  if (state === 'idle') run.actor.send({ type: 'stop' });
  const before = run.server.calls.length;
  await run.clock.advance(at);
  expect(run.value()).toBe(state);
  return {
    ...run,
    /** The attempts made since then. */
    since: () => run.server.calls.slice(state === 'idle' ? before : 1).map(({ at: time, args }) => ({ time, args })),
    async finish() {
      run.actor.stop();
      await run.clock.advance(100_000);
      expect(run.closes().every((reasons) => reasons.length === 1)).toBe(true);
      expect(run.clock.pending).toBe(0);
    },
  };
}

const STATES = Object.keys(WAYS) as ReconnectState[];

describe('retry has a rule in every state', () => {
  it.each([false, true])('H idle: ignored, as a stop is undone by start alone (restart: %s)', async (restart) => {
    const run = await inState('idle');
    run.actor.send({ type: 'retry', restart });
    await run.clock.advance(100_000);
    expect(run.value()).toBe('idle');
    expect(run.since()).toEqual([]);
    await run.finish();
  });

  it('H connecting: ignored', async () => {
    const run = await inState('connecting');
    run.actor.send({ type: 'retry' });
    run.actor.send({ type: 'retry', restart: false });
    await run.clock.advance(50);
    expect(run.server.calls[0]?.args.signal.aborted).toBe(false);
    expect(run.since()).toEqual([]);
    expect(run.context().session).toBe(run.server.sessions[0]);
    await run.finish();
  });

  it('O2 O3 connecting, with restart: the attempt is abandoned, made anew, and its late session closed', async () => {
    const run = await inState('connecting');
    run.actor.send({ type: 'retry', restart: true });
    expect(run.server.calls[0]?.args.signal.aborted).toBe(true);
    expect(run.since()).toMatchObject([{ time: 50, args: { reason: 'retry', attempt: 2, lastError: undefined } }]);
    await run.clock.advance(50);
    expect(run.closes()).toEqual([[], ['late']]);
    expect(run.context().session).toBe(run.server.sessions[0]);
    await run.finish();
  });

  it.each([false, true])('O1 connected: the session is replaced, in a fresh window (restart: %s)', async (restart) => {
    const run = await inState('connected');
    run.actor.send({ type: 'retry', restart });
    expect(run.closes()).toEqual([['replaced']]);
    expect(run.since()).toMatchObject([{ time: 50, args: { reason: 'retry', attempt: 1, lastError: undefined } }]);
    expect(run.context()).toMatchObject({ retryStart: 50, delay: 1_000 });
    await run.clock.advance(10);
    expect(run.context().session).toBe(run.server.sessions[1]);
    await run.finish();
  });

  it.each([false, true])(
    'C3 backing off: exactly one dial, at once, in the same window (restart: %s)',
    async (restart) => {
      const run = await inState('backingOff');
      run.actor.send({ type: 'retry', restart });
      expect(run.since()).toMatchObject([
        { time: 50, args: { reason: 'retry', attempt: 2, lastError: REFUSED.error } },
      ]);
      expect(run.context()).toMatchObject({ retryStart: 0, delay: 2_000 });
      await run.clock.advance(100_000);
      expect(run.since()).toHaveLength(1);
      await run.finish();
    },
  );

  it.each([false, true])('D4 failed: a fresh window (restart: %s)', async (restart) => {
    const run = await inState('failed');
    run.actor.send({ type: 'retry', restart });
    expect(run.since()).toMatchObject([{ time: 50, args: { reason: 'retry', attempt: 1, lastError: undefined } }]);
    expect(run.context()).toMatchObject({ retryStart: 50, delay: 1_000, gaveUp: undefined, error: undefined });
    await run.clock.advance(10);
    expect(run.value()).toBe('connected');
    await run.finish();
  });

  it('C2 C3 several in one tick are one dial', async () => {
    for (const state of ['connected', 'backingOff', 'failed'] as const) {
      const run = await inState(state);
      for (let i = 0; i < 10; i++) run.actor.send({ type: 'retry' });
      await run.clock.advance(100);
      expect(run.since()).toHaveLength(1);
      expect(run.value()).toBe('connected');
      await run.finish();
    }
  });
});

describe('update has a rule in every state', () => {
  it.each(STATES)('I %s: an input that equals the present one is no change', async (state) => {
    const run = await inState(state, { url: new URL('wss://a/b'), tags: new Map([['a', [1]]]) });
    const told = run.told();
    const present = run.context().input;
    run.actor.send({ type: 'update', input: { url: new URL('wss://a/b'), tags: new Map([['a', [1]]]) } });
    expect(run.value()).toBe(state);
    expect(run.told()).toEqual(told);
    expect(run.closes().flat()).toEqual([]);
    if (state !== 'idle') expect(run.context().input).toBe(present);
    await run.clock.advance(state === 'connecting' ? 50 : 0);
    expect(run.since()).toEqual([]);
    await run.finish();
  });

  it('I idle: taken for the next start', async () => {
    const run = await inState('idle', 'first');
    run.actor.send({ type: 'update', input: 'second' });
    await run.clock.advance(100_000);
    expect(run.value()).toBe('idle');
    expect(run.since()).toEqual([]);
    run.actor.send({ type: 'start' });
    await run.clock.advance(10);
    expect(run.since()).toMatchObject([{ args: { input: 'second', reason: 'start' } }]);
    await run.finish();
  });

  it('B4 O3 connecting: the old attempt is aborted, and its late session closed and never seen', async () => {
    const run = await inState('connecting', 'first');
    const seen = new Set<unknown>();
    run.actor.subscribe(({ context }) => seen.add(context.session));
    run.actor.send({ type: 'update', input: 'second' });
    expect(run.server.calls[0]?.args.signal.aborted).toBe(true);
    await run.clock.advance(50);
    expect(run.since()).toMatchObject([{ time: 50, args: { input: 'second', reason: 'update', attempt: 1 } }]);
    expect(run.closes()).toEqual([[], ['late']]);
    expect(seen).toEqual(new Set([undefined, run.server.sessions[0]]));
    await run.finish();
  });

  it.each(['connected', 'backingOff', 'failed'] as const)(
    'C3 O1 %s: it connects anew, once, in a fresh window',
    async (state) => {
      const run = await inState(state, 'first');
      run.actor.send({ type: 'update', input: 'second' });
      if (state === 'connected') expect(run.closes()).toEqual([['replaced']]);
      await run.clock.advance(10);
      expect(run.since()).toMatchObject([
        { time: 50, args: { input: 'second', reason: 'update', attempt: 1, lastError: undefined } },
      ]);
      expect(run.value()).toBe('connected');
      expect(run.context()).toMatchObject({ input: 'second', retryStart: 50, delay: 1_000 });
      // The same again is no change by now.
      run.actor.send({ type: 'update', input: 'second' });
      await run.clock.advance(100_000);
      expect(run.since()).toHaveLength(1);
      await run.finish();
    },
  );

  it('I there and back in one tick ends where it began: two changes, one session', async () => {
    const run = await inState('connected', 'first');
    run.actor.send({ type: 'update', input: 'second' });
    run.actor.send({ type: 'update', input: 'first' });
    await run.clock.advance(100);
    expect(run.value()).toBe('connected');
    expect(run.context().input).toBe('first');
    expect(run.server.live).toHaveLength(1);
    await run.finish();
  });

  it('B4 an answer to the old input, k microtasks before the new one, is closed', async () => {
    for (let microtasks = 0; microtasks < 8; microtasks++) {
      const answers: ((session: ScriptedSession) => void)[] = [];
      const session = createScriptedSession();
      const run = play<string>([], { input: 'first', connect: () => new Promise((resolve) => answers.push(resolve)) });
      run.actor.start();
      answers[0]?.(session);
      for (let i = 0; i < microtasks; i++) await undefined;
      run.actor.send({ type: 'update', input: 'second' });
      await run.clock.settle();
      expect(run.context()).toMatchObject({ input: 'second', session: undefined });
      expect(session.closes).toHaveLength(1);
      run.actor.stop();
    }
  });
});

describe('connect is told why', () => {
  type Run = ReturnType<typeof play<string>>;
  type Case = [
    reason: string,
    attempts: ScriptedAttempt[],
    options: Parameters<typeof play<string>>[1],
    act: (run: Run) => unknown,
    args: { attempt: number; lastError?: unknown },
  ];
  const LIVENESS = { every: 2_000, within: 100, probe: () => Promise.reject(new Error('EPIPE')) };
  const silent = () => () => {};
  const cases: Case[] = [
    ['start', [MADE], {}, () => {}, { attempt: 1 }],
    ['closed', [{ ...MADE, sessionMs: 5_000, reason: 'bye' }, MADE], {}, () => {}, { attempt: 1, lastError: 'bye' }],
    ['backoff', [REFUSED, MADE], {}, () => {}, { attempt: 2, lastError: REFUSED.error }],
    ['backoff', [{ ...MADE, sessionMs: 5, reason: 'bye' }, MADE], {}, () => {}, { attempt: 2, lastError: 'bye' }],
    [
      'retry',
      [REFUSED, MADE],
      {},
      (run) => run.actor.send({ type: 'retry' }),
      { attempt: 2, lastError: REFUSED.error },
    ],
    ['update', [REFUSED, MADE], {}, (run) => run.actor.send({ type: 'update', input: 'b' }), { attempt: 1 }],
    ['refresh', [REFUSED, MADE], { classify: () => 'retry-now' }, () => {}, { attempt: 2, lastError: REFUSED.error }],
    [
      'refresh',
      [{ ...MADE, sessionMs: 5, reason: 4401 }, MADE],
      { classify: () => 'retry-now' },
      () => {},
      { attempt: 2, lastError: 4401 },
    ],
    ['backoff', [MADE, MADE], { liveness: LIVENESS }, () => {}, { attempt: 2, lastError: expect.any(Error) }],
    ['rotation', [MADE, MADE], { maxSessionAge: 5_000 }, () => {}, { attempt: 1 }],
    ...(['online', 'wake', 'resume'] as const).map(
      (type): Case => [
        type,
        [REFUSED, MADE],
        { environment: silent },
        (run) => run.actor.send({ type }),
        { attempt: 2, lastError: REFUSED.error },
      ],
    ),
  ];

  it.each(cases)('`reason` %s (#%#)', async (reason, attempts, options, act, { attempt, lastError }) => {
    const run = play<string>(attempts, { input: 'a', ...options });
    run.actor.start();
    await run.clock.advance(20);
    act(run);
    await run.clock.advance(6_000);
    const { args } = run.server.calls[attempts.length - 1] ?? {};
    expect(args).toMatchObject({
      reason,
      attempt,
      signal: expect.any(AbortSignal),
      input: reason === 'update' ? 'b' : 'a',
    });
    expect(args?.lastError).toEqual(lastError);
    run.actor.stop();
  });

  it('`reason` half-open, for a session that had given signs of life', async () => {
    let answers = 1;
    const run = play<string>([MADE, MADE], {
      input: 'a',
      liveness: { ...LIVENESS, probe: () => (answers-- > 0 ? true : Promise.reject(new Error('EPIPE'))) },
    });
    run.actor.start();
    await run.clock.advance(4_010);
    expect(run.reasons()).toEqual(['start', 'half-open']);
    run.actor.stop();
  });

  it('the chart remembers it, and tells it', async () => {
    const run = play([REFUSED, MADE]);
    run.actor.start();
    await run.clock.advance(1_010);
    expect(run.context().reason).toBe('backoff');
    expect(run.events).toContainEqual({ type: 'connecting', attempt: 2, reason: 'backoff' });
    run.actor.stop();
  });
});

describe('G events sent from inside user code', () => {
  const events: ReconnectEvent<string>[] = [
    { type: 'stop' },
    { type: 'start' },
    { type: 'retry' },
    { type: 'retry', restart: true },
    { type: 'update', input: 'second' },
    { type: 'wake' },
  ];
  const places = ['connect', 'closed', 'close', 'classify', 'listener', 'environment'] as const;

  it.each(places.flatMap((place) => events.map((event) => [place, JSON.stringify(event), event] as const)))(
    'G O1 in %s, %s: nothing breaks, and every session is closed exactly once',
    async (place, _, event) => {
      let left = 1;
      const act = (here: (typeof places)[number]): void => {
        if (here === place && left-- > 0) run.actor.send(event);
      };
      const attempts = [{ connectMs: 10, sessionMs: 100 }, REFUSED, ...LATER];
      const run = play<string>(attempts, {
        input: 'first',
        connect: (args): Promise<ScriptedSession> => {
          act('connect');
          return run.server.connect(args);
        },
        classify: () => {
          act('classify');
          return 'retry';
        },
        closed: (session) => {
          act('closed');
          return session.closed;
        },
        close: (session, reason) => {
          act('close');
          session.close(reason);
        },
        environment: () => act('environment'),
      });
      run.actor.on('connected', () => act('listener'));
      run.actor.start();
      await run.clock.advance(20_000);
      expect(left).toBeLessThan(1);
      expect(run.value()).toBe(event.type === 'stop' ? 'idle' : 'connected');
      expect(run.server.live).toHaveLength(event.type === 'stop' ? 0 : 1);
      run.actor.stop();
      await run.clock.settle();
      expect(run.closes().every((reasons) => reasons.length === 1)).toBe(true);
      expect(run.errors).toEqual([]);
      expect(run.clock.pending).toBe(0);
    },
  );
});

describe('A2 a listener that asks each time never starves the process', () => {
  let count = 0;
  const update = (): ReconnectEvent<number> => ({ type: 'update', input: ++count });
  const retry = (): ReconnectEvent<number> => ({ type: 'retry' });
  const either = (): ReconnectEvent<number> => (++count % 2 === 0 ? update() : retry());
  const succeeds = async () => createScriptedSession();
  const fails = () => Promise.reject<ScriptedSession>(new Error('refused'));
  const ends = async () => ({ ...createScriptedSession(), closed: Promise.resolve('bye') });
  const throws = (): never => {
    throw new Error('sync');
  };

  const cases = [
    ['connected', succeeds, {}],
    ['disconnected', ends, {}],
    ['retrying', fails, {}],
    ['retrying', throws, {}],
    ['retrying', ends, {}],
    ['failed', fails, { maxAttempts: 1 }],
  ] as const;
  const asks = { update, retry, either };

  it.each(
    cases.flatMap(([event, connect, backoff]) =>
      Object.entries(asks).map(([name, ask]) => [name, event, connect.name, connect, backoff, ask] as const),
    ),
  )('A2 %s in %s, where connect %s', async (_, event, __, connect, backoff, ask) => {
    let dials = 0;
    const machine = createReconnectMachine<ScriptedSession, number>({
      connect: () => {
        dials++;
        return connect();
      },
      backoff,
    });
    const actor = createActor(machine, { input: 0 });
    actor.on(event, () => actor.send(ask()));
    actor.start();
    // Timers and I/O get their turn, or this would never come back.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve));
    expect(dials).toBeGreaterThan(3);
    actor.stop();
    const after = dials;
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(dials).toBe(after);
  });
});
