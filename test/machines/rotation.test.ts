import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createActor, setup } from 'xstate';
import { createReconnectMachine, reconnect, resilientBackoff } from '../../src/index';
import {
  createScriptedServer,
  createScriptedSession,
  createVirtualClock,
  type ScriptedSession,
} from '../../src/testing/index';
import { websocket } from '../../src/websocket';
import { afterTest, webSocketServer } from '../support/servers';
import '../support/unhandled';
import { play } from '../support/play';

const HOUR = 3_600_000;
/** When a session that may get an hour old is rotated, where `random` is 0.5. */
const DUE = 0.95 * HOUR;
const MADE = { connectMs: 10 };
const REFUSED = { connectMs: 10, error: new Error('refused') };

describe('O1 rotation: a session that gets old is replaced by a new one', () => {
  it('O1 the new session is up before the old one closes, and two are live at the most', async () => {
    const live: number[] = [];
    const run = play([MADE, MADE, MADE], {
      maxSessionAge: '1h',
      close: (session, reason) => {
        live.push(run.server.live.length);
        session.close(reason);
      },
    });
    run.actor.start();
    await run.clock.advance(10 + DUE);
    expect(run.server.calls).toHaveLength(2);
    expect(run.server.sessions).toHaveLength(1);
    await run.clock.advance(10);
    expect(run.context().session).toBe(run.server.sessions[1]);
    expect(run.closes()).toEqual([['rotated'], []]);
    await run.clock.advance(DUE + 10);
    expect(run.context().session).toBe(run.server.sessions[2]);
    expect(run.closes()).toEqual([['rotated'], ['rotated'], []]);
    expect(live).toEqual([2, 2]);
    expect(run.context().sessions).toBe(3);
    run.actor.stop();
    expect(run.server.live).toEqual([]);
    expect(run.clock.pending).toBe(0);
  });

  it('O1 it is told as rotated, and neither as disconnected nor as connected', async () => {
    const run = play([MADE, MADE], { maxSessionAge: '1h' });
    run.actor.start();
    await run.clock.advance(DUE + 20);
    expect(run.told()).toEqual(['connecting', 'connected', 'rotated']);
    expect(run.reasons()).toEqual(['start', 'rotation']);
    expect(run.context()).toMatchObject({ reason: 'rotation', attempt: 1, connectedAt: DUE + 20 });
    run.actor.stop();
  });

  it('R6 a status, a notice and a summary see nothing of it', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [MADE, { connectMs: 5_000 }]);
    const connection = reconnect({ clock, connect: server.connect, close: server.close, maxSessionAge: '1h' });
    const notices: string[] = [];
    connection.onNotice((notice) => notices.push(notice));
    await clock.advance(10);
    expect(await connection.status()).toBe('connected');
    const changed: string[] = [];
    connection.status().then(
      (status) => changed.push(status),
      () => changed.push('stopped'),
    );
    await clock.advance(HOUR + 5_000);
    expect(connection.session).toBe(server.sessions[1]);
    expect(connection.summary()).toMatchObject({ state: 'connected', sessions: 2, lastError: undefined });
    expect(notices).toEqual(['quiet']);
    expect(changed).toEqual([]);
    connection.stop();
  });

  it('I suspend holds no rotation back: it keeps what is live alive', async () => {
    const run = play([MADE, MADE], { maxSessionAge: '1h' });
    run.actor.start();
    await run.clock.advance(20);
    run.actor.send({ type: 'suspend' });
    await run.clock.advance(DUE + 10);
    expect(run.context()).toMatchObject({ session: run.server.sessions[1], suspended: true });
    run.actor.stop();
  });

  it.each([
    [0, HOUR],
    [0.5, 0.95 * HOUR],
    [0.999, 0.9001 * HOUR],
  ])('O1 the age is spread over its last tenth: a draw of %d rotates after %d ms', async (draw, age) => {
    const run = play([MADE, MADE], { maxSessionAge: '1h', random: () => draw });
    run.actor.start();
    await run.clock.advance(10 + age - 1);
    expect(run.dials()).toEqual([0]);
    await run.clock.advance(1);
    expect(run.dials()).toEqual([0, 10 + age]);
    run.actor.stop();
  });

  it('O6 C4 an age above 2^31-1 ms is waited for in full; 0 lets sessions live; nonsense is refused by name', async () => {
    const days = 40 * 24 * HOUR;
    const run = play([MADE, MADE], { maxSessionAge: '40days', random: () => 0 });
    run.actor.start();
    await run.clock.advance(days);
    expect(run.dials()).toEqual([0]);
    await run.clock.advance(10);
    expect(run.dials()).toEqual([0, 10 + days]);
    run.actor.stop();
    const eternal = play([MADE, MADE], { maxSessionAge: 0 });
    eternal.actor.start();
    await eternal.clock.advance(days);
    expect(eternal.dials()).toEqual([0]);
    eternal.actor.stop();
    for (const maxSessionAge of [-1, Number.NaN, 'soon']) {
      expect(() => play([], { maxSessionAge })).toThrow('maxSessionAge: expected a duration');
    }
  });
});

describe('O1 rotation that fails leaves the old session alone', () => {
  it('O4 each failure is reported, and tried again after the backoff, with what went wrong', async () => {
    const run = play([MADE, REFUSED, REFUSED, REFUSED, MADE], { maxSessionAge: '1h' });
    run.actor.start();
    const begun = 10 + DUE;
    await run.clock.advance(begun + 10 + 1_000 + 10 + 2_000 + 10 + 4_000);
    expect(run.dials()).toEqual([0, begun, begun + 1_010, begun + 3_020, begun + 7_030]);
    expect(run.reasons().slice(1)).toEqual(Array(4).fill('rotation'));
    expect(run.server.calls.slice(1).map(({ args: { attempt, lastError } }) => [attempt, lastError])).toEqual([
      [1, undefined],
      [2, REFUSED.error],
      [3, REFUSED.error],
      [4, REFUSED.error],
    ]);
    expect(run.errors).toEqual(Array(3).fill({ source: 'rotation', message: 'refused' }));
    expect(run.closes()).toEqual([[]]);
    expect(run.told()).toEqual(['connecting', 'connected']);
    await run.clock.advance(10);
    expect(run.closes()).toEqual([['rotated'], []]);
    run.actor.stop();
  });

  it('O1 its waits are spread by the jitter of the policy', async () => {
    const run = play([MADE, REFUSED, REFUSED], { maxSessionAge: '1h', backoff: { jitter: 'equal' } });
    run.actor.start();
    await run.clock.advance(10 + DUE + 10 + 750);
    expect(run.dials()).toEqual([0, 10 + DUE, 10 + DUE + 760]);
    run.actor.stop();
  });

  it('O2 attemptTimeout applies: the attempt is aborted, and its late session closed and never seen', async () => {
    const run = play([MADE, { connectMs: 60_000 }, MADE], {
      maxSessionAge: '1h',
      backoff: { attemptTimeout: '10s' },
      ignoreSignal: true,
    });
    run.actor.start();
    await run.clock.advance(10 + DUE + 10_000);
    expect(run.server.calls[1]?.args.signal.aborted).toBe(true);
    expect(run.errors).toEqual([{ source: 'rotation', message: 'the attempt timed out after 10s' }]);
    await run.clock.advance(1_010);
    expect(run.closes()).toEqual([['rotated'], []]);
    await run.clock.advance(60_000);
    expect(run.closes()).toEqual([['rotated'], [], ['late']]);
    run.actor.stop();
    expect(run.clock.pending).toBe(0);
  });

  it.each([
    ['throws', () => Promise.reject('no message')],
    ['has no `closed`', () => Promise.resolve({} as ScriptedSession)],
  ])('O4 a session that %s is no replacement', async (_, fault) => {
    let calls = 0;
    const session = createScriptedSession();
    const run = play([], { connect: () => (++calls === 2 ? fault() : session), close: () => {}, maxSessionAge: '1h' });
    run.actor.start();
    await run.clock.advance(DUE + 1);
    expect(run.context().session).toBe(session);
    expect(run.errors).toHaveLength(1);
    run.actor.stop();
  });
});

describe('O1 O2 whatever happens during a rotation, every session is closed exactly once', () => {
  const ends = {
    'the old session ends': ({ server }) => server.sessions[0]?.end('bye'),
    'the event stop': ({ actor }) => actor.send({ type: 'stop' }),
    'the event retry': ({ actor }) => actor.send({ type: 'retry' }),
    'the event update': ({ actor }) => actor.send({ type: 'update', input: 'other' }),
    'the actor is stopped': ({ actor }) => actor.stop(),
  } satisfies Record<string, (run: ReturnType<typeof rotating>) => void>;
  const moments = {
    'before it': DUE - 1,
    'while it connects': DUE + 15,
    'while it waits to try again': DUE + 500,
  };
  const cases = Object.keys(ends).flatMap((end) => Object.keys(moments).map((moment) => [end, moment] as const));

  it.each(cases)('O1 O2 %s %s', async (end, moment) => {
    const run = rotating();
    await run.clock.advance(moments[moment as keyof typeof moments]);
    expect(run.value()).toBe('connected');
    ends[end as keyof typeof ends](run);
    await run.clock.advance(20_000);
    const { status, value, context } = run.actor.getSnapshot();
    const live = status === 'active' && value === 'connected';
    expect(run.server.live).toEqual(live ? [context.session] : []);
    run.actor.stop();
    await run.clock.advance(HOUR);
    expect(run.closes().every((reasons) => reasons.length === 1)).toBe(true);
    expect(run.clock.pending).toBe(0);
  });

  function rotating() {
    const run = play<string>([MADE, { connectMs: 20, error: 'refused' }, MADE, MADE, MADE], {
      maxSessionAge: '1h',
      ignoreSignal: true,
      input: 'first',
    });
    run.actor.start();
    return run;
  }

  it.each(Object.keys(ends).flatMap((end) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((k) => [end, k] as const)))(
    'O2 %s, %i microtasks after the new session was made',
    async (end, microtasks) => {
      const sessions: ScriptedSession[] = [];
      const answers: ((session: ScriptedSession) => void)[] = [];
      const run = play<string>([], {
        maxSessionAge: '1h',
        input: 'first',
        connect: () => new Promise((resolve) => answers.push(resolve)),
      });
      const seen = new Set<unknown>();
      run.actor.subscribe(({ context }) => seen.add(context.session));
      run.actor.start();
      const answer = (): void => {
        const session = createScriptedSession(sessions.length + 1);
        sessions.push(session);
        answers[sessions.length - 1]?.(session);
      };
      answer();
      await run.clock.advance(DUE);
      answer();
      for (let i = 0; i < microtasks; i++) await undefined;
      const wasSeen = seen.has(sessions[1]);
      ends[end as keyof typeof ends]({ ...run, server: { ...run.server, sessions } });
      await run.clock.advance(100);
      if (!wasSeen && end !== 'the old session ends') expect(seen.has(sessions[1])).toBe(false);
      run.actor.stop();
      await run.clock.settle();
      expect(sessions.map(({ closes }) => closes.length)).toEqual([1, 1]);
      expect(run.clock.pending).toBe(0);
    },
  );

  it.each([
    ['while it connects', DUE + 15],
    ['once it has connected', DUE + 100],
  ])('R8 O1 the parent is stopped %s', async (_, at) => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [MADE, { connectMs: 50 }]);
    const connection = createReconnectMachine({
      connect: server.connect,
      close: server.close,
      maxSessionAge: '1h',
      random: () => 0.5,
      now: clock.now,
    });
    const parent = setup({ actors: { connection } }).createMachine({ invoke: { src: 'connection', input: undefined } });
    const actor = createActor(parent, { clock }).start();
    await clock.advance(at);
    actor.stop();
    await clock.advance(HOUR);
    expect(server.sessions.every(({ closes }) => closes.length === 1)).toBe(true);
    expect(server.calls).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('C1 O5 a person who is told of a failed rotation stops the connection: nothing is left, nothing dials', async () => {
    const run = play([MADE, REFUSED, MADE], { maxSessionAge: '1h', onError: () => run.actor.stop() });
    run.actor.start();
    await run.clock.advance(DUE + 20);
    expect(run.clock.pending).toBe(0);
    await run.clock.advance(HOUR);
    expect(run.dials()).toHaveLength(2);
    expect(run.closes()).toEqual([['stopped']]);
  });

  it.each([
    ['its age', 1],
    ['its wait', 2],
  ])('C1 stopped in the very turn in which %s ends, it does not dial', async (_, rotations) => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [MADE, REFUSED, MADE]);
    let armed = false;
    const machine = createReconnectMachine({
      connect: server.connect,
      close: server.close,
      maxSessionAge: '1h',
      random: () => 0.5,
      onError: () => {},
      now: clock.now,
    });
    const actor = createActor(machine, {
      clock: {
        ...clock,
        setTimeout: (callback, ms) =>
          clock.setTimeout(() => {
            callback();
            if (armed) actor.stop();
          }, ms),
      },
    }).start();
    await clock.advance(rotations === 1 ? DUE : DUE + 500);
    armed = true;
    await clock.advance(HOUR);
    expect(server.calls).toHaveLength(rotations);
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['stopped']]);
    expect(clock.pending).toBe(0);
  });
});

describe('R3 A1 the session that a rotation made is judged by itself', () => {
  const SHORT = { connectMs: 10, sessionMs: 100, reason: 'bye' };

  it.each([
    ['the default policy', {}],
    ['a strict deadline', { ...resilientBackoff, jitter: 'none' as const }],
    ['two attempts', { maxAttempts: 2 }],
  ])('R3 A1 with %s, one that ends at once is a first failure in a window of its own', async (_, backoff) => {
    const run = play([REFUSED, MADE, SHORT, MADE], { maxSessionAge: '1h', backoff });
    run.actor.start();
    await run.clock.advance(2_000 + DUE + 120);
    expect(run.value()).toBe('backingOff');
    expect(run.context()).toMatchObject({ attempt: 1, delay: 1_000, waitReason: 'short-session', error: 'bye' });
    await run.clock.advance(1_010);
    expect(run.value()).toBe('connected');
    expect(run.reasons()).toEqual(['start', 'backoff', 'rotation', 'backoff']);
    run.actor.stop();
  });

  it('R3 one that lives long enough is followed at once', async () => {
    const run = play([MADE, { connectMs: 10, sessionMs: 5_000 }, MADE], { maxSessionAge: '1h' });
    run.actor.start();
    await run.clock.advance(DUE + 5_100);
    expect(run.reasons()).toEqual(['start', 'rotation', 'closed']);
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });

  it('A1 a session that gave no sign of health opens no window for the next one', async () => {
    const run = play([MADE, SHORT], { maxSessionAge: '1h', healthy: 'event', backoff: { timeout: '10m' } });
    run.actor.start();
    await run.clock.advance(DUE + 10 + 120);
    expect(run.context()).toMatchObject({ waitReason: 'short-session', retryStart: 0 });
    run.actor.stop();
  });
});

it('O1 on a real WebSocket server rotation leaves no moment without a connection, and none with three', async () => {
  const counts: number[] = [];
  let open = 0;
  const server = await webSocketServer((peer) => {
    counts.push(++open);
    peer.on('close', () => counts.push(--open));
  });
  const connection = reconnect({
    connect: websocket(`ws://127.0.0.1:${server.port}`, { WebSocket }),
    maxSessionAge: 100,
  });
  afterTest(() => connection.stop());
  const sessions = new Set<unknown>();
  await new Promise<void>((resolve) =>
    connection.actor.on('rotated', () => {
      sessions.add(connection.session);
      if (sessions.size === 5) resolve();
    }),
  );
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...counts)).toBe(2);
  expect(connection.summary()).toMatchObject({ state: 'connected', sessions: 6 });
});
