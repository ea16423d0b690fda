import { describe, expect, it } from 'vitest';
import { reconnect, selectCountdown, selectSummary, selectUptime, selectWindowLeft } from '../../src/index';
import { createScriptedServer, createVirtualClock, type ScriptedSession } from '../../src/testing/index';
import '../support/unhandled';
import { open } from '../support/play';

const FOREVER = { connectMs: 10 };
const REFUSED = { connectMs: 10, error: new Error('refused') };

describe('summary: one look that answers every support question', () => {
  it('D5 in every state', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [{ connectMs: 10, sessionMs: 60_000, reason: 'bye' }, REFUSED, REFUSED]);
    const connection = reconnect({
      clock,
      connect: server.connect,
      close: server.close,
      wallClock: () => 1_000_000 + clock.now(),
      backoff: { timeout: '3s' },
      autoStart: false,
    });
    const nothing = {
      state: 'idle',
      attempt: 0,
      reason: undefined,
      retryIn: undefined,
      waitingFor: undefined,
      lastError: undefined,
      history: [],
      uptime: undefined,
      sessions: 0,
      windowLeft: undefined,
      gaveUp: undefined,
      online: true,
      suspended: false,
    };
    expect(connection.summary()).toEqual(nothing);
    connection.actor.send({ type: 'start' });
    await clock.advance(5);
    const dialing = { ...nothing, state: 'connecting', attempt: 1, reason: 'start', windowLeft: 2_995 };
    expect(connection.summary()).toEqual(dialing);
    await clock.advance(1_005);
    const live = { ...dialing, state: 'connected', windowLeft: undefined, uptime: 1_000, sessions: 1 };
    expect(connection.summary()).toEqual(live);
    await clock.advance(59_000 + 10 + 400);
    const ended = { time: 1_060_010, phase: 'session', attempt: 1, uptime: 60_000, error: { message: 'bye' } };
    const failure = { name: 'Error', message: 'refused' };
    const refused = { time: 1_060_020, phase: 'connect', attempt: 1, uptime: 0, error: failure };
    const waiting = {
      ...live,
      state: 'backingOff',
      reason: 'closed',
      retryIn: 600,
      waitingFor: 'connect-failed',
      lastError: failure,
      history: [ended, refused],
      uptime: undefined,
      windowLeft: 2_590,
    };
    expect(connection.summary()).toEqual(waiting);
    await clock.advance(10_000);
    const message = 'reconnect timed out after 3s: refused';
    const failed = {
      ...waiting,
      state: 'failed',
      attempt: 2,
      reason: 'backoff',
      retryIn: undefined,
      waitingFor: undefined,
      lastError: { name: 'ReconnectTimeoutError', message },
      history: [ended, refused, { ...refused, time: 1_061_030, attempt: 2 }],
      windowLeft: undefined,
      gaveUp: 'timeout',
    };
    expect(connection.summary()).toEqual(failed);
    connection.stop();
    expect(connection.summary()).toEqual({ ...failed, state: 'idle', gaveUp: undefined });
    // It survives JSON, for whoever writes it to a log.
    expect(JSON.parse(JSON.stringify(connection.summary())).history).toEqual(failed.history);
  });

  it('the history is text, and bounded to the last 20 failures', async () => {
    const clock = createVirtualClock();
    let attempt = 0;
    const connection = reconnect({
      clock,
      connect: () => Promise.reject<ScriptedSession>(Object.assign(new TypeError(`#${++attempt}`), { session: {} })),
      backoff: { max: 1_000, timeout: 0 },
    });
    await clock.advance(30_000);
    const { history } = connection.summary();
    expect(attempt).toBe(31);
    expect(history.map(({ error }) => error)).toEqual(
      Array.from({ length: 20 }, (_, i) => ({ name: 'TypeError', message: `#${12 + i}` })),
    );
    connection.stop();
  });

  it('windowLeft is Infinity where the window never ends; the selectors are exported', async () => {
    const { clock, connection } = open([REFUSED, FOREVER], { timeout: 0 });
    await clock.advance(400);
    const { snapshot } = connection;
    expect(selectWindowLeft(snapshot, clock.now())).toBe(Number.POSITIVE_INFINITY);
    expect(selectCountdown(snapshot, clock.now())).toBe(610);
    expect(selectCountdown(snapshot, 5_000)).toBe(0);
    expect(selectUptime(snapshot, clock.now())).toBeUndefined();
    expect(selectSummary(snapshot, clock.now())).toEqual(connection.summary());
    await clock.advance(1_000);
    expect(selectUptime(connection.snapshot, clock.now())).toBe(380);
    connection.stop();
  });
});
