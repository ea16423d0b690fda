/** D: when it gives up, how that is counted, and how it is told. */
import { describe, expect, it } from 'vitest';
import { type Backoff, type EnvironmentEvent, ReconnectTimeoutError } from '../../src/index';
import { createVirtualClock } from '../../src/testing/index';
import { keep, quiet, to } from '../support/connections';
import { faultServer, serverProcess } from '../support/servers';
import '../support/unhandled';

describe('D1', () => {
  const window = { timeout: 50 };

  it('D1 an attempt that hangs past a strict deadline is aborted, and its socket is gone', async () => {
    const server = await faultServer({ behaviour: { kind: 'silence', after: 0 } });
    const { connection } = keep({ connect: to(server), backoff: { ...window, deadline: 'strict' } });
    const failure = connection.closed().catch((error: unknown) => error);
    await (await server.nextDial()).ended;
    expect(await failure).toBeInstanceOf(ReconnectTimeoutError);
    expect(String(await failure)).toMatch(/reconnect timed out after 50ms: the attempt timed out after \d+ms$/u);
    await quiet();
    expect(server.dials).toHaveLength(1);
  });

  it('D1 without a strict deadline a slow attempt may overrun the window, and still win', async () => {
    const server = await faultServer({ behaviour: { kind: 'slow', ms: 80 } });
    const { connection } = keep({ connect: to(server), backoff: window });
    const { socket } = await connection.connected();
    expect(socket.readyState).toBe(socket.OPEN);
  });
});

/** A connection on virtual time to a real server that refuses. */
async function refused(backoff: Partial<Backoff>) {
  const server = await faultServer({ behaviour: { kind: 'refuse', status: 503 } });
  const clock = createVirtualClock();
  return { server, clock, ...keep({ clock, connect: to(server), backoff }) };
}

it('D2 the last wait is cut to a strict deadline, and no dial follows it', async () => {
  const { server, clock, story } = await refused({ timeout: '2500ms', deadline: 'strict' });
  for (const delay of [1_000, 1_500]) {
    expect(await story.next('retrying')).toMatchObject({ delay });
    await clock.advance(delay);
  }
  expect(await story.next('failed')).toMatchObject({ error: { timeout: 2_500 } });
  expect(clock.now()).toBe(2_500);
  await quiet();
  expect(server.dials).toHaveLength(2);
});

it.each(['between-attempts', 'strict'] as const)('D3 a timeout of 0 means for ever, deadline %s', async (deadline) => {
  const { clock, connection, story } = await refused({ timeout: 0, initial: '7days', max: '7days', deadline });
  for (let week = 1; week <= 100; week += 1) {
    expect(await story.next('retrying')).toMatchObject({ delay: 7 * 86_400_000, attempt: week });
    expect(connection.summary().windowLeft).toBe(Number.POSITIVE_INFINITY);
    await clock.advance(7 * 86_400_000);
  }
  expect(connection.snapshot.value).toBe('connecting');
});

describe('D4', () => {
  it('D4 after it gave up on a server that was killed (kill -9), a restart has a fresh window and finds it again', async () => {
    const server = await serverProcess();
    const clock = createVirtualClock();
    const { connection, story } = keep({ clock, connect: to(server), backoff: { timeout: '10s' } });
    await connection.connected();
    await clock.advance(60_000);
    await server.kill();
    await story.next('disconnected');
    await clock.settle();
    for (const delay of [1_000, 2_000, 4_000, 8_000]) {
      expect(await story.next('retrying')).toMatchObject({ delay });
      await clock.advance(delay);
    }
    expect(connection.snapshot.value).toBe('failed');
    await clock.advance(3_600_000);
    await server.start();
    connection.actor.send({ type: 'start' });
    expect(connection.summary()).toMatchObject({ attempt: 1, windowLeft: 10_000, lastError: undefined });
    await clock.settle();
    const { socket } = await connection.connected();
    expect(socket.readyState).toBe(socket.OPEN);
  });

  it('D4 a retry of one that gave up waits and gives up as the first time', async () => {
    const { server, clock, connection, story } = await refused({ timeout: '2s' });
    for (let life = 1; life <= 3; life += 1) {
      for (const delay of [1_000, 2_000]) {
        expect(await story.next('retrying')).toMatchObject({ delay, attempt: delay / 1_000 });
        await clock.advance(delay);
      }
      expect(connection.snapshot.value).toBe('failed');
      connection.retry();
      await clock.settle();
    }
    await story.next('retrying');
    expect(server.dials).toHaveLength(7);
  });
});

it('D5 giving up is visible: state, event, error, promises, summary and notice', async () => {
  const { clock, connection, story } = await refused({ timeout: '1500ms' });
  const notices: string[] = [];
  connection.onNotice((notice) => notices.push(notice));
  const promises = [connection.closed(), connection.connected(), connection.status(), connection.statuses().next()].map(
    (promise) => promise.catch((error: unknown) => error),
  );
  for (const delay of [1_000, 2_000]) {
    expect(await story.next('retrying')).toMatchObject({ delay });
    await clock.advance(delay);
  }
  const { error } = await story.next('failed');
  expect(error).toBeInstanceOf(ReconnectTimeoutError);
  expect(error).toMatchObject({ reason: 'timeout', timeout: 1_500, cause: { status: 503 } });
  expect(await Promise.all(promises)).toEqual([error, error, error, error]);
  expect(connection.snapshot.value).toBe('failed');
  expect(connection.snapshot.context).toMatchObject({ error, gaveUp: 'timeout' });
  expect(connection.summary()).toMatchObject({ state: 'failed', gaveUp: 'timeout', retryIn: undefined });
  expect(notices).toEqual(['quiet', 'lost', 'failed']);
});

describe('D6', () => {
  it('D6 a machine whose window passed while it slept decides once: it gives up, with no dial', async () => {
    const { server, clock, connection, story } = await refused({ timeout: '1m', deadline: 'strict' });
    await story.next('retrying');
    await clock.sleep(3_600_000);
    expect(connection.snapshot.value).toBe('failed');
    await clock.advance(3_600_000);
    await quiet();
    expect({ failed: story.all('failed').length, dials: server.dials.length }).toEqual({ failed: 1, dials: 1 });
  });

  it.each([
    ['says so first', true],
    ['says so after the timer', false],
  ])(
    'D6 where somebody tells of sleep, and %s, it is no time spent trying: one dial, with a fresh window',
    async (_, isFirst) => {
      const server = await faultServer({ behaviour: { kind: 'refuse', status: 503 } });
      const clock = createVirtualClock();
      let send: (event: EnvironmentEvent) => void = () => {};
      const { connection, story } = keep({
        clock,
        connect: to(server),
        backoff: { timeout: '1m', deadline: 'strict' },
        environment: (tell) => {
          send = tell;
        },
        random: () => 0,
      });
      await story.next('retrying');
      server.treat({ kind: 'serve' });
      const awake = clock.sleep(3_600_000);
      if (isFirst) send({ type: 'wake' });
      await awake;
      if (!isFirst) send({ type: 'wake' });
      expect(await story.next('connecting')).toMatchObject({ reason: 'wake' });
      expect(connection.summary().windowLeft).toBe(60_000);
      await connection.connected();
      await quiet();
      expect({ failed: story.all('failed'), dials: server.dials.length }).toEqual({ failed: [], dials: 2 });
    },
  );
});
