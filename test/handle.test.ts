import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { originBackoff, ReconnectStoppedError, ReconnectTimeoutError, reconnect } from '../src/index';
import { createScriptedServer, createVirtualClock, type ScriptedAttempt } from '../src/testing/index';

function open(attempts: ScriptedAttempt[], backoff = {}) {
  const clock = createVirtualClock();
  const server = createScriptedServer(clock, attempts);
  const connection = reconnect({
    clock,
    connect: server.connect,
    close: server.close,
    backoff: { ...originBackoff, ...backoff },
  });
  return { clock, server, connection };
}

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
      import { reconnect } from './src/index.ts';
      const connection = reconnect({ connect: () => Promise.reject(new Error('refused')), backoff: { initial: 1, timeout: 5 } });
      connection.actor.on('failed', ({ error }) => console.log(error.message));
    `;
    const root = fileURLToPath(new URL('..', import.meta.url));
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
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
