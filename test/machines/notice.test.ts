import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { createNoticeMachine, noticeOf, reconnect } from '../../src/index';
import { createScriptedServer, createVirtualClock, type ScriptedAttempt } from '../../src/testing/index';
import '../support/unhandled';
import { open } from '../support/play';

const FOREVER = { connectMs: 10 };
const REFUSED = { connectMs: 10, error: new Error('refused') };

describe('onNotice', () => {
  function watch(attempts: ScriptedAttempt[], backoff = {}) {
    const opened = open(attempts, backoff);
    const notices: [string, number][] = [];
    const stop = opened.connection.onNotice((notice) => notices.push([notice, opened.clock.now()]));
    return { ...opened, notices, stop };
  }

  it('D5 nothing flashes for a short drop; lost, restored and failed are told once each, in time', async () => {
    const { clock, connection, notices } = watch(
      [
        { connectMs: 10, sessionMs: 5_000 },
        { connectMs: 1_990, sessionMs: 10_000 },
        { connectMs: 4_000, sessionMs: 10_000 },
        ...Array(10).fill(REFUSED),
      ],
      { timeout: 5_000 },
    );
    await clock.advance(100_000);
    expect(connection.snapshot.value).toBe('failed');
    expect(notices).toEqual([
      ['quiet', 0],
      ['lost', 19_000], // 2s after the end of the second session
      ['restored', 21_000],
      ['quiet', 24_000],
      ['lost', 33_000],
      ['failed', 38_030],
    ]);
    expect(clock.pending).toBe(0);
    connection.stop();
    expect(notices.at(-1)?.[0]).toBe('quiet');
  });

  it('D5 who comes late is told what is the case, and nothing else', async () => {
    const { clock, connection } = open([REFUSED], { timeout: 500 });
    await clock.advance(2_000);
    const notices: string[] = [];
    connection.onNotice((notice) => notices.push(notice));
    expect(notices).toEqual(['failed']);
  });

  it('O5 C1 nothing is told after it was unsubscribed, or after stop, and no timer is left', async () => {
    const { clock, connection, notices, stop } = watch([FOREVER, { connectMs: 60_000 }]);
    const others: string[] = [];
    connection.onNotice((notice) => others.push(notice));
    await clock.advance(20);
    connection.retry();
    await clock.advance(500);
    stop();
    await clock.advance(5_000);
    expect(notices.map(([notice]) => notice)).toEqual(['quiet']);
    expect(others).toEqual(['quiet', 'lost']);
    connection.stop();
    await clock.settle();
    expect(clock.pending).toBe(0);
    await clock.advance(100_000);
    expect(others).toEqual(['quiet', 'lost', 'quiet']);
  });

  it('G a listener that throws is reported to onError, and told the next time all the same', async () => {
    const clock = createVirtualClock();
    const server = createScriptedServer(clock, [REFUSED]);
    const errors: unknown[] = [];
    const connection = reconnect({
      clock,
      connect: server.connect,
      onError: (error, source) => errors.push([source, (error as Error).message]),
    });
    connection.onNotice((notice) => {
      throw new Error(notice);
    });
    await clock.advance(3_000);
    connection.stop();
    expect(errors).toEqual([
      ['listener', 'quiet'],
      ['listener', 'lost'],
      ['listener', 'quiet'],
    ]);
  });

  it('O6 its durations can be set, and are refused by name when out of range', async () => {
    const { clock, connection } = open([REFUSED, FOREVER]);
    const notices: [string, number][] = [];
    connection.onNotice((notice) => notices.push([notice, clock.now()]), { lostAfter: 100, restoredFor: '50ms' });
    await clock.advance(5_000);
    expect(notices).toEqual([
      ['quiet', 0],
      ['lost', 100],
      ['restored', 1_020],
      ['quiet', 1_070],
    ]);
    expect(() => connection.onNotice(() => {}, { lostAfter: -1 })).toThrow('lostAfter: expected a duration');
    expect(() => connection.onNotice(() => {}, { restoredFor: 'long' })).toThrow('restoredFor: expected a duration');
    connection.stop();
  });
});

describe('the notice machine, for those who use XState', () => {
  it('D5 follows any actor of a reconnect machine; its states are the notices, and one that is to be shown as quiet', async () => {
    const { clock, connection } = open([{ connectMs: 10, sessionMs: 100 }, REFUSED, FOREVER]);
    const actor = createActor(createNoticeMachine({ lostAfter: '500ms' }), {
      input: { connection: connection.actor },
      clock,
    });
    const seen: string[] = [];
    actor.subscribe((snapshot) => {
      const shown = `${snapshot.value} ${noticeOf(snapshot)}`;
      if (shown !== seen.at(-1)) seen.push(shown);
    });
    actor.start();
    await clock.advance(10_000);
    expect(seen).toEqual([
      'quiet quiet',
      'waiting quiet',
      'quiet quiet',
      'waiting quiet',
      'lost lost',
      'restored restored',
      'quiet quiet',
    ]);
    connection.stop();
    actor.stop();
    expect(clock.pending).toBe(0);
  });

  it('C1 a connection that was stopped already is quiet', async () => {
    const { clock, connection } = open([FOREVER]);
    connection.stop();
    const actor = createActor(createNoticeMachine(), { input: { connection: connection.actor }, clock }).start();
    await clock.advance(10_000);
    expect(actor.getSnapshot().value).toBe('quiet');
    actor.stop();
  });
});
