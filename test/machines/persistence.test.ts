import { beforeAll, describe, expect, it } from 'vitest';
import { assign, createActor, setup } from 'xstate';
import {
  createReconnectMachine,
  InvalidSnapshotError,
  ReconnectAttemptsError,
  ReconnectFatalError,
  ReconnectTimeoutError,
  reconnect,
  selectCountdown,
  selectSummary,
  selectWindowLeft,
} from '../../src/index';
import { createScriptedServer, createVirtualClock, type ScriptedAttempt } from '../../src/testing/index';
import '../support/unhandled';
import { play } from '../support/play';

const MADE = { connectMs: 10 };
const REFUSED = { connectMs: 10, error: new TypeError('refused') };
const HOUR = 3_600_000;
const SAVED_AT = 1_700_000_000_000;

type Options = NonNullable<Parameters<typeof play<string>>[1]>;

/** A connection in a process that has been running for a while. */
async function first(attempts: ScriptedAttempt[], options: Options = {}) {
  const run = play<string>(attempts, { input: 'first', ...options, epoch: SAVED_AT });
  await run.clock.advance(1_000_000);
  run.actor.start();
  return run;
}

/** What is saved of it: as JSON, and with it the process ends. */
function save(run: Awaited<ReturnType<typeof first>>): unknown {
  const json = JSON.stringify(run.actor.getPersistedSnapshot());
  run.actor.stop();
  return JSON.parse(json);
}

/** Another process, `away` ms later, whose clock has another zero. */
function second(
  run: Awaited<ReturnType<typeof first>>,
  attempts: ScriptedAttempt[],
  { away = 0, ...options }: Options & { away?: number } = {},
) {
  const epoch = SAVED_AT + run.clock.now() + away;
  const other = play<string>(attempts, { input: 'ignored', ...options, epoch, snapshot: save(run) });
  other.actor.start();
  return other;
}

describe('restored in another process, it goes on from every state', () => {
  it.each([
    ['no time', 0, 6_000],
    ['some time', 2_500, 3_500],
    ['longer than the wait', HOUR, 0],
    ['less than no time, as the wall clock was set back', -HOUR, 6_000],
  ])('C6 backing off waits what is left of its wait after %s away', async (_, away, left) => {
    const run = await first([REFUSED], { backoff: { initial: '10s' } });
    await run.clock.advance(10 + 4_000);
    const other = second(run, [MADE], { away, backoff: { initial: '10s' } });
    expect(other.value()).toBe('backingOff');
    expect(selectCountdown(other.actor.getSnapshot(), other.clock.now())).toBe(left);
    expect(other.events).toMatchObject([{ type: 'retrying', delay: left, attempt: 1, reason: 'connect-failed' }]);
    await other.clock.advance(left);
    expect(other.dials()).toEqual([left]);
    const { args } = other.server.calls[0] ?? {};
    expect(args).toMatchObject({ input: 'first', attempt: 2, reason: 'backoff' });
    expect(args?.lastError).toMatchObject({ name: 'TypeError', message: 'refused' });
    await other.clock.advance(10);
    expect(other.value()).toBe('connected');
    other.actor.stop();
    expect(other.clock.pending).toBe(0);
  });

  it('R2 backing off grows its delay from where it was', async () => {
    const run = await first([REFUSED, REFUSED]);
    await run.clock.advance(10 + 1_000 + 10);
    const other = second(run, [REFUSED, REFUSED], { away: 500 });
    await other.clock.advance(1_500 + 10 + 4_000 + 10);
    expect(other.dials()).toEqual([1_500, 5_510]);
    expect(other.context().delay).toBe(8_000);
    other.actor.stop();
  });

  it('R4 its window does not run while it is away', async () => {
    const options = { backoff: { max: '10s', timeout: '1m' } } as const;
    const run = await first(Array(100).fill(REFUSED), options);
    await run.clock.advance(40_000);
    const left = selectWindowLeft(run.actor.getSnapshot(), run.clock.now());
    expect(left).toBe(20_000);
    const other = second(run, Array(100).fill(REFUSED), { ...options, away: HOUR });
    expect(selectWindowLeft(other.actor.getSnapshot(), other.clock.now())).toBe(left);
    await other.clock.advance(19_000);
    expect(other.value()).not.toBe('failed');
    await other.clock.advance(11_010);
    expect(other.value()).toBe('failed');
    expect((other.context().error as Error).message).toBe('reconnect timed out after 60s: refused');
  });

  it('R3 connected connects again, in a fresh window', async () => {
    const run = await first([REFUSED, MADE], { backoff: { timeout: '1m' } });
    await run.clock.advance(1_020);
    await run.clock.advance(HOUR);
    const other = second(run, [MADE], { away: HOUR, backoff: { timeout: '1m' } });
    expect(other.value()).toBe('connecting');
    expect(other.context()).toMatchObject({ session: undefined, connectedAt: undefined, retryStart: 0, delay: 1_000 });
    await other.clock.advance(10);
    expect(other.server.calls[0]?.args).toMatchObject({ reason: 'restore', attempt: 1, lastError: undefined });
    expect(other.told()).toEqual(['connecting', 'connected']);
    expect(other.context().sessions).toBe(2);
    other.actor.stop();
  });

  it('connecting makes the attempt again that was under way', async () => {
    const run = await first([REFUSED, REFUSED, { connectMs: 500 }]);
    await run.clock.advance(3_100);
    expect(run.context().attempt).toBe(3);
    const other = second(run, [REFUSED], { away: HOUR });
    expect(other.value()).toBe('connecting');
    await other.clock.advance(1);
    const { args } = other.server.calls[0] ?? {};
    expect(args).toMatchObject({ reason: 'restore', attempt: 3 });
    expect(args?.lastError).toMatchObject({ message: 'refused' });
    await other.clock.advance(20);
    expect(other.context()).toMatchObject({ delay: 4_000, waitReason: 'connect-failed', attempt: 3 });
    other.actor.stop();
  });

  it.each([
    ['its window was spent', ReconnectTimeoutError, { timeout: '5s' }, 'reconnect timed out after 5s: refused'],
    ['its attempts were', ReconnectAttemptsError, { maxAttempts: 2 }, 'reconnect gave up after 2 attempts: refused'],
    ['the failure was fatal', ReconnectFatalError, {}, 'reconnect gave up: refused'],
  ] as const)(
    'R5 failed stays failed where %s, with an error that works',
    async (why, ErrorClass, backoff, message) => {
      const options: Options = { backoff, ...(why === 'the failure was fatal' && { classify: () => 'give-up' }) };
      const run = await first(Array(10).fill(REFUSED), options);
      await run.clock.advance(60_000);
      expect(run.value()).toBe('failed');
      const other = second(run, [MADE], { ...options, away: HOUR });
      await other.clock.advance(HOUR);
      expect(other.value()).toBe('failed');
      expect(other.dials()).toEqual([]);
      expect(other.told()).toEqual(['failed']);
      const error = other.context().error as Error;
      expect(error).toBeInstanceOf(ErrorClass);
      expect(error.message).toBe(message);
      expect(error.cause).toMatchObject({ name: 'TypeError', message: 'refused' });
      expect(other.context().gaveUp).toBe(run.context().gaveUp);
      expect(other.clock.pending).toBe(0);
      other.actor.send({ type: 'retry' });
      await other.clock.advance(10);
      expect(other.value()).toBe('connected');
      expect(other.server.calls[0]?.args).toMatchObject({ reason: 'retry', attempt: 1 });
      other.actor.stop();
    },
  );

  it('C1 idle stays idle, whatever autoStart says, until it is started', async () => {
    const run = await first([REFUSED]);
    await run.clock.advance(20);
    run.actor.send({ type: 'stop' });
    const other = second(run, [MADE], { away: HOUR });
    await other.clock.advance(HOUR);
    expect(other.value()).toBe('idle');
    expect(other.dials()).toEqual([]);
    other.actor.send({ type: 'start' });
    await other.clock.advance(10);
    expect(other.value()).toBe('connected');
    other.actor.stop();
  });

  it.each([
    ['connecting', [{ connectMs: 100 }]],
    ['connected', [MADE]],
    ['backingOff', [REFUSED]],
  ] as const)('C1 one whose actor was stopped while %s stays stopped', async (state, attempts) => {
    const run = await first([...attempts]);
    await run.clock.advance(50);
    expect(run.value()).toBe(state);
    run.actor.stop();
    const other = second(run, [MADE], { away: HOUR });
    await other.clock.advance(HOUR);
    expect(other.value()).toBe('idle');
    expect(other.dials()).toEqual([]);
    expect(selectSummary(other.actor.getSnapshot(), 0)).toMatchObject({ retryIn: undefined, waitingFor: undefined });
    other.actor.stop();
  });

  it('I one that was suspended is no longer: nobody would say when it is over', async () => {
    const options = { environment: () => {} };
    const run = await first([REFUSED], options);
    run.actor.send({ type: 'suspend' });
    run.actor.send({ type: 'offline' });
    await run.clock.advance(HOUR);
    expect(run.context().waitReason).toBe('suspended');
    const other = second(run, [MADE], options);
    await other.clock.advance(10);
    expect(other.value()).toBe('connected');
    expect(other.context()).toMatchObject({ online: true, suspended: false });
    other.actor.stop();
  });

  it('the history and the counts are kept', async () => {
    const run = await first([MADE, REFUSED, REFUSED]);
    await run.clock.advance(10 + 5_000);
    run.server.sessions[0]?.end(new Error('bye'));
    await run.clock.advance(10 + 1_000 + 10 + 10);
    const { history, sessions } = run.context();
    expect(history.map(({ phase, attempt, error }) => [phase, attempt, error])).toEqual([
      ['session', 1, { name: 'Error', message: 'bye' }],
      ['connect', 1, { name: 'TypeError', message: 'refused' }],
      ['connect', 2, { name: 'TypeError', message: 'refused' }],
    ]);
    const other = second(run, [REFUSED], { away: HOUR });
    expect(other.context()).toMatchObject({ sessions, history });
    await other.clock.advance(20);
    expect(other.context().history).toHaveLength(4);
    other.actor.stop();
  });

  it('a retry that was answered with a new token stays answered: it works once in a row', async () => {
    const options: Options = { classify: () => 'retry-now' };
    const run = await first([REFUSED, { connectMs: 500 }], options);
    await run.clock.advance(100);
    expect(run.context()).toMatchObject({ refreshed: true, attempt: 2 });
    const other = second(run, [REFUSED, MADE], options);
    await other.clock.advance(20);
    expect(other.value()).toBe('backingOff');
    other.actor.stop();
  });

  it('saved again at once, it is the same', async () => {
    const run = await first([REFUSED, REFUSED]);
    await run.clock.advance(2_000);
    const saved = save(run) as { context: object };
    const once = play<string>([], { snapshot: saved, epoch: SAVED_AT + run.clock.now() });
    const again = JSON.parse(JSON.stringify(once.actor.getPersistedSnapshot()));
    const twice = play<string>([], { snapshot: again, epoch: SAVED_AT + run.clock.now() });
    expect(twice.context()).toEqual(once.context());
    expect(Object.keys(again.context)).toEqual(expect.arrayContaining(Object.keys(saved.context)));
  });

  it('with another policy it goes on under that', async () => {
    const run = await first([REFUSED]);
    await run.clock.advance(20);
    const other = second(run, [REFUSED, MADE], { backoff: { multiplier: 5 } });
    await other.clock.advance(990 + 10);
    expect(other.context()).toMatchObject({ delay: 5_000, policy: { multiplier: 5 } });
    other.actor.stop();
  });
});

describe('what is saved survives JSON, and holds nothing of the app', () => {
  const STATES = {
    idle: [[], 0],
    connecting: [[{ connectMs: 100 }], 50],
    connected: [[REFUSED, MADE], 5_000],
    backingOff: [[REFUSED], 50],
    failed: [[REFUSED], 50],
  } satisfies Record<string, [ScriptedAttempt[], number]>;

  it.each(Object.entries(STATES))('%s: no session, no function, no error object', async (state, [attempts, at]) => {
    const run = await first(attempts, { backoff: { maxAttempts: state === 'failed' ? 1 : 0 } });
    if (state === 'idle') run.actor.send({ type: 'stop' });
    await run.clock.advance(at);
    expect(run.value()).toBe(state);
    const saved = run.actor.getPersistedSnapshot();
    walk(saved);
    expect(saved).not.toHaveProperty('children');
    expect((saved as unknown as { context: object }).context).not.toHaveProperty('session');
    expect((saved as unknown as { context: object }).context).not.toHaveProperty('lease');
    expect(JSON.parse(JSON.stringify(saved))).toEqual(withoutUndefined(saved));
    run.actor.stop();
  });

  function walk(value: unknown): void {
    expect(typeof value).not.toBe('function');
    if (typeof value !== 'object' || value === null) return;
    expect([Object.prototype, Array.prototype]).toContain(Object.getPrototypeOf(value));
    for (const member of Object.values(value)) walk(member);
  }

  function withoutUndefined(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(withoutUndefined);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, member]) =>
        member === undefined ? [] : [[key, withoutUndefined(member)] as const],
      ),
    );
  }
});

describe('whichever way it is restored', () => {
  it('through provide', async () => {
    const run = await first([REFUSED]);
    await run.clock.advance(510);
    const snapshot = save(run);
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [MADE]);
    const machine = createReconnectMachine<never, string>({
      connect: server.connect as never,
      now: clock.now,
      wallClock: () => SAVED_AT + run.clock.now(),
    }).provide({ actions: { emitConnected: () => {} } });
    const actor = createActor(machine, { clock, snapshot: snapshot as never, input: 'ignored' }).start();
    expect(actor.getSnapshot().value).toBe('backingOff');
    await clock.advance(500);
    expect(server.calls.map(({ at, args }) => [at, args.input])).toEqual([[500, 'first']]);
    actor.stop();
  });

  it('with the handle', async () => {
    const run = await first([REFUSED]);
    await run.clock.advance(510);
    const snapshot = save(run);
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [MADE]);
    const connection = reconnect<{ closed: Promise<unknown> }, string>({
      clock,
      connect: (args) => server.connect(args),
      wallClock: () => SAVED_AT + run.clock.now() + 100,
      input: 'ignored',
      snapshot: snapshot as never,
    });
    expect(connection.summary()).toMatchObject({
      state: 'backingOff',
      retryIn: 400,
      lastError: { name: 'TypeError', message: 'refused' },
    });
    await clock.advance(410);
    expect(await connection.status()).toBe('connected');
    expect(connection.snapshot.context.input).toBe('first');
    connection.stop();
  });

  it('R7 a handle that goes on from a failure is closed with it', async () => {
    const run = await first([REFUSED], { backoff: { maxAttempts: 1 } });
    await run.clock.advance(20);
    const connection = reconnect<never, string>({
      connect: () => Promise.reject(new Error('not asked')),
      input: 'ignored',
      snapshot: save(run) as never,
    });
    await expect(connection.closed()).rejects.toBeInstanceOf(ReconnectAttemptsError);
    await expect(connection.connected()).rejects.toThrow('reconnect gave up after 1 attempt: refused');
    connection.stop();
  });

  it('with the snapshot of a parent that invokes it', async () => {
    const world = (attempts: ScriptedAttempt[], epoch: number) => {
      const clock = createVirtualClock();
      const server = createScriptedServer(clock, attempts);
      const connection = createReconnectMachine({
        connect: server.connect,
        close: server.close,
        now: clock.now,
        wallClock: () => epoch + clock.now(),
      });
      const app = setup({
        types: {} as { context: { seen: string[] } },
        actors: { connection },
      }).createMachine({
        context: { seen: [] },
        invoke: {
          src: 'connection',
          id: 'live',
          systemId: 'live',
          input: undefined,
          onSnapshot: {
            actions: assign({ seen: ({ context, event }) => [...context.seen, event.snapshot.value] }),
          },
        },
      });
      return { clock, server, app };
    };
    const before = world([MADE, { ...REFUSED }], SAVED_AT);
    const actor = createActor(before.app, { clock: before.clock }).start();
    await before.clock.advance(5_000);
    before.server.sessions[0]?.end();
    await before.clock.advance(10 + 300);
    const json = JSON.stringify(actor.getPersistedSnapshot());
    actor.stop();

    const after = world([MADE], SAVED_AT + before.clock.now() + 200);
    const restored = createActor(after.app, { clock: after.clock, snapshot: JSON.parse(json) }).start();
    const live = restored.system.get('live');
    expect(live?.getSnapshot().value).toBe('backingOff');
    await after.clock.advance(499);
    expect(after.server.calls).toEqual([]);
    await after.clock.advance(11);
    expect(after.server.calls.map(({ at }) => at)).toEqual([500]);
    expect(live?.getSnapshot().context).toMatchObject({ sessions: 2, session: after.server.sessions[0] });
    expect(restored.getSnapshot().context.seen.at(-1)).toBe('connected');
    restored.stop();
    expect(after.server.live).toEqual([]);
    expect(after.server.sessions.map(({ closes }) => closes)).toEqual([['stopped']]);
    expect(after.clock.pending).toBe(0);
  });
});

describe('what is none of ours is refused, by field, value and what was expected', () => {
  const machine = createReconnectMachine({ connect: () => Promise.reject<never>(new Error('not asked')) });
  let json: string;
  const cyclic: { self?: object } = {};
  cyclic.self = cyclic;

  beforeAll(async () => {
    const failed = await first([REFUSED], { backoff: { maxAttempts: 1 } });
    await failed.clock.advance(20);
    json = JSON.stringify(save(failed));
  });

  const valid = (): { context: object } => JSON.parse(json);

  /** What is wrong with a snapshot, as XState tells it. */
  function problemWith(snapshot: unknown): unknown {
    const actor = createActor(machine, { snapshot: snapshot as never });
    return (actor.getSnapshot() as unknown as { error: unknown }).error;
  }

  it.each<[string, Record<string, unknown>, string]>([
    [
      'no status',
      { status: undefined },
      'snapshot.status: expected one of active, done, error, stopped, got undefined',
    ],
    [
      'a state of another machine',
      { value: 'walking' },
      'snapshot.value: expected one of idle, connecting, connected, backingOff, failed, got "walking"',
    ],
    [
      'a state that is not even text',
      { value: cyclic },
      'snapshot.value: expected one of idle, connecting, connected, backingOff, failed, got an object',
    ],
    ['no time', { saved: undefined }, 'snapshot.saved: expected an object, got undefined'],
    [
      'a time that JSON lost',
      { saved: { now: null, wall: 0 } },
      'snapshot.saved.now: expected a finite number, got null',
    ],
    ['a time as text', { saved: { now: 0, wall: '0' } }, 'snapshot.saved.wall: expected a finite number, got "0"'],
    ['no context', { context: null }, 'snapshot.context: expected an object, got null'],
  ])('%s', (_, change, message) => {
    const error = problemWith({ ...valid(), ...change });
    expect(error).toBeInstanceOf(InvalidSnapshotError);
    expect(error).toMatchObject({ message, field: message.slice(0, message.indexOf(':')) });
  });

  it.each<[string, unknown, string, string?]>([
    ['delay', undefined, 'a finite number, 0 or more, got undefined'],
    ['delay', -1, 'a finite number, 0 or more, got -1'],
    ['attempt', 'one', 'a finite number, 0 or more, got "one"'],
    ['sessions', null, 'a finite number, 0 or more, got null'],
    ['retryStart', 10n, 'a finite number, got 10'],
    ['retryAt', undefined, 'a finite number, got undefined', 'backingOff'],
    ['gaveUp', 'bored', 'one of timeout, attempts, fatal, got "bored"'],
    ['failure', 'refused', 'an object, got "refused"'],
    ['history', {}, 'an array, got an object'],
    ['history[0]', null, 'an object, got null'],
  ])('context.%s = %s', (field, value, rest, state = 'failed') => {
    const snapshot = valid();
    const change = field === 'history[0]' ? { history: [value] } : { [field]: value };
    const error = problemWith({ ...snapshot, value: state, context: { ...snapshot.context, ...change } });
    expect(error).toBeInstanceOf(InvalidSnapshotError);
    expect(error).toMatchObject({
      field: `snapshot.context.${field}`,
      message: `snapshot.context.${field}: expected ${rest}`,
    });
  });

  it.each([
    ['text', 'nonsense'],
    ['a number', 5],
    ['an array', []],
    ['nothing of ours', {}],
  ])('%s', (_, snapshot) => {
    expect(problemWith(snapshot)).toBeInstanceOf(InvalidSnapshotError);
  });

  it('the handle throws it', () => {
    const connect = () => Promise.reject<never>(new Error('not asked'));
    expect(() => reconnect({ connect, snapshot: {} as never })).toThrow(InvalidSnapshotError);
    const snapshot = { ...valid(), value: 'walking' };
    expect(() => reconnect({ connect, snapshot: snapshot as never })).toThrow('snapshot.value: expected one of idle');
  });
});
