/** A: servers that accept and do not keep, and delays that are none. */
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { classifyUsual } from '../../src/classify';
import {
  type ConnectArgs,
  defaultBackoff,
  originBackoff,
  ReconnectFatalError,
  ReconnectTimeoutError,
  type Verdict,
} from '../../src/index';
import { type TcpSession, tcp } from '../../src/tcp';
import { createVirtualClock } from '../../src/testing/index';
import { type WebSocketSession, websocket } from '../../src/websocket';
import { keep, quiet, to } from '../support/connections';
import type { Behaviour } from '../support/fault-server';
import { faultServer } from '../support/servers';
import '../support/unhandled';

/** A TCP session that reads: Node notices the peer's end only then. */
function toTcp({ port }: { port: number }) {
  const connect = tcp({ host: '127.0.0.1', port });
  return async (args: ConnectArgs<void>): Promise<TcpSession> => {
    const session = await connect(args);
    session.socket.resume();
    return session;
  };
}

describe('A1', () => {
  const kinds: [
    string,
    Behaviour,
    (server: {
      port: number;
      url: string;
    }) => (args: ConnectArgs<void>) => Promise<WebSocketSession<WebSocket> | TcpSession>,
  ][] = [
    ['WebSocket', { kind: 'accept-then-close', code: 1013 }, to],
    ['TCP', { kind: 'hang-up' }, toTcp],
  ];

  it.each(kinds)(
    'A1 a server that accepts and closes at once (%s): the delay escalates and the window runs out',
    async (_, behaviour, dial) => {
      const server = await faultServer({ behaviour });
      const backoff = { initial: 10, max: 80, minUptime: 60_000, timeout: 300 };
      const { connection, story } = keep({ connect: dial(server), backoff });
      await expect(connection.closed()).rejects.toBeInstanceOf(ReconnectTimeoutError);
      const delays = story.all('retrying').map(({ delay }) => delay);
      expect(delays).toEqual([10, 20, 40, 80, 80, 80, 80, 80].slice(0, delays.length));
      await quiet();
      const times = server.dials.map(({ at }) => at);
      expect(times).toHaveLength(delays.length);
      const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
      // A timer may be 1 ms early.
      gaps.forEach((gap, i) => void expect(gap).toBeGreaterThan((delays[i] ?? 0) - 2));
      expect(server.open).toEqual([]);
    },
  );

  it('A1 with the default policy that is 14 dials in five minutes, then none', async () => {
    const server = await faultServer({ behaviour: { kind: 'accept-then-close', code: 1013 } });
    const clock = createVirtualClock();
    const { connection, story } = keep({ clock, connect: to(server) });
    const seconds = [1, 2, 4, 8, 16, ...Array<number>(9).fill(30)];
    for (const delay of seconds) {
      expect(await story.next('retrying')).toMatchObject({ delay: delay * 1_000, reason: 'short-session' });
      await clock.advance(delay * 1_000);
    }
    await expect(connection.closed()).rejects.toThrow('timed out after 300s: closed with code 1013');
    await clock.advance(3_600_000);
    await quiet();
    expect(server.dials).toHaveLength(14);
  });
});

it('A2 sessions that are over when they begin, for ever: timers, I/O and stop still run', async () => {
  // A loop of promises would get there before anything else runs.
  const starved = 20_000;
  let connects = 0;
  const { connection } = keep({
    connect: async () => {
      connects += 1;
      return { closed: connects < starved ? Promise.resolve('over already') : new Promise<never>(() => {}) };
    },
    backoff: originBackoff,
  });
  await quiet();
  connection.stop();
  const atStop = connects;
  await quiet();
  expect(connects).toBe(atStop);
  expect(connects).toBeGreaterThan(2);
  expect(connects).toBeLessThan(starved);
});

describe('A3', () => {
  it.each([0, Number.NaN, -5, undefined, Number.POSITIVE_INFINITY, '5 parsecs'])(
    'A3 classify asks to wait %s: the backoff goes on, and what is no duration is reported',
    async (retryAfter) => {
      const server = await faultServer({ behaviour: { kind: 'refuse', status: 503 } });
      const clock = createVirtualClock();
      const sources: string[] = [];
      const { story } = keep({
        clock,
        connect: to(server),
        backoff: { initial: 100 },
        // As code without types may.
        classify: () => ({ retryAfter }) as Verdict,
        onError: (_, source) => sources.push(source),
      });
      for (const delay of [100, 200, 400]) {
        expect(await story.next('retrying')).toMatchObject({ delay, reason: 'connect-failed' });
        await clock.advance(delay);
      }
      expect(sources.slice(0, 3)).toEqual(retryAfter === 0 ? [] : ['classify', 'classify', 'classify']);
    },
  );

  it('A3 a delay of 0 waits for nothing, but timers, I/O and stop still run', async () => {
    const server = await faultServer({ behaviour: { kind: 'reset' } });
    const { connection } = keep({ connect: to(server), backoff: { initial: 0, timeout: 0 } });
    await quiet();
    connection.stop();
    await quiet();
    const dials = server.dials.length;
    expect(dials).toBeGreaterThan(2);
    await quiet();
    expect(server.dials).toHaveLength(dials);
  });

  it('A3 settings that are undefined are those of the default policy', () => {
    const backoff = { initial: undefined, max: undefined, jitter: undefined } as object;
    const { connection } = keep({ connect: () => new Promise<never>(() => {}), backoff });
    expect(connection.snapshot.context.policy).toEqual(defaultBackoff);
  });
});

it.each([
  [999, 'backingOff'],
  [1_000, 'connecting'],
  [1_001, 'connecting'],
])('A4 a WebSocket that lived %i ms of a minUptime of 1 s leads to %s', async (uptime, state) => {
  const server = await faultServer();
  const clock = createVirtualClock();
  const { connection, story } = keep({ clock, connect: to(server) });
  await connection.connected();
  await clock.advance(uptime);
  (await (await server.nextDial()).session).close(1001);
  expect(await story.next('disconnected')).toMatchObject({ uptime, error: { code: 1001 } });
  expect(connection.snapshot.value).toBe(state);
});

describe('A5', () => {
  const EXPIRED: Behaviour = { kind: 'accept-then-close', code: 4401, reason: 'token expired' };

  it.each([
    ['accepted, then refused', EXPIRED, 'closed with code 4401: token expired'],
    ['refused in the handshake', { kind: 'refuse', status: 401 }, 'Unexpected server response: 401'],
  ] satisfies [string, Behaviour, string][])(
    'A5 %s for an expired token: one dial, and it says why',
    async (_, behaviour, why) => {
      const server = await faultServer({ behaviour });
      const { connection } = keep({ connect: to(server), classify: classifyUsual() });
      const failure = await connection.closed().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ReconnectFatalError);
      expect(String(failure)).toMatch(/^ReconnectFatalError: reconnect gave up: /u);
      expect(String(failure)).toContain(why);
      await quiet();
      expect(server.dials).toHaveLength(1);
    },
  );

  it('A5 a token that can be refreshed is, once and at once; refused again, for ever, it is backed off from', async () => {
    const server = await faultServer({ behaviour: EXPIRED });
    const clock = createVirtualClock();
    const asked: string[] = [];
    const url = ({ reason }: { reason: string }): string => {
      asked.push(reason);
      return `${server.url}?token=${asked.length}`;
    };
    const { connection, story } = keep({
      clock,
      connect: websocket<void, WebSocket>(url, { WebSocket }),
      classify: classifyUsual({ refreshesToken: true }),
    });
    await story.next('disconnected');
    await clock.settle();
    for (const delay of [1_000, 2_000]) {
      expect(await story.next('retrying')).toMatchObject({ delay });
      await clock.advance(delay);
      await story.next('disconnected');
    }
    expect(asked.slice(0, 3)).toEqual(['start', 'refresh', 'backoff']);
    expect(connection.snapshot.context.attempt).toBeGreaterThan(2);
  });
});
