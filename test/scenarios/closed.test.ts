/** F: a `closed` that misbehaves, of sessions with a real server. */
import { describe, expect, it } from 'vitest';
import { type CloseReason, type ConnectArgs, HalfOpenError } from '../../src/index';
import { tcp } from '../../src/tcp';
import { createVirtualClock } from '../../src/testing/index';
import { keep, ping, quiet, type Session, to } from '../support/connections';
import type { FaultServer } from '../support/fault-server';
import { faultServer, serverProcess } from '../support/servers';
import '../support/unhandled';

const QUICK = { initial: 5, max: 5, timeout: 0 };

it.each([new Error('gone'), undefined, 'gone', Object.freeze({ code: 1 })])(
  'F1 closed rejects with %o: the session has ended, for just that reason, and there is another one',
  async (reason) => {
    const server = await faultServer();
    const lastErrors: unknown[] = [];
    const dial = to(server);
    const { connection, story } = keep({
      connect(args) {
        lastErrors.push(args.lastError);
        return dial(args);
      },
      closed: async (session) => {
        await session.closed;
        throw reason;
      },
      backoff: QUICK,
    });
    const first = await connection.connected();
    server.hangUp();
    expect((await story.next('disconnected')).error).toBe(reason);
    expect(await connection.connected()).not.toBe(first);
    expect(lastErrors).toEqual([undefined, reason]);
    expect(server.dials).toHaveLength(2);
  },
);

describe('F2', () => {
  const over = { then: (end: (reason: string) => void) => end('over') } as PromiseLike<string>;
  const hangUp = ({ socket }: Session): void => socket.terminate();

  it.each([
    ['as soon as it is looked at', 'serve', () => over, undefined],
    ['in the listener that hears of it', 'serve', ({ closed }: Session) => closed, hangUp],
    ['with the end of the handshake', 'accept-then-close', ({ closed }: Session) => closed, undefined],
  ] as const)(
    'F2 closed settles during the transition, %s: one failure each, and each session closed once',
    async (_, kind, closed, listener) => {
      const server = await faultServer({ behaviour: { kind } });
      const closes = new Map<Session, CloseReason[]>();
      const { connection, story } = keep({
        connect: to(server),
        closed,
        close(session, reason) {
          closes.set(session, [...(closes.get(session) ?? []), reason]);
          session.close();
        },
        backoff: { ...QUICK, minUptime: '1h' },
      });
      connection.actor.on('connected', () => listener?.(connection.session as Session));
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        await story.next('disconnected');
        expect(await story.next('retrying')).toMatchObject({ attempt, reason: 'short-session' });
      }
      connection.stop();
      await Promise.all(server.dials.map(({ ended }) => ended));
      expect(story.all('disconnected')).toHaveLength(story.all('connected').length);
      expect(closes.size).toBe(server.dials.length);
      expect([...closes.values()].every((reasons) => reasons.length === 1)).toBe(true);
    },
  );
});

describe('F3', () => {
  /** A session on virtual time, with a peer that has answered so many probes. */
  async function probed(server: FaultServer, answers: number) {
    const clock = createVirtualClock();
    let answered = (): void => {};
    const closes: CloseReason[] = [];
    const { connection, story } = keep({
      clock,
      connect: to(server),
      close(session, reason) {
        closes.push(reason);
        session.close();
      },
      liveness: {
        every: '30s',
        within: '10s',
        async probe(session, signal) {
          await ping(session, signal);
          answered();
        },
      },
    });
    const { socket } = await connection.connected();
    for (let count = 0; count < answers; count += 1) {
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      await clock.advance(30_000);
      await answer;
      await clock.settle();
    }
    return { clock, connection, story, closes, socket };
  }

  it('F3 closed never settles though the link is dead: a probe finds out, and there is another session at once', async () => {
    const server = await faultServer();
    const { clock, connection, story, closes, socket } = await probed(server, 2);
    const line = await server.nextDial();
    line.silence();
    await clock.advance(30_000);
    expect(connection.session?.socket).toBe(socket);
    expect(socket.readyState).toBe(socket.OPEN);
    await clock.advance(10_000);
    const { error, uptime } = await story.next('disconnected');
    expect(error).toBeInstanceOf(HalfOpenError);
    expect({ uptime, closes }).toEqual({ uptime: 100_000, closes: ['half-open'] });
    await clock.settle();
    expect((await connection.connected()).socket).not.toBe(socket);
    expect(connection.snapshot.context.reason).toBe('half-open');
    await line.ended;
    expect({ dials: server.dials.length, open: server.open.length }).toEqual({ dials: 2, open: 2 });
  });

  it('F3 a link that was dead from the start is no session that was stable: it is backed off from', async () => {
    const server = await faultServer({ behaviour: { kind: 'silence', after: 'handshake' } });
    const { clock, story } = await probed(server, 0);
    for (const delay of [1_000, 2_000, 4_000]) {
      await clock.advance(40_000);
      expect(await story.next('retrying')).toMatchObject({ delay, reason: 'half-open' });
      await clock.advance(delay);
      await story.next('connected');
      if (delay === 1_000) await story.next('connected');
    }
    expect(server.dials).toHaveLength(4);
  });
});

describe('F4', () => {
  const kinds: [
    string,
    (server: FaultServer) => (args: ConnectArgs<void>) => Promise<{ closed: Promise<unknown>; close(): void }>,
  ][] = [
    ['WebSocket', to],
    ['TCP', ({ port }) => tcp({ host: '127.0.0.1', port })],
  ];

  it.each(kinds)('F4 error and close both fire when a %s is reset: one failure', async (_, dial) => {
    const server = await faultServer();
    const { connection, story } = keep({ connect: dial(server), backoff: { ...QUICK, minUptime: '1h' } });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await connection.connected();
      const line = await server.nextDial();
      line.reset();
      expect(await story.next('retrying')).toMatchObject({ attempt, reason: 'short-session' });
    }
    await connection.connected();
    await quiet();
    expect(story.all('disconnected')).toHaveLength(3);
    expect(connection.snapshot.context.history).toHaveLength(3);
    expect(server.dials).toHaveLength(4);
  });

  it('F4 a handshake that is reset is one failure, though error and close both fire', async () => {
    const server = await faultServer({ behaviour: { kind: 'reset' } });
    const { story } = keep({ connect: to(server), backoff: { ...QUICK, maxAttempts: 4 } });
    await story.next('failed');
    await quiet();
    expect(story.all('retrying').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(server.dials).toHaveLength(4);
  });

  it('F4 a server that is killed (kill -9) is one failure', async () => {
    const server = await serverProcess();
    const { connection, story } = keep({ connect: to(server), backoff: { initial: '1h', minUptime: '1h' } });
    await connection.connected();
    await server.kill();
    expect(await story.next('retrying')).toMatchObject({ attempt: 1, error: { code: 1006 } });
    await quiet();
    expect(connection.snapshot.context.history).toHaveLength(1);
  });
});

it.each([
  ['settles once', 1],
  ['settles twice', 2],
])('F5 closed is a thenable that %s: the session ends once', async (_, times) => {
  const server = await faultServer();
  const judged: unknown[] = [];
  const { connection, story } = keep({
    connect: to(server),
    closed: (session) =>
      ({
        then: (end: (reason: unknown) => void) =>
          session.closed.then((reason) => {
            for (let count = 0; count < times; count += 1) end(reason);
          }),
      }) as PromiseLike<unknown>,
    classify({ error }) {
      judged.push(error);
      return 'retry';
    },
    backoff: QUICK,
  });
  const first = await connection.connected();
  server.hangUp();
  const { error } = await story.next('disconnected');
  expect(error).toBe(await first.closed);
  expect(await connection.connected()).not.toBe(first);
  expect(judged).toEqual([error]);
  expect({ dials: server.dials.length, lost: story.all('disconnected').length }).toEqual({ dials: 2, lost: 1 });
});

describe('F6', () => {
  /** A session of ours with another `closed`. */
  function withClosed(server: FaultServer, closed: (session: Session) => Promise<unknown>) {
    const dial = to(server);
    return async (args: ConnectArgs<void>) => {
      const session = await dial(args);
      return {
        get closed() {
          return closed(session);
        },
        close: () => session.close(),
      };
    };
  }

  it('F6 closed is a getter that throws: a failed attempt, and the session is closed', async () => {
    const server = await faultServer();
    const connect = withClosed(server, () => {
      throw new Error('no closed today');
    });
    const { story } = keep({ connect, backoff: { maxAttempts: 2, ...QUICK } });
    expect(await story.next('retrying')).toMatchObject({
      reason: 'connect-failed',
      error: { message: 'no closed today' },
    });
    await story.next('failed');
    await Promise.all(server.dials.map(({ ended }) => ended));
    expect(server.dials).toHaveLength(2);
  });

  it('F6 closed is a getter with a new promise each time: the session ends once, and there is another one', async () => {
    const server = await faultServer();
    const connect = withClosed(server, async (session) => {
      await session.closed;
      return 'ended';
    });
    const { connection, story } = keep({ connect, backoff: QUICK });
    const first = await connection.connected();
    server.hangUp();
    expect((await story.next('disconnected')).error).toBe('ended');
    expect(await connection.connected()).not.toBe(first);
    await quiet();
    expect({ dials: server.dials.length, lost: story.all('disconnected').length }).toEqual({ dials: 2, lost: 1 });
  });
});
