import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { HalfOpenError, InvalidBackoffError, type Liveness, reconnect } from '../../src/index';
import { type TcpSession, tcp } from '../../src/tcp';
import type { ScriptedSession } from '../../src/testing/index';
import { type WebSocketSession, websocket } from '../../src/websocket';
import { afterTest, tcpServer, webSocketServer } from '../support/servers';
import '../support/unhandled';
import { play } from '../support/play';

const MADE = { connectMs: 10 };
const WITHIN = 2_000;
const EVERY = 10_000;

interface Probe {
  at: number;
  session: ScriptedSession;
  signal: AbortSignal;
  answer(): void;
  refuse(error: unknown): void;
}

/** A connection whose probes are answered when the test says so. */
function probed(attempts: Parameters<typeof play>[0], options: Parameters<typeof play>[1] = {}) {
  const probes: Probe[] = [];
  const run = play(attempts, {
    liveness: {
      every: EVERY,
      within: WITHIN,
      probe: (session, signal) =>
        new Promise<void>((answer, refuse) => probes.push({ at: run.clock.now(), session, signal, answer, refuse })),
    },
    ...options,
  });
  run.actor.start();
  return {
    ...run,
    probes,
    /** The latest probe. */
    probe: () => probes.at(-1) as Probe,
    probedAt: () => probes.map(({ at }) => at),
    failure: () => run.context().error as Error,
  };
}

describe('F a half-open session is found, closed and replaced', () => {
  it('F a probe without an answer: the session is closed as half-open, and another one is made', async () => {
    const run = probed([MADE, MADE]);
    await run.clock.advance(10 + EVERY);
    expect(run.probedAt()).toEqual([10 + EVERY]);
    expect(run.probe().session).toBe(run.server.sessions[0]);
    await run.clock.advance(WITHIN - 1);
    expect(run.closes()).toEqual([[]]);
    await run.clock.advance(1);
    expect(run.closes()).toEqual([['half-open']]);
    expect(run.failure()).toBeInstanceOf(HalfOpenError);
    expect(run.failure().message).toBe('no answer to a probe within 2s');
    expect(run.probe().signal.aborted).toBe(true);
    await run.clock.advance(1_010);
    expect(run.context().session).toBe(run.server.sessions[1]);
    expect(run.events).toEqual([
      { type: 'connecting', attempt: 1, reason: 'start' },
      { type: 'connected', attempt: 1 },
      { type: 'disconnected', error: expect.any(HalfOpenError), uptime: EVERY + WITHIN },
      { type: 'retrying', delay: 1_000, attempt: 1, error: expect.any(HalfOpenError), reason: 'half-open' },
      { type: 'connecting', attempt: 2, reason: 'backoff' },
      { type: 'connected', attempt: 2 },
    ]);
    run.actor.stop();
    expect(run.closes()).toEqual([['half-open'], ['stopped']]);
  });

  it('F a session that answers is kept, and asked again after each pause', async () => {
    const run = probed([MADE]);
    for (let i = 1; i <= 5; i++) {
      await run.clock.advanceTo(i === 1 ? 10 + EVERY : run.probe().at + 500 + EVERY);
      await run.clock.advance(500);
      run.probe().answer();
      await run.clock.settle();
      expect(run.probe().signal.aborted).toBe(true);
    }
    expect(run.probedAt()).toEqual([10_010, 20_510, 31_010, 41_510, 52_010]);
    expect(run.closes()).toEqual([[]]);
    run.actor.stop();
    expect(run.clock.pending).toBe(0);
  });

  it.each<[string, Liveness<ScriptedSession>['probe']]>([
    [
      'throws',
      () => {
        throw new Error('EPIPE');
      },
    ],
    ['rejects', () => Promise.reject(new Error('EPIPE'))],
    [
      'is a thenable that fails',
      () => ({ then: (_: unknown, fail: (error: unknown) => void) => fail(new Error('EPIPE')) }),
    ],
  ])('F O4 a probe that %s finds the session dead, and says why', async (_, probe) => {
    const run = probed([MADE, MADE], { liveness: { every: EVERY, within: WITHIN, probe } });
    await run.clock.advance(10 + EVERY);
    expect(run.closes()).toEqual([['half-open']]);
    expect(run.failure()).toBeInstanceOf(HalfOpenError);
    expect(run.failure().message).toBe('a probe failed');
    expect(run.failure().cause).toEqual(new Error('EPIPE'));
    expect(run.errors).toEqual([]);
    run.actor.stop();
  });

  it('F a probe that answers with anything, or at once, is an answer', async () => {
    const run = probed([MADE], { liveness: { every: EVERY, within: WITHIN, probe: () => false } });
    await run.clock.advance(10 * EVERY);
    expect(run.closes()).toEqual([[]]);
    run.actor.stop();
  });

  it.each(['answer', 'refuse'] as const)('B5 a late %s, after the verdict, changes nothing', async (late) => {
    const run = probed([MADE, MADE]);
    await run.clock.advance(10 + EVERY + WITHIN);
    expect(run.value()).toBe('backingOff');
    run.probe()[late](new Error('late'));
    await run.clock.advance(1_010);
    expect(run.value()).toBe('connected');
    expect(run.closes()).toEqual([['half-open'], []]);
    run.actor.stop();
  });

  it('B7 the old session’s end, after it was found dead, changes nothing', async () => {
    const run = probed([MADE, MADE]);
    await run.clock.advance(10 + EVERY + WITHIN + 1_010);
    run.server.sessions[0]?.end();
    await run.clock.advance(1_000);
    expect(run.context().session).toBe(run.server.sessions[1]);
    expect(run.closes()).toEqual([['half-open'], []]);
    run.actor.stop();
  });

  it('F classify hears of it as the end of a session', async () => {
    const facts: unknown[] = [];
    const run = probed([MADE], {
      classify: (failure) => {
        facts.push(failure);
        return 'give-up';
      },
    });
    await run.clock.advance(10 + EVERY + WITHIN);
    expect(facts).toEqual([{ error: expect.any(HalfOpenError), attempt: 1, phase: 'session', uptime: 0 }]);
    expect(run.value()).toBe('failed');
    expect(run.failure().cause).toBeInstanceOf(HalfOpenError);
  });

  it('F each session is probed for itself, the one that a rotation made too', async () => {
    const run = probed([MADE, MADE], { maxSessionAge: 12_000, random: () => 0 });
    await run.clock.advance(10 + EVERY + 500);
    run.probe().answer();
    await run.clock.advanceTo(12_020 + EVERY);
    expect(run.probes.map(({ session }) => session.id)).toEqual([1, 2]);
    expect(run.probedAt()).toEqual([10 + EVERY, 12_020 + EVERY]);
    run.actor.stop();
  });
});

describe('A1 a half-open session counts as stable for as long as it gave signs of life', () => {
  it('A1 one that never answered is a failed attempt: it waits, and the waits escalate', async () => {
    const run = probed([MADE, MADE, MADE, MADE], { backoff: { timeout: '1m' } });
    await run.clock.advance(200_000);
    const life = 10 + EVERY + WITHIN;
    expect(run.dials()).toEqual([0, life + 1_000, 2 * life + 3_000, 3 * life + 7_000]);
    expect(run.reasons()).toEqual(['start', 'backoff', 'backoff', 'backoff']);
    expect(run.value()).toBe('failed');
    expect(run.failure().message).toBe('reconnect timed out after 60s: no answer to a probe within 2s');
    expect(run.clock.pending).toBe(0);
  });

  it('A1 one that answered after minUptime is followed at once, in a fresh window', async () => {
    const run = probed([MADE, MADE]);
    await run.clock.advance(10 + EVERY);
    run.probe().answer();
    await run.clock.advance(EVERY + WITHIN + 10);
    expect(run.reasons()).toEqual(['start', 'half-open']);
    expect(run.server.calls[1]?.args).toMatchObject({ attempt: 1, lastError: expect.any(HalfOpenError) });
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });

  it('A4 what counts is the last sign of life, and not how long it looked open', async () => {
    const run = probed([MADE, MADE], { backoff: { minUptime: EVERY + 1 } });
    await run.clock.advance(10 + EVERY);
    run.probe().answer();
    await run.clock.advance(EVERY + WITHIN);
    expect(run.value()).toBe('backingOff');
    expect(run.context().history.at(-1)).toMatchObject({ phase: 'session', uptime: EVERY });
    run.actor.stop();
  });
});

describe('C7 a late timer leads to a probe, and not to a verdict', () => {
  const ASLEEP = 3_600_000;

  it('C7 asleep during the pause: it is asked on waking', async () => {
    const run = probed([MADE]);
    await run.clock.advance(5_000);
    await run.clock.sleep(ASLEEP);
    expect(run.probedAt()).toEqual([5_000 + ASLEEP]);
    run.probe().answer();
    await run.clock.advance(WITHIN);
    expect(run.closes()).toEqual([[]]);
    run.actor.stop();
  });

  it('C7 asleep while an answer was due: it is asked once more, and kept if it answers', async () => {
    const run = probed([MADE]);
    await run.clock.advance(10 + EVERY + 500);
    await run.clock.sleep(ASLEEP);
    expect(run.closes()).toEqual([[]]);
    expect(run.probes[0]?.signal.aborted).toBe(true);
    expect(run.probes).toHaveLength(2);
    run.probe().answer();
    await run.clock.advance(EVERY);
    expect(run.probes).toHaveLength(3);
    expect(run.closes()).toEqual([[]]);
    run.actor.stop();
  });

  it('C7 but only once in a row: the second time is a verdict, as a process may be late for ever', async () => {
    const run = probed([MADE, MADE]);
    await run.clock.advance(10 + EVERY + 500);
    await run.clock.sleep(ASLEEP);
    await run.clock.sleep(ASLEEP);
    expect(run.closes()).toEqual([['half-open']]);
    run.actor.stop();
  });

  it('C7 a timer that is late by no more than a busy process explains is a verdict', async () => {
    const run = probed([MADE, MADE]);
    await run.clock.advance(10 + EVERY);
    await run.clock.sleep(WITHIN + 5_000);
    expect(run.closes()).toEqual([['half-open']]);
    run.actor.stop();
  });
});

describe('I the environment: after wake "open" is no proof, so probe', () => {
  it.each(['wake', 'resume', 'online', 'offline'] as const)('I %s probes at once', async (type) => {
    const run = probed([MADE, MADE]);
    await run.clock.advance(3_000);
    run.actor.send({ type });
    await run.clock.settle();
    expect(run.probedAt()).toEqual([3_000]);
    run.probe().answer();
    await run.clock.advance(EVERY);
    expect(run.probedAt()).toEqual([3_000, 3_000 + EVERY]);
    await run.clock.advance(WITHIN);
    expect(run.closes()).toEqual([['half-open']]);
    run.actor.stop();
  });

  it('I one that comes while an answer is due asks once more: what was sent may have gone nowhere', async () => {
    const run = probed([MADE]);
    await run.clock.advance(10 + EVERY + 500);
    run.actor.send({ type: 'wake' });
    await run.clock.settle();
    expect(run.probes.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    await run.clock.advance(WITHIN - 1);
    run.probe().answer();
    await run.clock.advance(10);
    expect(run.closes()).toEqual([[]]);
    run.actor.stop();
  });

  it('I a network that comes and goes does not put the verdict off', async () => {
    const run = probed([MADE, MADE]);
    await run.clock.advance(5_000);
    for (let i = 0; i < 10 && run.value() === 'connected'; i++) {
      run.actor.send({ type: i % 2 === 0 ? 'offline' : 'online' });
      await run.clock.advance(WITHIN / 2);
    }
    expect(run.closes()).toEqual([['half-open']]);
    run.actor.stop();
  });

  it('I where nothing is probed, nothing happens', async () => {
    const run = play([MADE]);
    run.actor.start();
    await run.clock.advance(10);
    for (const type of ['wake', 'resume', 'online', 'offline', 'suspend'] as const) run.actor.send({ type });
    expect(run.told()).toEqual(['connecting', 'connected']);
    run.actor.stop();
  });
});

describe('O5 C1 nothing is left after stop', () => {
  it.each([
    ['in a pause', 5_000],
    ['while an answer is due', 10 + EVERY + 500],
    ['while a second one is', 10 + EVERY + 500 + 3_600_000],
  ])('O5 C1 stopped %s', async (_, at) => {
    for (const end of ['event', 'actor'] as const) {
      const run = probed([MADE]);
      await run.clock.advance(Math.min(at, 10 + EVERY + 500));
      if (at > 100_000) await run.clock.sleep(3_600_000);
      const asked = run.probes.length;
      if (end === 'event') run.actor.send({ type: 'stop' });
      else run.actor.stop();
      expect(run.probes.every(({ signal }) => signal.aborted)).toBe(true);
      expect(run.clock.pending).toBe(0);
      run.probes.at(-1)?.answer();
      await run.clock.advance(10 * EVERY);
      expect(run.probes).toHaveLength(asked);
      expect(run.closes()).toEqual([['stopped']]);
      expect(run.clock.pending).toBe(0);
      run.actor.stop();
    }
  });

  it('O5 C9 a thousand answered probes leave one timer, and their signals ended', async () => {
    const run = probed([MADE]);
    await run.clock.advance(10);
    for (let i = 0; i < 1_000; i++) {
      await run.clock.advance(EVERY);
      run.probe().answer();
      await run.clock.settle();
    }
    expect(run.probes.filter(({ signal }) => !signal.aborted)).toEqual([]);
    expect(run.clock.pending).toBe(1);
    run.actor.stop();
    expect(run.clock.pending).toBe(0);
  });

  it('O4 G a probe that stops the connection', async () => {
    const run = probed([MADE], {
      liveness: {
        every: EVERY,
        within: WITHIN,
        probe: () => run.actor.send({ type: 'stop' }),
      },
    });
    await run.clock.advance(10 + EVERY);
    expect(run.value()).toBe('idle');
    expect(run.closes()).toEqual([['stopped']]);
    expect(run.clock.pending).toBe(0);
    run.actor.stop();
  });
});

describe('O6 its durations are checked at creation', () => {
  it.each([
    ['every', 0],
    ['every', -1],
    ['every', Number.NaN],
    ['every', 'often'],
    ['within', 0],
    ['within', -1],
    ['within', Number.NaN],
    ['within', Number.POSITIVE_INFINITY],
  ])('O6 liveness.%s = %s is refused by name', (field, value) => {
    const liveness = { every: 1_000, within: 1_000, probe: () => {}, [field]: value };
    expect(() => play([], { liveness })).toThrow(InvalidBackoffError);
    expect(() => play([], { liveness })).toThrow(`liveness.${field}: expected a duration`);
  });

  it('O6 C4 a pause above 2^31-1 ms is waited for in full', async () => {
    const days = 40 * 86_400_000;
    let asked = 0;
    const run = probed([MADE], { liveness: { every: '40days', within: '1s', probe: () => void asked++ } });
    await run.clock.advance(10 + days - 1);
    expect(asked).toBe(0);
    await run.clock.advance(1);
    expect(asked).toBe(1);
    run.actor.stop();
  });
});

describe('F on real sockets', () => {
  /** The error of the next session that is lost, and the session that replaces it. */
  async function replacement<TSession>(connection: ReturnType<typeof reconnect<TSession>>) {
    const before = connection.session;
    const lost = new Promise<unknown>((resolve) => connection.actor.on('disconnected', ({ error }) => resolve(error)));
    return {
      error: await lost,
      session: await new Promise<TSession>((resolve) => {
        const look = (): void => {
          const { session } = connection;
          if (session !== undefined && session !== before) resolve(session);
        };
        connection.actor.on('connected', look);
        look();
      }),
    };
  }

  it('F a TCP server that goes silent without closing', async () => {
    let silent = false;
    const peers: Socket[] = [];
    const server = await tcpServer((peer) => {
      peers.push(peer);
      peer.on('data', (data) => {
        if (!silent || peer !== peers[0]) peer.write(data);
      });
    });
    const connection = reconnect<TcpSession>({
      connect: tcp({ host: '127.0.0.1', port: server.port }),
      liveness: {
        every: 20,
        within: 1_000,
        probe: async ({ socket }, signal) => {
          const answered = once(socket, 'data', { signal });
          socket.write('?');
          await answered;
          // The first answer is a sign of life; from then on the server is silent.
          silent = true;
        },
      },
    });
    afterTest(() => connection.stop());
    const first = await connection.connected();
    const { error, session } = await replacement(connection);
    expect(error).toBeInstanceOf(HalfOpenError);
    expect((error as Error).message).toBe('no answer to a probe within 1s');
    await first.closed;
    expect(first.socket.destroyed).toBe(true);
    const echoed = once(session.socket, 'data');
    session.socket.write('hello');
    expect(String((await echoed)[0])).toContain('hello');
    expect(peers).toHaveLength(2);
  });

  it('F a ping to a WebSocket server that no longer answers', async () => {
    const server = await webSocketServer();
    const connection = reconnect<WebSocketSession<WebSocket>>({
      connect: websocket(`ws://127.0.0.1:${server.port}`, { WebSocket }),
      liveness: {
        every: 20,
        within: 1_000,
        probe: async ({ socket }, signal) => {
          const answered = once(socket, 'pong', { signal });
          socket.ping();
          await answered;
        },
      },
    });
    afterTest(() => connection.stop());
    const first = await connection.connected();
    const peer = await server.peers.next();
    await once(peer, 'ping');
    peer.pause();
    const { error, session } = await replacement(connection);
    expect(error).toBeInstanceOf(HalfOpenError);
    expect((error as Error).message).toBe('no answer to a probe within 1s');
    await first.closed;
    expect(session).not.toBe(first);
    // The one that replaced it answers.
    await once(await server.peers.next(), 'ping');
    await once(session.socket, 'pong');
  });
});
