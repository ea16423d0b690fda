import { describe, expect, it } from 'vitest';
import { assign, createActor, initialTransition, setup, transition } from 'xstate';
import {
  type ConnectArgs,
  createReconnectMachine,
  originBackoff,
  type ReconnectEvent,
  ReconnectTimeoutError,
} from '../../src/index';
import { createScriptedServer, createScriptedSession, createVirtualClock } from '../../src/testing/index';
import { rehydrate } from '../support/strict-mode';

/** The chart as a pure function of events, at a time that the table sets. */
function table(backoff = {}) {
  let time = 0;
  const session = createScriptedSession();
  const machine = createReconnectMachine({
    connect: async () => session,
    backoff,
    autoStart: false,
    now: () => time,
  });
  let [snapshot] = initialTransition(machine);
  const events = {
    start: { type: 'start' },
    stop: { type: 'stop' },
    retry: { type: 'retry' },
    ok: { type: 'xstate.done.actor.connect', output: session },
    fail: { type: 'xstate.error.actor.connect', error: new Error('refused') },
    end: { type: 'xstate.done.actor.closed', output: 'bye' },
    drop: { type: 'xstate.error.actor.closed', error: new Error('reset') },
    waited: { type: 'xstate.done.actor.wait', output: undefined },
  };
  return {
    session,
    play(...steps: (keyof typeof events | number)[]) {
      for (const step of steps) {
        if (typeof step === 'number') time += step;
        else [snapshot] = transition(machine, snapshot, events[step] as ReconnectEvent<void>);
      }
      return snapshot;
    },
  };
}

describe('the chart: every event in every state', () => {
  const path = {
    idle: [],
    connecting: ['start'],
    connected: ['start', 'ok'],
    backingOff: ['start', 'fail'],
    failed: ['start', 'fail', 400_000, 'waited'],
  } as const;
  const rows = {
    start: {
      idle: 'connecting',
      connecting: 'connecting',
      connected: 'connected',
      backingOff: 'backingOff',
      failed: 'connecting',
    },
    stop: { idle: 'idle', connecting: 'idle', connected: 'idle', backingOff: 'idle', failed: 'idle' },
    retry: {
      idle: 'idle',
      connecting: 'connecting',
      connected: 'connecting',
      backingOff: 'connecting',
      failed: 'connecting',
    },
  } as const;
  const cases = Object.entries(rows).flatMap(([event, row]) =>
    Object.entries(row).map(([from, to]) => [event, from, to] as const),
  );

  it.each(cases)('H %s in %s leads to %s', (event, from, to) => {
    const chart = table();
    expect(chart.play(...path[from as keyof typeof path]).value).toBe(from);
    expect(chart.play(event as 'start' | 'stop' | 'retry').value).toBe(to);
  });
});

describe('the chart: the origin’s rules in context', () => {
  it('R1 the defaults, and minUptime that follows initial', () => {
    expect(table().play('start').context).toMatchObject({ delay: 1_000, attempt: 1, retryStart: 0 });
    const flap = table({ initial: 250 });
    expect(flap.play('start', 'ok', 249, 'end').value).toBe('backingOff');
    expect(flap.play('waited', 'ok', 250, 'end').value).toBe('connecting');
  });

  it('R2 the delay grows when its wait is over, and not before', () => {
    const chart = table();
    expect(chart.play('start', 'fail').context.delay).toBe(1_000);
    expect(chart.play(1_000, 'waited').context.delay).toBe(2_000);
    expect(chart.play('fail', 'retry').context.delay).toBe(4_000);
  });

  it('R3 a success forgets the last error, and with the origin’s policy resets the delay at once', () => {
    const chart = table(originBackoff);
    const { context } = chart.play('start', 'fail', 1_000, 'waited', 'ok');
    expect(context).toMatchObject({ delay: 1_000, error: undefined, session: chart.session, connectedAt: 1_000 });
  });

  it.each(['end', 'drop'] as const)(
    'R3 a session’s %s goes straight to connecting, and the window begins then',
    (how) => {
      const { value, context } = table(originBackoff).play('start', 'ok', 7_000, how);
      expect(value).toBe('connecting');
      expect(context).toMatchObject({ retryStart: 7_000, attempt: 1, delay: 1_000, session: undefined });
      expect(how === 'end' ? context.error : (context.error as Error).message).toBe(how === 'end' ? 'bye' : 'reset');
    },
  );

  it('minUptime: a short session is an attempt that failed; neither delay nor window resets', () => {
    const chart = table();
    const { value, context } = chart.play('start', 'fail', 1_000, 'waited', 'ok', 10, 'end');
    expect(value).toBe('backingOff');
    expect(context).toMatchObject({ delay: 2_000, retryStart: 0, attempt: 2, error: 'bye', retryAt: 3_010 });
  });

  it.each([
    ['longer', '5s', 5_000],
    ['less long', 100, 1_000],
  ])(
    'a stable session whose end asks to wait %s than the backoff waits because of that',
    async (_, retryAfter, wait) => {
      const clock = createVirtualClock();
      const server = createScriptedServer(clock, [{ connectMs: 5, sessionMs: 2_000 }, { connectMs: 5 }]);
      const machine = createReconnectMachine({
        connect: server.connect,
        classify: () => ({ retryAfter }),
        now: clock.now,
      });
      const actor = createActor(machine, { clock }).start();
      await clock.advance(2_005);
      expect(actor.getSnapshot().context).toMatchObject({ wait, waitReason: 'retry-after', retryStart: 2_005 });
      await clock.advance(wait);
      expect(server.calls.map(({ at }) => at)).toEqual([0, 2_005 + wait]);
      actor.stop();
    },
  );

  it('minUptime: a long session resets delay and window', () => {
    const { context } = table().play('start', 'fail', 1_000, 'waited', 'ok', 1_000, 'end');
    expect(context).toMatchObject({ delay: 1_000, retryStart: 2_000, attempt: 1 });
  });

  it.each([
    [300_000, 'connecting'],
    [300_001, 'failed'],
  ])('R4 %i ms into a window of 300 s leads to %s: strictly past it', (elapsed, state) => {
    expect(table().play('start', 'fail', elapsed, 'waited').value).toBe(state);
  });

  it('R4 a slow attempt may overrun the window and still win', () => {
    expect(table().play('start', 999_999, 'ok').value).toBe('connected');
  });

  it('R5 giving up: the error says how long and why, with the last error as its cause', () => {
    const { context } = table({ timeout: 1_500 }).play('start', 'fail', 2_000, 'waited');
    expect(context.error).toBeInstanceOf(ReconnectTimeoutError);
    expect((context.error as Error).message).toBe('reconnect timed out after 1.5s: refused');
    expect(((context.error as Error).cause as Error).message).toBe('refused');
  });

  it('R5 no colon part without an error', () => {
    expect(new ReconnectTimeoutError(300_000).message).toBe('reconnect timed out after 300s');
    expect(new ReconnectTimeoutError(300_000)).not.toHaveProperty('cause');
  });

  it('D4 a start out of failed has a fresh window', () => {
    const chart = table();
    const { context } = chart.play('start', 'fail', 400_000, 'waited', 'start');
    expect(context).toMatchObject({ retryStart: 400_000, attempt: 1, delay: 1_000, error: undefined });
  });

  it('R4 the first window begins when the actor is started, however long ago it was created', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ connectMs: 5, error: 'no' }, { connectMs: 5 }]);
    const actor = createActor(createReconnectMachine({ connect: server.connect, now: clock.now }), { clock });
    await clock.advance(400_000);
    actor.start();
    await clock.advance(2_000);
    expect(actor.getSnapshot().value).toBe('connected');
    actor.stop();
  });

  it('retryAt is there only while backing off, connectedAt only while connected', () => {
    const chart = table();
    expect(chart.play('start', 'fail').context).toMatchObject({ retryAt: 1_000, connectedAt: undefined });
    expect(chart.play('retry', 'ok').context).toMatchObject({ retryAt: undefined, connectedAt: 0 });
    expect(chart.play('stop').context).toMatchObject({ retryAt: undefined, connectedAt: undefined });
  });
});

describe('emitted events', () => {
  it('tell the life of a connection in order', async () => {
    const clock = createVirtualClock();
    const refused = new Error('refused');
    const server = createScriptedServer(clock, [
      { connectMs: 5, error: refused },
      { connectMs: 5, sessionMs: 2_000, reason: 'bye' },
      { connectMs: 5, error: refused },
    ]);
    const machine = createReconnectMachine({ connect: server.connect, backoff: { timeout: 100 }, now: clock.now });
    const actor = createActor(machine, { clock });
    const events: object[] = [];
    actor.on('*', (event) => events.push(event));
    actor.start();
    await clock.advance(1_010);
    expect(events).toEqual([
      { type: 'connecting', attempt: 1, reason: 'start' },
      { type: 'retrying', delay: 1_000, attempt: 1, error: refused, reason: 'connect-failed' },
      { type: 'failed', error: expect.any(ReconnectTimeoutError) },
    ]);
    actor.send({ type: 'retry' });
    await clock.advance(10_000);
    expect(events.slice(3)).toEqual([
      { type: 'connecting', attempt: 1, reason: 'retry' },
      { type: 'connected', attempt: 1 },
      { type: 'disconnected', error: 'bye', uptime: 2_000 },
      { type: 'connecting', attempt: 1, reason: 'closed' },
      { type: 'retrying', delay: 1_000, attempt: 1, error: refused, reason: 'connect-failed' },
      { type: 'failed', error: expect.any(ReconnectTimeoutError) },
    ]);
    actor.send({ type: 'stop' });
    actor.send({ type: 'stop' });
    expect(events.slice(9)).toEqual([{ type: 'stopped' }]);
    actor.stop();
  });
});

describe('in an XState app', () => {
  it('ten actors of one machine, spawned and invoked, with systemId, input and onSnapshot', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(
      clock,
      Array.from({ length: 11 }, () => ({ connectMs: 5 })),
    );
    const connection = createReconnectMachine({
      connect: (args: ConnectArgs<{ url: string }>) => server.connect(args),
      now: clock.now,
    });
    const app = setup({
      types: {} as { context: { states: string[] } },
      actors: { connection },
    }).createMachine({
      context: { states: [] },
      entry: Array.from({ length: 10 }, (_, i) =>
        assign(({ spawn }) => {
          spawn('connection', { id: `spawned-${i}`, systemId: `system-${i}`, input: { url: `ws://${i}` } });
          return {};
        }),
      ),
      invoke: {
        src: 'connection',
        id: 'invoked',
        input: { url: 'ws://invoked' },
        onSnapshot: {
          actions: assign({ states: ({ context, event }) => [...context.states, event.snapshot.value] }),
        },
      },
    });
    const actor = createActor(app, { clock }).start();
    await clock.advance(5);
    const children = Object.values(actor.getSnapshot().children);
    expect(children.map((child) => child?.getSnapshot().value)).toEqual(Array(11).fill('connected'));
    expect(actor.system.get('system-7')?.getSnapshot().context.input).toEqual({ url: 'ws://7' });
    expect(new Set(server.calls.map(({ args }) => (args.input as { url: string }).url)).size).toBe(11);
    expect(actor.getSnapshot().context.states.at(-1)).toBe('connected');
    // R8 parent stop: every session goes at once.
    actor.stop();
    expect(server.live).toEqual([]);
    expect(server.sessions.every(({ closes }) => closes.length === 1)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('guards and actions can be overridden with provide', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ error: 'no' }, { error: 'no' }, { error: 'no' }]);
    const machine = createReconnectMachine({ connect: server.connect, now: clock.now }).provide({
      guards: { isWindowSpent: ({ context }) => context.attempt >= 2 },
    });
    const actor = createActor(machine, { clock }).start();
    await clock.advance(100_000);
    expect(server.calls.map(({ at }) => at)).toEqual([0, 1_000]);
    expect(actor.getSnapshot().value).toBe('failed');
    actor.stop();
  });

  it('React StrictMode: the same actor object stopped and started again keeps one session and waits out its delay', async () => {
    for (const moment of [0, 50, 150]) {
      const clock = createVirtualClock();
      const server = createScriptedServer(clock, [
        { connectMs: 100, error: 'no' },
        { connectMs: 100 },
        { connectMs: 100 },
      ]);
      const machine = createReconnectMachine({ connect: server.connect, close: server.close, now: clock.now });
      const actor = createActor(machine, { clock }).start();
      await clock.advance(moment);
      rehydrate(actor);
      actor.start();
      await clock.advance(5_000);
      expect(actor.getSnapshot().value).toBe('connected');
      expect(server.live).toHaveLength(1);
      actor.stop();
      expect(server.live).toEqual([]);
      expect(clock.pending).toBe(0);
    }
  });
});
