/** C: timers, and what they do after a stop, a sleep, a jump of the clock, or a very long time. */
import { execFile } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { waitFor } from 'xstate';
import { createClock, type Jitter, type ReconnectClock, ReconnectStoppedError } from '../../src/index';
import { tcp } from '../../src/tcp';
import { createVirtualClock } from '../../src/testing/index';
import { keep, ping, quiet, type Session, to } from '../support/connections';
import type { Behaviour, FaultServer } from '../support/fault-server';
import { afterTest, closedPort, faultServer, serverProcess } from '../support/servers';
import '../support/unhandled';

/** Real time that knows how many of its timers are set. */
function countingClock(): ReconnectClock & { readonly pending: number; readonly most: number } {
  const real = createClock();
  const pending = new Set<unknown>();
  let most = 0;
  return {
    now: real.now,
    setTimeout(callback, ms) {
      const timer = real.setTimeout(() => {
        pending.delete(timer);
        callback();
      }, ms);
      pending.add(timer);
      most = Math.max(most, pending.size);
      return timer;
    },
    clearTimeout(timer) {
      pending.delete(timer);
      real.clearTimeout(timer);
    },
    get pending() {
      return pending.size;
    },
    get most() {
      return most;
    },
  };
}

describe('C1', () => {
  const states: [string, Behaviour][] = [
    ['connecting', { kind: 'silence', after: 0 }],
    ['connected', { kind: 'serve' }],
    ['backingOff', { kind: 'refuse', status: 503 }],
    ['failed', { kind: 'refuse', status: 503 }],
  ];

  it.each(states)('C1 nothing fires after a stop while %s: no timer, no dial, no probe', async (state, behaviour) => {
    const server = await faultServer({ behaviour });
    const clock = countingClock();
    const calls = { connect: 0, probe: 0 };
    const dial = to(server);
    const { connection } = keep({
      clock,
      connect(args) {
        calls.connect += 1;
        return dial(args);
      },
      backoff: { initial: 5, max: 5, maxAttempts: state === 'failed' ? 1 : 0, attemptTimeout: 5_000 },
      liveness: {
        every: 5,
        within: 5_000,
        probe: (session, signal) => {
          calls.probe += 1;
          return ping(session, signal);
        },
      },
      maxSessionAge: 60_000,
    });
    await waitFor(connection.actor, ({ value }) => value === state);
    connection.stop();
    const before = { ...calls };
    expect(clock.pending).toBe(0);
    await quiet();
    connection.retry();
    connection.update();
    await quiet();
    expect({ calls, pending: clock.pending }).toEqual({ calls: before, pending: 0 });
    await Promise.all(server.dials.map(({ ended }) => ended));
  });
});

it('C2 never two timers, through failures, retries, networks that come and go, and flaps', async () => {
  const server = await faultServer({ behaviour: { kind: 'refuse', status: 503 } });
  const clock = countingClock();
  const { connection, story } = keep({ clock, connect: to(server), backoff: { initial: 5, max: 20, timeout: 0 } });
  for (let round = 0; round < 5; round += 1) {
    await story.next('retrying');
    connection.actor.send({ type: 'offline' });
    connection.actor.send({ type: 'online' });
    connection.actor.send({ type: 'wake' });
    connection.retry();
    connection.retry({ restart: true });
  }
  server.treat({ kind: 'accept-then-close' });
  await story.next('disconnected');
  await story.next('disconnected');
  connection.actor.send({ type: 'stop' });
  connection.actor.send({ type: 'start' });
  server.treat({ kind: 'serve' });
  await connection.connected();
  await quiet();
  expect(clock.most).toBe(1);
});

describe('C3', () => {
  it('C3 a retry while backing off: exactly one dial, at once, however often it is asked for', async () => {
    const server = await faultServer({ behaviour: { kind: 'hang-up' } });
    const clock = countingClock();
    const { connection, story } = keep({ clock, connect: to(server), backoff: { initial: '1h', max: '1h' } });
    await story.next('retrying');
    expect(clock.pending).toBe(1);
    server.treat({ kind: 'serve' });
    for (let count = 0; count < 3; count += 1) connection.retry();
    await connection.connected();
    await quiet();
    expect({ dials: server.dials.length, pending: clock.pending }).toEqual({ dials: 2, pending: 0 });
  });

  it('C3 a server that was killed (kill -9) and is back: a retry is there at once, an hour before its time', async () => {
    const server = await serverProcess();
    const { connection, story } = keep({ connect: to(server), backoff: { initial: '1h', max: '1h', minUptime: '1h' } });
    await connection.connected();
    await server.kill();
    expect(await story.next('retrying')).toMatchObject({ delay: 3_600_000, error: { code: 1006 } });
    await server.start();
    connection.retry();
    const { socket } = await connection.connected();
    socket.send('back');
    expect(String((await once(socket, 'message'))[0])).toBe('back');
  });
});

describe('C4', () => {
  it('C4 a delay of 25 days, more than a timer takes: no further dial', async () => {
    const server = await faultServer({ behaviour: { kind: 'reset' } });
    const clock = countingClock();
    const { story } = keep({ clock, connect: to(server), backoff: { initial: '25days' } });
    expect((await story.next('retrying')).delay).toBe(25 * 86_400_000);
    await quiet();
    expect({ dials: server.dials.length, pending: clock.pending }).toEqual({ dials: 1, pending: 1 });
  });

  it('C4 nor does any other duration of 25 days pass at once', async () => {
    const server = await faultServer();
    let probes = 0;
    const { connection, story } = keep({
      connect: to(server),
      backoff: { attemptTimeout: '25days', minUptime: '25days', timeout: '25days', deadline: 'strict' },
      liveness: {
        every: '25days',
        within: '25days',
        probe() {
          probes += 1;
        },
      },
      maxSessionAge: '25days',
    });
    const session = await connection.connected();
    await quiet();
    expect(connection.session).toBe(session);
    expect({ probes, dials: server.dials.length }).toEqual({ probes: 0, dials: 1 });
    const notices: string[] = [];
    afterTest(connection.onNotice((notice) => notices.push(notice), { lostAfter: '25days' }));
    server.treat({ kind: 'silence', after: 0 });
    server.hangUp();
    await story.next('retrying');
    connection.retry();
    await story.next('connecting');
    const waiting = connection.connected({ timeout: '25days' });
    waiting.catch(() => {});
    await quiet();
    expect(notices).toEqual(['quiet']);
    expect(connection.snapshot.value).toBe('connecting');
    connection.stop();
    await expect(waiting).rejects.toBeInstanceOf(ReconnectStoppedError);
  });
});

it.each([
  ['none', 30_000],
  ['equal', 15_000],
] satisfies [Jitter, number][])(
  'C5 an outage of hours, jitter %s: the delay neither overflows nor vanishes',
  async (jitter, least) => {
    const clock = createVirtualClock();
    const connect = tcp({ host: '127.0.0.1', port: await closedPort() });
    const { connection, story } = keep({ clock, connect, backoff: { jitter, timeout: 0 } });
    // The backoff of another library reaches 0 ms after 1,016 attempts.
    for (let attempt = 1; attempt <= 1_100; attempt += 1) {
      const { delay } = await story.next('retrying');
      expect(delay).toBeGreaterThanOrEqual(attempt > 5 ? least : 0);
      expect(delay).toBeLessThanOrEqual(30_000);
      await clock.advance(delay);
    }
    expect(connection.snapshot.context.attempt).toBeGreaterThan(1_100);
  },
);

it('C6 the wall clock jumps by years, both ways: neither a wait nor the window changes', async () => {
  const server = await faultServer({ behaviour: { kind: 'refuse', status: 503 } });
  vi.useFakeTimers({ toFake: ['Date'] });
  afterTest(() => vi.useRealTimers());
  const { connection, story } = keep({ connect: to(server), backoff: { initial: 10, timeout: '1h' } });
  const today = Date.now();
  for (const [delay, years] of [
    [10, 10],
    [20, -30],
    [40, 50],
    [80, 0],
  ] as const) {
    expect(await story.next('retrying')).toMatchObject({ delay });
    vi.setSystemTime(today + years * 365 * 86_400_000);
  }
  server.treat({ kind: 'serve' });
  await connection.connected();
  const times = server.dials.map(({ at }) => at);
  expect(times).toHaveLength(5);
  // A timer may be 1 ms early.
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(10 + 20 + 40 + 80 - 8);
});

describe('C7', () => {
  /** A connection on virtual time that waits 1 s to dial a real server again. */
  async function waiting(server: FaultServer, timeout: string | number) {
    server.treatNext({ kind: 'hang-up' });
    const clock = createVirtualClock();
    const { connection, story } = keep({ clock, connect: to(server), backoff: { timeout } });
    await story.next('retrying');
    return { clock, connection, story };
  }

  it('C7 a timer that is late by ten minutes, within the window: one dial and no burst', async () => {
    const server = await faultServer();
    const { clock, connection } = await waiting(server, '1h');
    await clock.sleep(600_000);
    await connection.connected();
    await quiet();
    expect(server.dials).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('C7 a timer that is late by ten minutes, and the window is over: it gives up, once', async () => {
    const server = await faultServer();
    const { clock, connection, story } = await waiting(server, '5m');
    await clock.sleep(600_000);
    expect(connection.snapshot.value).toBe('failed');
    await clock.advance(3_600_000);
    await quiet();
    expect({ failed: story.all('failed').length, dials: server.dials.length }).toEqual({ failed: 1, dials: 1 });
  });

  it('C7 probes that were slept through: one is made, and a peer that answers keeps its session', async () => {
    const server = await faultServer();
    const clock = createVirtualClock();
    let probes = 0;
    const { connection } = keep({
      clock,
      connect: to(server),
      liveness: {
        every: '30s',
        within: '10s',
        probe(session, signal) {
          probes += 1;
          return ping(session, signal);
        },
      },
    });
    const session = await connection.connected();
    await clock.sleep(600_000);
    await quiet();
    expect(connection.session).toBe(session);
    expect({ probes, dials: server.dials.length }).toEqual({ probes: 1, dials: 1 });
  });
});

it('C8 a wait that is aborted ends at once, and nothing is called again', async () => {
  const server = await faultServer({ behaviour: { kind: 'hang-up' } });
  const { connection, story } = keep({ connect: to(server), backoff: { initial: '1h', max: '1h' } });
  await story.next('retrying');
  const controller = new AbortController();
  const aborted = [
    connection.connected({ signal: controller.signal }),
    connection.status({ signal: controller.signal }),
  ].map((promise) => expect(promise).rejects.toThrow('enough'));
  const stopped = [connection.connected(), connection.status()].map((promise) =>
    expect(promise).rejects.toBeInstanceOf(ReconnectStoppedError),
  );
  controller.abort(new Error('enough'));
  await Promise.all(aborted);
  connection.stop();
  await Promise.all([connection.closed(), ...stopped]);
  await quiet();
  expect(server.dials).toHaveLength(1);
});

it('C9 abort listeners on a signal that lives long do not pile up', async () => {
  const server = await faultServer();
  const { signal } = new AbortController();
  const { connection } = keep<Session>({ connect: to(server), backoff: { minUptime: 0 } });
  for (let round = 0; round < 30; round += 1) {
    const both = [connection.connected({ signal, timeout: '1h' }), connection.status({ signal })];
    expect(getEventListeners(signal, 'abort')).toHaveLength(2);
    await Promise.all(both);
    server.hangUp();
    expect(await connection.status({ signal })).toBe('disconnected');
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

describe('C10', () => {
  /** The dials of a process that is refused, stops at the third, and ends by itself. */
  async function dialsOf(options: object): Promise<string> {
    const program = `
      import { reconnect } from './src/index.ts';
      import { tcp } from './src/tcp.ts';
      const dial = tcp({ host: '127.0.0.1', port: ${await closedPort()} });
      let dials = 0;
      const connection = reconnect({
        connect(args) {
          dials += 1;
          console.log(dials);
          if (dials === 3) connection.stop();
          return dial(args);
        },
        ...${JSON.stringify(options)},
      });
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: 60_000 },
    );
    return stdout;
  }

  it('C10 a connection that waits keeps its process alive', async () => {
    expect(await dialsOf({ backoff: { initial: 50, max: 50 } })).toBe('1\n2\n3\n');
  });

  it('C10 with unref it does not: the process ends in the middle of the wait', async () => {
    expect(await dialsOf({ backoff: { initial: '1h', max: '1h' }, unref: true })).toBe('1\n');
  });
});
