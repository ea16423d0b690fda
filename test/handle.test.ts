import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  InvalidBackoffError,
  NotConnectedError,
  ReconnectStoppedError,
  ReconnectTimeoutError,
  reconnect,
} from '../src/index';
import {
  createScriptedServer,
  createScriptedSession,
  createVirtualClock,
  type ScriptedSession,
} from '../src/testing/index';
import './support/unhandled';
import { open } from './support/play';

const root = fileURLToPath(new URL('..', import.meta.url));

/** How to run a program in a process of its own. */
const inNode = (program: string): string[] => [
  '--import',
  'tsx',
  '--input-type=module',
  '--eval',
  `import { reconnect } from './src/index.ts';\n${program}`,
];

const FOREVER = { connectMs: 10 };
const REFUSED = { connectMs: 10, error: new Error('refused') };

describe('R6 status', () => {
  it('R6 each reader has its own place', async () => {
    const { clock, connection } = open([{ connectMs: 10, sessionMs: 100 }, FOREVER]);
    const early = connection.statuses();
    const first = early.next();
    await clock.advance(10);
    expect((await first).value).toBe('connected');
    const pending = early.next();
    await clock.advance(100);
    expect((await pending).value).toBe('disconnected');
    // The other readers were not looking meanwhile.
    expect(await connection.status()).toBe('disconnected');
    expect((await connection.statuses().next()).value).toBe('disconnected');
    await clock.advance(10);
    expect(await connection.status()).toBe('connected');
    expect((await early.next()).value).toBe('connected');
    connection.stop();
  });

  it('R6 calls made side by side get the same answer', async () => {
    const { clock, connection } = open([FOREVER]);
    const both = Promise.all([connection.status(), connection.status()]);
    await clock.advance(10);
    expect(await both).toEqual(['connected', 'connected']);
    connection.stop();
  });

  it('R6 rejects once stopped, and statuses ends', async () => {
    const { clock, connection } = open([FOREVER]);
    await clock.advance(10);
    expect(await connection.status()).toBe('connected');
    const pending = connection.status();
    const statuses: string[] = [];
    const loop = (async () => {
      for await (const status of connection.statuses()) statuses.push(status);
    })();
    await clock.settle();
    connection.stop();
    await expect(pending).rejects.toBeInstanceOf(ReconnectStoppedError);
    await expect(connection.status()).rejects.toBeInstanceOf(ReconnectStoppedError);
    await loop;
    expect(statuses).toEqual(['connected']);
  });

  it('R6 statuses throws the give-up error, after the unread status', async () => {
    const { clock, connection } = open([{ connectMs: 10, sessionMs: 100 }, REFUSED], { timeout: 500 });
    await clock.advance(10_000);
    const statuses = connection.statuses();
    expect((await statuses.next()).value).toBe('disconnected');
    await expect(statuses.next()).rejects.toBeInstanceOf(ReconnectTimeoutError);
  });

  it('R6 C9 statuses left while it waits ends at once, and leaves nothing waiting', async () => {
    const { clock, connection } = open([REFUSED]);
    const statuses = connection.statuses();
    const pending = statuses.next();
    await clock.advance(10);
    expect(await statuses.return()).toEqual({ value: undefined, done: true });
    expect(await pending).toEqual({ value: undefined, done: true });
    expect(await statuses.next()).toEqual({ value: undefined, done: true });
    // Before it was ever asked, too.
    const unread = connection.statuses();
    expect(await unread.return()).toEqual({ value: undefined, done: true });
    connection.stop();
  });

  it('R6 statuses left by a break goes on for nobody else', async () => {
    const { clock, connection } = open([{ connectMs: 10, sessionMs: 100 }, FOREVER]);
    const other = connection.statuses();
    await clock.advance(10);
    for await (const status of connection.statuses()) {
      expect(status).toBe('connected');
      break;
    }
    expect((await other.next()).value).toBe('connected');
    const pending = other.next();
    await clock.advance(100);
    expect((await pending).value).toBe('disconnected');
    connection.stop();
    expect(await other.next()).toEqual({ value: undefined, done: true });
  });

  it('R6 G a listener that asks gets what it was told', async () => {
    const { clock, connection } = open([{ connectMs: 10, sessionMs: 100 }, REFUSED, FOREVER], { timeout: 500 });
    await clock.advance(5);
    const answers: Promise<unknown>[] = [];
    const ask = (answer: Promise<unknown>): void => void answers.push(answer.catch((error: Error) => error.name));
    connection.actor.on('connected', () => ask(connection.connected().then(({ id }) => id)));
    connection.actor.on('disconnected', () => ask(connection.status()));
    connection.actor.on('disconnected', () => ask(connection.connected()));
    connection.actor.on('failed', () => ask(connection.closed()));
    connection.actor.on('failed', () => connection.retry());
    connection.actor.on('connecting', () => ask(connection.connected().then(({ id }) => id)));
    await clock.advance(2_000);
    expect(await Promise.all(answers)).toEqual([
      1, // connected
      'disconnected',
      'ReconnectTimeoutError', // no next session came
      'ReconnectTimeoutError', // nor did one as it was connecting
      'ReconnectTimeoutError', // failed
      2, // connecting again after all
      2,
    ]);
    connection.stop();
  });

  it('R6 a wait ended by its signal leaves the reader where it was', async () => {
    const { clock, connection } = open([FOREVER]);
    const controller = new AbortController();
    const waiting = connection.status({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await clock.advance(10);
    expect(await connection.status({ signal: controller.signal })).toBe('connected');
    connection.stop();
  });
});

describe('R7 closed', () => {
  it('R7 resolves when stopped', async () => {
    const { clock, connection } = open([FOREVER]);
    const closed = connection.closed();
    await clock.advance(10);
    connection.stop();
    expect(await closed).toBeUndefined();
    expect(await connection.closed()).toBeUndefined();
  });

  it('R7 rejects with the give-up error; a retry brings the connection back to life', async () => {
    const { clock, connection } = open([REFUSED, FOREVER], { timeout: 500 });
    await clock.advance(1_010);
    await expect(connection.closed()).rejects.toThrow('reconnect timed out after 500ms: refused');
    connection.retry();
    const session = connection.connected();
    await clock.advance(10);
    expect(await session).toBe(connection.session);
    connection.stop();
    expect(await connection.closed()).toBeUndefined();
  });

  it('R7 O5 a process that gave up exits by itself, with no unhandled rejection', () => {
    const program = `
      const connection = reconnect({ connect: () => Promise.reject(new Error('refused')), backoff: { initial: 1, timeout: 5 } });
      connection.actor.on('failed', ({ error }) => console.log(error.message));
    `;
    const { status, stdout, stderr } = spawnSync(process.execPath, inNode(program), {
      cwd: root,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'reconnect timed out after 5ms: refused\n',
      stderr: '',
    });
  });
});

describe('connected', () => {
  it('is the live session, at once or when there is one', async () => {
    const { clock, server, connection } = open([REFUSED, FOREVER]);
    const waiting = connection.connected();
    await clock.advance(2_000);
    expect(await waiting).toBe(server.sessions[0]);
    expect(await connection.connected()).toBe(server.sessions[0]);
    connection.stop();
  });

  it('rejects when stopped', async () => {
    const { connection } = open([REFUSED]);
    const waiting = connection.connected();
    connection.stop();
    await expect(waiting).rejects.toBeInstanceOf(ReconnectStoppedError);
  });

  it('G is no session that a listener ended at once: it rejects, as the connection was stopped', async () => {
    const { clock, server, connection } = open([FOREVER]);
    const waiting = expect(connection.connected()).rejects.toBeInstanceOf(ReconnectStoppedError);
    connection.actor.on('connected', () => connection.stop());
    await clock.advance(10);
    await waiting;
    expect(server.sessions[0]?.closes).toEqual(['stopped']);
  });

  it('G is never a session that is gone: the next one, when asked in the event of its end', async () => {
    const { clock, server, connection } = open([{ connectMs: 10, sessionMs: 100 }, FOREVER]);
    let next: Promise<ScriptedSession> | undefined;
    connection.actor.on('disconnected', () => {
      next ??= connection.connected();
    });
    await clock.advance(200);
    expect(await next).toBe(server.sessions[1]);
    connection.stop();
  });

  it('a session may be any value', async () => {
    const connection = reconnect({ connect: () => undefined, closed: () => new Promise(() => {}) });
    expect(await connection.connected()).toBeUndefined();
    expect(connection.snapshot.value).toBe('connected');
    connection.stop();
  });

  it('with a timeout says how long it waited and why, with the last failure as its cause, and leaves no timer', async () => {
    const { clock, connection } = open([REFUSED]);
    const waiting = connection.connected({ timeout: '500ms' }).catch((reason: unknown) => reason);
    await clock.advance(499);
    expect(clock.pending).toBe(2);
    await clock.advance(1);
    const error = await waiting;
    expect(error).toBeInstanceOf(NotConnectedError);
    expect(error).toMatchObject({
      message: 'not connected within 500ms: refused',
      cause: REFUSED.error,
      timeout: 500,
    });
    // What is left is the wait of the connection itself.
    expect(clock.pending).toBe(1);
    connection.stop();
    expect(clock.pending).toBe(0);
  });

  it('with a timeout, before anything has failed, has no cause to tell', async () => {
    const { clock, connection } = open([{ connectMs: 60_000 }]);
    const waiting = connection.connected({ timeout: 500 }).catch((reason: unknown) => reason);
    await clock.advance(500);
    const error = await waiting;
    expect(error).toMatchObject({ message: 'not connected within 500ms' });
    expect(error).not.toHaveProperty('cause');
    connection.stop();
  });

  it.each([
    ['it connects in time', [FOREVER], 10],
    ['it is stopped', [REFUSED], 0],
    ['it gives up', [REFUSED], 1_010],
  ])('O5 C1 a timeout leaves no timer when %s', async (how, attempts, at) => {
    const { clock, connection } = open(attempts, { timeout: 500 });
    const waiting = connection.connected({ timeout: '1h', signal: new AbortController().signal }).catch(() => {});
    await clock.advance(at);
    if (how === 'it is stopped') connection.stop();
    await waiting;
    await clock.settle();
    expect(clock.pending).toBe(0);
    connection.stop();
  });

  it('C4 a timeout above 2^31-1 ms is waited for in full', async () => {
    const days = 40 * 86_400_000;
    const { clock, connection } = open([{ connectMs: 2 * days }]);
    let error: unknown;
    connection.connected({ timeout: '40days' }).catch((reason: unknown) => {
      error = reason;
    });
    await clock.advance(days - 1);
    expect(error).toBeUndefined();
    await clock.advance(1);
    expect(error).toMatchObject({ message: 'not connected within 3456000s' });
    connection.stop();
  });

  it.each([[-1], [Number.NaN], ['soon']])('O6 a timeout of %s is refused by name', async (timeout) => {
    const { clock, connection } = open([FOREVER]);
    await expect(connection.connected({ timeout })).rejects.toThrow(InvalidBackoffError);
    await expect(connection.connected({ timeout })).rejects.toThrow('timeout: expected a duration');
    connection.stop();
    expect(clock.pending).toBe(0);
  });

  it('with a signal rejects with its reason, at once if it has aborted, and C9 leaves no listener', async () => {
    const { clock, connection } = open([FOREVER]);
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    const waiting = connection.connected({ signal });
    expect(listeners).toBe(1);
    await clock.advance(10);
    await waiting;
    expect(listeners).toBe(0);
    controller.abort(new Error('enough'));
    // It is there: a look takes no time.
    expect(await connection.connected({ signal })).toBe(connection.session);
    connection.retry();
    await expect(connection.connected({ signal })).rejects.toThrow('enough');
    connection.stop();
  });

  it('R6 an aborted wait changes nothing for the others', async () => {
    const { clock, server, connection } = open([FOREVER]);
    const controller = new AbortController();
    const aborted = connection.connected({ signal: controller.signal });
    const other = connection.connected();
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await clock.advance(10);
    expect(await other).toBe(server.sessions[0]);
    connection.stop();
  });
});

describe('retry, update and healthy', () => {
  it('C3 retry leaves an attempt alone, or with restart makes it anew', async () => {
    const { clock, server, connection } = open([{ connectMs: 100 }, FOREVER]);
    await clock.advance(50);
    connection.retry();
    expect(server.calls).toHaveLength(1);
    connection.retry({ restart: true });
    await clock.advance(10);
    expect(server.calls.map(({ args: { reason, signal } }) => [reason, signal.aborted])).toEqual([
      ['start', true],
      ['retry', false],
    ]);
    expect(connection.session).toBe(server.sessions[0]);
    connection.stop();
  });

  it('I update connects anew with another input, and an equal one is no change', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [FOREVER, FOREVER]);
    const connection = reconnect<ScriptedSession, { url: URL }>({
      clock,
      connect: server.connect,
      close: server.close,
      input: { url: new URL('wss://a') },
    });
    await clock.advance(10);
    connection.update({ url: new URL('wss://a') });
    await clock.advance(10);
    expect(server.calls).toHaveLength(1);
    connection.update({ url: new URL('wss://b') });
    await clock.advance(10);
    expect(server.calls.at(-1)?.args).toMatchObject({ reason: 'update', input: { url: new URL('wss://b') } });
    expect(server.sessions.map(({ closes }) => closes)).toEqual([['replaced'], []]);
    connection.stop();
    connection.update({ url: new URL('wss://c') });
    await clock.advance(1_000);
    expect(server.calls).toHaveLength(2);
  });

  it('A1 healthy is the sign without which a session counts as failed', async () => {
    for (const isHealthy of [true, false]) {
      const clock = createVirtualClock();
      const server = createScriptedServer(clock, [{ connectMs: 10, sessionMs: 60_000 }, FOREVER]);
      const connection = reconnect({ clock, connect: server.connect, close: server.close, healthy: 'event' });
      await clock.advance(20);
      if (isHealthy) connection.healthy();
      expect(connection.snapshot.context.healthy).toBe(isHealthy);
      await clock.advance(60_000);
      expect(connection.snapshot.value).toBe(isHealthy ? 'connected' : 'backingOff');
      expect(connection.summary().waitingFor).toBe(isHealthy ? undefined : 'unhealthy');
      connection.stop();
    }
  });
});

describe('C10 a connection that waits keeps a Node process alive, or not, as asked', () => {
  // A timer of its own that keeps nothing alive: it fires only if the connection keeps the process alive.
  const program = (unref: boolean): string => `
    const connect = () => Promise.reject(new Error('refused'));
    const connection = reconnect({ connect, backoff: { initial: '1h' }, unref: ${unref} });
    connection.onNotice(() => {}, { lostAfter: '1h' });
    connection.connected({ timeout: '1h' });
    connection.actor.on('retrying', () => {
      console.log('waiting');
      setTimeout(() => console.log('alive'), 100).unref();
    });
  `;

  it('C10 with unref it ends by itself', () => {
    const { stdout, stderr, signal } = spawnSync(process.execPath, inNode(program(true)), {
      cwd: root,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect({ stdout, stderr, signal }).toEqual({ stdout: 'waiting\n', stderr: '', signal: null });
  });

  it('C10 without, which is the default, it waits', async () => {
    const child = spawn(process.execPath, inNode(program(false)), { cwd: root });
    try {
      let output = '';
      for await (const chunk of child.stdout.setEncoding('utf8')) {
        output += chunk;
        if (output.includes('alive')) break;
      }
      expect(output).toBe('waiting\nalive\n');
      expect(child.exitCode).toBeNull();
    } finally {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    }
  });
});

describe('R8 dropping the handle ends what runs, now', () => {
  it.each([
    ['connecting', 5],
    ['connected', 50],
    ['backingOff', 150],
  ])('R8 while %s', async (state, at) => {
    const { clock, server, connection } = open([{ connectMs: 10, sessionMs: 100 }, REFUSED, FOREVER]);
    await clock.advance(at);
    expect(connection.snapshot.value).toBe(state);
    connection.stop();
    connection.stop();
    connection.retry();
    expect(server.live).toEqual([]);
    await clock.advance(100_000);
    expect(server.calls.length).toBeLessThanOrEqual(2);
    expect(clock.pending).toBe(0);
    expect(server.sessions.every(({ closes }) => closes.length === 1)).toBe(true);
  });

  it('R8 using and await using', async () => {
    const { clock, server, connection } = open([FOREVER, FOREVER]);
    await clock.advance(10);
    {
      using scoped = connection;
      expect(scoped.session).toBe(server.sessions[0]);
    }
    expect(server.live).toEqual([]);
    const again = open([FOREVER]);
    await again.clock.advance(10);
    {
      await using scoped = again.connection;
      expect(scoped.session).toBe(again.server.sessions[0]);
    }
    expect(again.server.live).toEqual([]);
  });

  it('G stop and retry called from inside a listener, twice', async () => {
    const { clock, server, connection } = open([REFUSED, REFUSED, FOREVER]);
    connection.actor.on('retrying', () => connection.retry());
    connection.actor.on('connected', () => {
      connection.stop();
      connection.stop();
    });
    await clock.advance(1_000);
    expect(server.calls.map(({ at }) => at)).toEqual([0, 10, 20]);
    expect(server.live).toEqual([]);
    expect(connection.snapshot.value).toBe('idle');
  });
});

describe('input', () => {
  it('reaches connect, with the attempt and the last error', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [REFUSED, FOREVER]);
    const connection = reconnect({
      clock,
      input: { token: 't1' },
      connect: (args: { input: { token: string }; attempt: number; lastError: unknown; signal: AbortSignal }) =>
        server.connect(args),
    });
    await clock.advance(2_000);
    expect(server.calls.map(({ args: { input, attempt, lastError } }) => ({ input, attempt, lastError }))).toEqual([
      { input: { token: 't1' }, attempt: 1, lastError: undefined },
      { input: { token: 't1' }, attempt: 2, lastError: REFUSED.error },
    ]);
    connection.stop();
  });
});

it('O4 a listener of the handle’s own events that throws is reported to onError', async () => {
  const errors: unknown[] = [];
  const connection = reconnect({
    connect: () => createScriptedSession(),
    onError: (error, source) => errors.push([source, (error as Error).message]),
  });
  connection.actor.on('connected', () => {
    throw new Error('listener');
  });
  await connection.connected();
  connection.stop();
  expect(errors).toEqual([['listener', 'listener']]);
});
