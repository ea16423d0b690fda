import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ReconnectTimeoutError, reconnect } from '../../src/index';
import type { ScriptedSession } from '../../src/testing/index';
import { type WebSocketSession, websocket } from '../../src/websocket';
import { afterTest, webSocketServer } from '../support/servers';
import '../support/unhandled';
import { HANGS, keep, times } from '../support/virtual';

const WEEK = 7 * 86_400_000;
const FLAP = { connectMs: 20, sessionMs: 30_000, reason: 'bye' };

/** Signs of health that a test gives by hand, and what was asked for them. */
function signs() {
  const asked: { session: ScriptedSession; signal: AbortSignal; give: () => void; refuse: (error: Error) => void }[] =
    [];
  const healthy = (session: ScriptedSession, signal: AbortSignal) =>
    new Promise<void>((give, refuse) => asked.push({ session, signal, give, refuse }));
  return { asked, healthy };
}

describe.each(['event', 'promise'] as const)('healthy by %s', (kind) => {
  /** A connection with that gate, and the way to give the sign for the live session. */
  function gated(attempts: Parameters<typeof keep>[0], backoff = {}) {
    const { asked, healthy } = signs();
    const kept = keep(attempts, { backoff, healthy: kind === 'event' ? 'event' : healthy });
    return { ...kept, giveSign: () => (kind === 'event' ? kept.connection.healthy() : asked.at(-1)?.give()) };
  }

  it.each([
    [999, true, 'short-session'],
    [1_000, true, 'stable'],
    [1_001, true, 'stable'],
    [999, false, 'short-session'],
    [1_000, false, 'unhealthy'],
    [60_000, false, 'unhealthy'],
  ])('A4 a session of %i ms, its sign given: %s, is %s', async (sessionMs, sign, verdict) => {
    const { clock, dials, said, giveSign, context } = gated([{ sessionMs }, HANGS]);
    await clock.advance(500);
    if (sign) giveSign();
    await clock.settle();
    expect(context().healthy).toBe(sign);
    await clock.advance(sessionMs - 500);
    await clock.advance(1_000);
    expect(said('retrying').map(({ reason }) => reason)).toEqual(verdict === 'stable' ? [] : [verdict]);
    expect(dials()).toEqual([0, verdict === 'stable' ? sessionMs : sessionMs + 1_000]);
  });

  it('A1 A4 a peer that accepts, lives 30 s and never answers: the waits grow, and it gives up', async () => {
    const { clock, server, said, context } = gated(times(100, FLAP));
    await clock.advance(WEEK);
    expect(said('retrying').map(({ delay }) => delay)).toEqual([1, 2, 4, 8, 16, 30, 30].map((s) => s * 1_000));
    expect(new Set(said('retrying').map(({ reason }) => reason))).toEqual(new Set(['unhealthy']));
    expect(server.calls.map(({ args }) => args.attempt)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(context().error).toBeInstanceOf(ReconnectTimeoutError);
    expect((context().error as Error).message).toBe('reconnect timed out after 300s: bye');
  });

  it('A1 the same peer, answering once, begins anew each time', async () => {
    const { clock, server, actor, said, giveSign } = gated(times(100, FLAP));
    actor.on('connected', () => clock.setTimeout(giveSign, 29_999));
    await clock.advance(100 * 30_020);
    expect(said('retrying')).toEqual([]);
    expect(server.calls).toHaveLength(101);
    expect(server.calls.every(({ args }) => args.attempt === 1)).toBe(true);
  });

  it('B6 a new session needs a new sign', async () => {
    const { clock, said, context, giveSign } = gated([FLAP, FLAP, HANGS]);
    await clock.advance(1_000);
    giveSign();
    await clock.advance(29_500);
    expect(context()).toMatchObject({ healthy: false, sessions: 2 });
    await clock.advance(30_000);
    expect(said('retrying')).toMatchObject([{ reason: 'unhealthy', attempt: 1, at: 60_040 }]);
  });

  it('R3 with a minUptime of 0 the delay is reset by the sign, and not by the connect', async () => {
    const flap = { sessionMs: 100 };
    const { clock, actor, said, giveSign, server } = gated([...times(4, flap), HANGS], { minUptime: 0 });
    actor.on('connected', () => server.sessions.length === 3 && clock.setTimeout(giveSign, 50));
    await clock.advance(60_000);
    // 1, 2; the third session was healthy; 1 again.
    expect(said('retrying').map(({ delay }) => delay)).toEqual([1_000, 2_000, 1_000]);
    expect(said('connecting').map(({ at }) => at)).toEqual([0, 1_100, 3_200, 3_300, 4_400]);
  });
});

describe('healthy by event', () => {
  it('A4 without a session it is no credit for the next one', async () => {
    const { clock, connection, state, context, said } = keep([FLAP, HANGS], { healthy: 'event' });
    connection.healthy();
    await clock.advance(10_000);
    expect(context()).toMatchObject({ healthy: false, sessions: 1 });
    await clock.advance(20_500);
    expect(state()).toBe('backingOff');
    connection.healthy();
    expect(said('retrying')).toMatchObject([{ reason: 'unhealthy' }]);
    connection.stop();
    connection.healthy();
    expect(state()).toBe('idle');
  });

  it('G it may be given from inside the listener of `connected`', async () => {
    const { clock, actor, connection, dials } = keep(times(2, FLAP), { healthy: 'event' });
    actor.on('connected', () => connection.healthy());
    await clock.advance(60_000);
    expect(dials()).toEqual([0, 30_020]);
  });

  it('D4 a person who asks opens a fresh window all the same', async () => {
    const { clock, connection, server } = keep(times(3, FLAP), { healthy: 'event' });
    await clock.advance(40_000);
    expect(server.calls.at(-1)?.args.attempt).toBe(2);
    connection.retry();
    await clock.settle();
    expect(server.calls.at(-1)?.args).toMatchObject({ attempt: 1, reason: 'retry' });
  });

  it('R3 without the option a session needs no sign', async () => {
    const { clock, dials } = keep(times(2, FLAP), {});
    await clock.advance(60_000);
    expect(dials()).toEqual([0, 30_020]);
  });
});

describe('healthy by promise', () => {
  it('B7 is asked once for each session, with the session and a signal', async () => {
    const { asked, healthy } = signs();
    const { clock, server } = keep(times(3, FLAP), { healthy });
    await clock.advance(80_000);
    expect(asked.map(({ session }) => session)).toEqual(server.sessions);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
  });

  it.each<[how: string, act: (kept: ReturnType<typeof keep>) => unknown]>([
    ['ends', ({ server }) => server.sessions[0]?.end()],
    ['is stopped', ({ connection }) => connection.stop()],
    ['is replaced', ({ connection }) => connection.retry()],
  ])('O3 its signal aborts when the session %s', async (_, act) => {
    const { asked, healthy } = signs();
    const kept = keep([{}], { healthy });
    await kept.clock.settle();
    expect(asked[0]?.signal.aborted).toBe(false);
    act(kept);
    await kept.clock.settle();
    expect(asked[0]?.signal.aborted).toBe(true);
  });

  it('O4 a rejection is reported and ends nothing: the session only stays without its sign', async () => {
    const { asked, healthy } = signs();
    const { clock, reported, said, state } = keep([FLAP], { healthy });
    await clock.advance(1_000);
    const error = new Error('no answer');
    asked[0]?.refuse(error);
    await clock.advance(28_000);
    expect(reported).toEqual([{ source: 'healthy', error }]);
    expect(state()).toBe('connected');
    await clock.advance(1_020);
    expect(said('retrying')).toMatchObject([{ reason: 'unhealthy' }]);
  });

  it('O4 one that throws is reported and ends nothing', async () => {
    const error = new Error('thrown');
    const { clock, reported, state } = keep([FLAP], {
      healthy: () => {
        throw error;
      },
    });
    await clock.advance(1_000);
    expect(reported).toEqual([{ source: 'healthy', error }]);
    expect(state()).toBe('connected');
  });

  it('O4 B5 a rejection after the session has ended is nobody’s business', async () => {
    const { asked, healthy } = signs();
    const { clock, reported } = keep([FLAP, HANGS], { healthy });
    await clock.advance(30_020);
    asked[0]?.refuse(new Error('late'));
    await clock.advance(5_000);
    expect(reported).toEqual([]);
  });

  it('B7 the sign of a session that has ended is not that of the next one', async () => {
    const { asked, healthy } = signs();
    const { clock, context } = keep(times(2, FLAP), { healthy });
    await clock.advance(35_000);
    asked[0]?.give();
    await clock.settle();
    expect(context()).toMatchObject({ healthy: false, sessions: 2 });
    asked[1]?.give();
    await clock.settle();
    expect(context().healthy).toBe(true);
  });

  /** A real server whose peers speak or stay silent, and a connection whose sign of health is the first word. */
  async function speaking(word: string | undefined, backoff: object) {
    let peers = 0;
    const server = await webSocketServer((peer) => {
      peers += 1;
      if (word === undefined) return peer.close();
      peer.send(word);
      peer.on('message', () => peer.close());
    });
    const connection = reconnect<WebSocketSession<WebSocket>>({
      connect: websocket(`ws://127.0.0.1:${server.port}`, { WebSocket }),
      healthy: ({ socket }, signal) => once(socket, 'message', { signal }),
      backoff: { minUptime: 0, initial: 5, max: 20, ...backoff },
    });
    afterTest(() => connection.stop());
    return { connection, peers: () => peers };
  }

  it('A1 a real server that accepts and never says a word is given up', async () => {
    const { connection, peers } = await speaking(undefined, { maxAttempts: 4 });
    await expect(connection.closed()).rejects.toMatchObject({ attempts: 4 });
    expect(peers()).toBe(4);
  });

  it('R3 a real server that said a word is dialed again at once, and counted anew', async () => {
    const { connection, peers } = await speaking('hello', { maxAttempts: 2 });
    const attempts: number[] = [];
    connection.actor.on('connecting', ({ attempt }) => attempts.push(attempt));
    const fifth = new Promise<void>((resolve) => {
      connection.actor.subscribe(({ context: { healthy, session, sessions } }) => {
        if (!healthy) return;
        if (sessions === 5) resolve();
        else session?.socket.send('enough');
      });
    });
    await fifth;
    expect(peers()).toBe(5);
    expect(attempts).toEqual([1, 1, 1, 1]);
  });
});
