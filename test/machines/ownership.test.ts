import { describe, expect, it } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { createReconnectMachine, originBackoff, type ReconnectMachineOptions } from '../../src/index';
import {
  createScriptedServer,
  createScriptedSession,
  createVirtualClock,
  type ScriptedSession,
} from '../../src/testing/index';
import '../support/unhandled';

/** An actor of our machine on virtual time. */
function run<TSession>(options: Omit<ReconnectMachineOptions<TSession>, 'now'>) {
  const clock = createVirtualClock();
  const machine = createReconnectMachine<TSession>({ ...options, now: clock.now });
  const actor = createActor(machine, { clock });
  return { clock, machine, actor };
}

describe('O1 each session is closed exactly once, whoever ends it', () => {
  async function connected() {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ connectMs: 10 }, { connectMs: 10 }]);
    const machine = createReconnectMachine({ connect: server.connect, close: server.close, now: clock.now });
    const actor = createActor(machine, { clock }).start();
    await clock.advance(5_000);
    expect(actor.getSnapshot().value).toBe('connected');
    return { clock, server, actor };
  }

  it('O1 it ended by itself', async () => {
    const { clock, server, actor } = await connected();
    server.sessions[0]?.end();
    await clock.advance(100);
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['ended'], []]);
    expect(actor.getSnapshot().context.session).toBe(server.sessions[1]);
  });

  it('O1 the event stop', async () => {
    const { server, actor } = await connected();
    actor.send({ type: 'stop' });
    expect(server.sessions[0]?.closes).toEqual(['stopped']);
    expect(actor.getSnapshot().value).toBe('idle');
    expect(actor.getSnapshot().context.session).toBeUndefined();
  });

  it('O1 the actor is stopped, though exit actions do not run then', async () => {
    const { clock, server, actor } = await connected();
    actor.stop();
    expect(server.sessions[0]?.closes).toEqual(['stopped']);
    await clock.settle();
    expect(server.sessions[0]?.closes).toEqual(['stopped']);
    expect(clock.pending).toBe(0);
  });

  it('O1 stop, then the actor is stopped, then the session ends', async () => {
    const { clock, server, actor } = await connected();
    actor.send({ type: 'stop' });
    actor.stop();
    server.sessions[0]?.end();
    await clock.settle();
    expect(server.sessions[0]?.closes).toEqual(['stopped']);
  });

  it('O1 an actor `connect` given with provide makes sessions that are closed all the same', async () => {
    const session = createScriptedSession();
    const { machine } = run<ScriptedSession>({ connect: () => Promise.reject(new Error('not this one')) });
    const actor = createActor(
      machine.provide({
        actors: { connect: fromPromise(async () => session) as never },
      }),
    ).start();
    await new Promise((resolve) => setTimeout(resolve));
    expect(actor.getSnapshot().context.session).toBe(session);
    actor.stop();
    expect(session.closes).toHaveLength(1);
  });
});

describe('O2 a session that arrives late is closed and never seen', () => {
  it.each([0, 1, 2, 3, 4, 5, 6])('O2 stopped %i microtasks after connect resolved', async (microtasks) => {
    const session = createScriptedSession();
    let resolve!: (session: ScriptedSession) => void;
    const { actor } = run<ScriptedSession>({ connect: () => new Promise((done) => (resolve = done)) });
    const seen: unknown[] = [];
    actor.subscribe(({ context }) => seen.push(context.session));
    actor.start();
    resolve(session);
    for (let i = 0; i < microtasks; i++) await undefined;
    const wasSeen = actor.getSnapshot().value === 'connected';
    actor.stop();
    await new Promise((done) => setTimeout(done));
    expect(session.closes).toHaveLength(1);
    if (!wasSeen) expect(seen).not.toContain(session);
  });

  it('O2 B1 connect ignores its signal and resolves after stop', async () => {
    const { clock, actor, server } = late();
    await clock.advance(50);
    actor.send({ type: 'stop' });
    await clock.advance(1_000);
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['late']]);
    expect(actor.getSnapshot().context.session).toBeUndefined();
    expect(actor.getSnapshot().value).toBe('idle');
  });

  it('O2 B6 the late session of a stopped attempt is not the session of the next one', async () => {
    const { clock, actor, server } = late();
    await clock.advance(50);
    actor.send({ type: 'stop' });
    actor.send({ type: 'start' });
    await clock.advance(1_000);
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['late'], []]);
    expect(actor.getSnapshot().context.session).toBe(server.sessions[1]);
    actor.stop();
    expect(server.live).toEqual([]);
  });

  it('B5 a late rejection changes nothing', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ connectMs: 100, error: new Error('late') }, { connectMs: 500 }], {
      ignoreSignal: true,
    });
    const actor = createActor(createReconnectMachine({ connect: server.connect, now: clock.now }), { clock }).start();
    await clock.advance(50);
    actor.send({ type: 'stop' });
    actor.send({ type: 'start' });
    await clock.advance(200);
    expect(actor.getSnapshot().value).toBe('connecting');
    expect(actor.getSnapshot().context.error).toBeUndefined();
    actor.stop();
  });

  it('B8 the late session cannot be closed: contained and reported', async () => {
    const errors: unknown[] = [];
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ connectMs: 100 }, { connectMs: 100 }], { ignoreSignal: true });
    const failures = [
      () => Promise.reject(new Error('close rejected')),
      () => {
        throw new Error('close threw');
      },
    ];
    const machine = createReconnectMachine({
      connect: server.connect,
      close: () => failures.shift()?.(),
      onError: (error, source) => errors.push([source, (error as Error).message]),
      now: clock.now,
    });
    const actor = createActor(machine, { clock }).start();
    await clock.advance(50);
    actor.send({ type: 'stop' });
    actor.send({ type: 'start' });
    await clock.advance(120);
    actor.stop();
    await clock.settle();
    expect(errors).toEqual([
      ['close', 'close rejected'],
      ['close', 'close threw'],
    ]);
  });

  function late() {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ connectMs: 100 }, { connectMs: 100 }], { ignoreSignal: true });
    const machine = createReconnectMachine({ connect: server.connect, close: server.close, now: clock.now });
    return { clock, server, actor: createActor(machine, { clock }).start() };
  }
});

describe('O3 the signal aborts as soon as the attempt is no longer wanted', () => {
  it.each([
    ['stop', (actor: ReturnType<typeof hung>['actor']) => actor.send({ type: 'stop' })],
    ['the actor is stopped', (actor: ReturnType<typeof hung>['actor']) => actor.stop()],
  ])('O3 %s', (_, end) => {
    const { actor, signal } = hung();
    expect(signal().aborted).toBe(false);
    end(actor);
    expect(signal().aborted).toBe(true);
  });

  it('O3 the signal of an attempt that connected stays quiet when its session ends', async () => {
    const session = createScriptedSession();
    let signal: AbortSignal | undefined;
    const { actor } = run<ScriptedSession>({
      connect: async (args) => {
        signal = args.signal;
        return session;
      },
    });
    actor.start();
    await new Promise((resolve) => setTimeout(resolve));
    session.end();
    await new Promise((resolve) => setTimeout(resolve));
    expect(signal?.aborted).toBe(false);
    actor.stop();
  });

  function hung() {
    let signal: AbortSignal | undefined;
    const { actor } = run<ScriptedSession>({
      connect: (args) => {
        signal = args.signal;
        return new Promise(() => {});
      },
    });
    actor.start();
    return { actor, signal: () => signal as AbortSignal };
  }
});

describe('O4 user code may throw anywhere', () => {
  it.each([
    [
      'throws synchronously',
      () => {
        throw new Error('sync');
      },
      'sync',
    ],
    ['rejects with undefined', () => Promise.reject(undefined), undefined],
    ['rejects with a string', () => Promise.reject('refused'), 'refused'],
    ['rejects with a frozen object', () => Promise.reject(Object.freeze({ code: 1 })), { code: 1 }],
    [
      'returns a rejecting thenable',
      () => ({ then: (_: unknown, fail: (error: unknown) => void) => fail('thenable') }),
      'thenable',
    ],
  ])('O4 E connect %s: an attempt that failed', async (_, connect, reason) => {
    const { clock, actor } = run<ScriptedSession>({ connect: connect as never });
    actor.start();
    await clock.settle();
    const { value, context } = actor.getSnapshot();
    expect(value).toBe('backingOff');
    expect(context.error instanceof Error ? context.error.message : context.error).toEqual(reason);
    actor.stop();
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['undefined', undefined],
    ['something without closed', {}],
    ['something whose closed is a flag', { closed: false }],
    [
      'something whose closed getter throws',
      {
        get closed() {
          throw new Error('no closed');
        },
      },
    ],
  ])('O4 E connect resolves to %s: a failed attempt that says what was expected', async (_, session) => {
    const { clock, actor } = run<unknown>({ connect: async () => session, backoff: originBackoff });
    actor.start();
    await clock.settle();
    const { value, context } = actor.getSnapshot();
    expect(value).toBe('backingOff');
    expect((context.error as Error).message).toMatch(/`closed` promise|no closed/);
    actor.stop();
  });

  it('O4 a session that is of no use is closed', async () => {
    const closed: string[] = [];
    const { clock, actor } = run<object>({ connect: async () => ({}), close: (_, reason) => void closed.push(reason) });
    actor.start();
    await clock.settle();
    expect(closed).toEqual(['unusable']);
    actor.stop();
  });

  it('O4 F closed is a thenable, and a new one each time it is read', async () => {
    let end!: () => void;
    const session = {
      get closed() {
        return {
          then: (done: () => void) => {
            end = done;
          },
        };
      },
    };
    const { clock, actor } = run<typeof session>({ connect: async () => session as never });
    actor.start();
    await clock.settle();
    expect(actor.getSnapshot().value).toBe('connected');
    await clock.advance(2_000);
    end();
    await clock.advance(0);
    expect(actor.getSnapshot().value).toBe('connected');
    actor.stop();
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 'throws'])(
    'O4 now gives %s: contained and reported',
    async (reading) => {
      const sources: string[] = [];
      const actor = createActor(
        createReconnectMachine({
          connect: () => new Promise<ScriptedSession>(() => {}),
          now: () => {
            if (typeof reading === 'string') throw new Error(reading);
            return reading;
          },
          onError: (_, source) => sources.push(source),
        }),
      ).start();
      expect(actor.getSnapshot().status).toBe('active');
      expect(sources.length).toBeGreaterThan(0);
      actor.stop();
    },
  );

  it('O4 onError throws: nobody is left to tell, and nothing breaks', async () => {
    const session = createScriptedSession();
    const { clock, actor } = run<ScriptedSession>({
      connect: async () => session,
      close: () => {
        throw new Error('close');
      },
      onError: () => {
        throw new Error('onError');
      },
    });
    actor.start();
    await clock.settle();
    actor.send({ type: 'stop' });
    expect(actor.getSnapshot().value).toBe('idle');
    actor.stop();
  });
});

describe('O4 G a listener that throws', () => {
  it('O4 G is reported, and the others and the chart carry on', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ connectMs: 5, sessionMs: 5_000 }, { connectMs: 5 }]);
    const errors: string[] = [];
    const machine = createReconnectMachine({
      connect: server.connect,
      onError: (error, source) => errors.push(`${source}: ${(error as Error).message}`),
      now: clock.now,
    }).provide({});
    const actor = createActor(machine, { clock });
    const seen: string[] = [];
    const boom = (name: string) => () => {
      throw new Error(name);
    };
    actor.on('connected', boom('on'));
    actor.on('connected', () => seen.push('on'));
    actor.subscribe(boom('subscribe'));
    const observer = actor.subscribe({ next: boom('next'), complete: boom('complete') });
    actor.subscribe(({ value }) => seen.push(value));
    actor.start();
    await clock.advance(5);
    observer.unsubscribe();
    await clock.advance(6_000);
    actor.stop();
    expect(seen).toEqual(['connecting', 'on', 'connected', 'connecting', 'on', 'connected']);
    expect(errors).toEqual([
      'listener: subscribe',
      'listener: next',
      'listener: on',
      'listener: subscribe',
      'listener: next',
      'listener: subscribe',
      'listener: on',
      'listener: subscribe',
    ]);
  });
});

describe('O5 after stop or failed nothing is left', () => {
  it('O5 no timer remains after a thousand waits', async () => {
    const { clock, actor } = run<ScriptedSession>({
      connect: () => Promise.reject(new Error('refused')),
      backoff: { initial: 10, max: 10, timeout: '10s' },
    });
    actor.start();
    await clock.advance(20_000);
    expect(actor.getSnapshot().value).toBe('failed');
    expect(clock.pending).toBe(0);
    actor.stop();
  });
});

describe('O6 delays are safe', () => {
  it('O6 C4 a delay above 2^31-1 ms waits its full time', async () => {
    const dials: number[] = [];
    const clock = createVirtualClock();
    const delay = 2 ** 31 + 5_000;
    const machine = createReconnectMachine({
      connect: () => {
        dials.push(clock.now());
        return Promise.reject(new Error('refused'));
      },
      backoff: { initial: delay, max: delay, timeout: 0 },
      now: clock.now,
    });
    const actor = createActor(machine, { clock }).start();
    await clock.advance(3 * delay);
    expect(dials).toEqual([0, delay, 2 * delay, 3 * delay]);
    actor.stop();
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['initial', Number.NaN],
    ['initial', -1],
    ['max', Number.POSITIVE_INFINITY],
    ['timeout', '5'],
    ['timeout', null],
    ['minUptime', '1.5s'],
    ['multiplier', 1.5],
    ['multiplier', -1],
    ['multiplier', 2 ** 32],
    ['multiplier', '2'],
    ['retries', 3],
  ])('O6 backoff.%s = %s is refused at creation, by name', (field, value) => {
    expect(() => createReconnectMachine({ connect: async () => 1, backoff: { [field]: value } })).toThrow(
      new RegExp(`^backoff\\.${field}: expected .+, got .+`),
    );
  });
});

describe('A the loop never starves its process', () => {
  it('A2 a server that accepts and closes at once, for ever: timers and stop still run', async () => {
    let connects = 0;
    const actor = createActor(
      createReconnectMachine({
        connect: async () => {
          connects++;
          return { closed: Promise.resolve('at once') };
        },
        backoff: originBackoff,
      }),
    ).start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(connects).toBeGreaterThan(1);
    actor.stop();
    const atStop = connects;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(connects).toBe(atStop);
  });

  it('A2 G a listener that asks for a retry each time connect fails at once: timers and stop still run', async () => {
    let connects = 0;
    const machine = createReconnectMachine({
      connect: () => {
        connects++;
        return Promise.reject<ScriptedSession>(new Error('at once'));
      },
    });
    const actor = createActor(machine);
    actor.on('retrying', () => actor.send({ type: 'retry' }));
    actor.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(connects).toBeGreaterThan(2);
    actor.stop();
    const atStop = connects;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(connects).toBe(atStop);
  });

  it('C3 a retry while backing off is one dial, at once', async () => {
    const { clock, actor } = run<ScriptedSession>({ connect: () => Promise.reject(new Error(`dial ${++dials}`)) });
    let dials = 0;
    actor.start();
    await clock.settle();
    actor.send({ type: 'retry' });
    actor.send({ type: 'retry' });
    expect(dials).toBe(2);
    await clock.advance(0);
    expect(dials).toBe(2);
    expect(clock.pending).toBe(1);
    actor.stop();
  });

  it('A1 by default the delay escalates and the window runs out', async () => {
    const clock = createVirtualClock();
    const dials: number[] = [];
    const machine = createReconnectMachine({
      connect: async () => {
        dials.push(clock.now());
        return { closed: Promise.resolve('bye') };
      },
      backoff: { timeout: '10s' },
      now: clock.now,
    });
    const actor = createActor(machine, { clock }).start();
    await clock.advance(60_000);
    expect(dials).toEqual([0, 1_000, 3_000, 7_000]);
    expect(actor.getSnapshot().value).toBe('failed');
    expect((actor.getSnapshot().context.error as Error).message).toBe('reconnect timed out after 10s: bye');
    actor.stop();
  });

  it.each([
    [999, 'backingOff'],
    [1_000, 'connecting'],
    [1_001, 'connecting'],
  ])('A4 a session that lived %i ms of a minUptime of 1 s leads to %s', async (sessionMs, state) => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ connectMs: 5, sessionMs }]);
    const actor = createActor(createReconnectMachine({ connect: server.connect, now: clock.now }), { clock }).start();
    await clock.advance(5 + sessionMs);
    expect(actor.getSnapshot().value).toBe(state);
    actor.stop();
  });
});
