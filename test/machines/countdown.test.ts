import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { createCountdownMachine } from '../../machines/countdown';
import { reconnect } from '../../src/index';
import { createScriptedServer, createVirtualClock, type ScriptedAttempt } from '../../src/testing/index';

const REFUSED = { connectMs: 0, error: new Error('refused') };
const FOREVER = { connectMs: 0 };

/** A connection and its countdown: each change of it, and when. */
function watch(attempts: ScriptedAttempt[], initial: number) {
  const clock = createVirtualClock();
  const server = createScriptedServer(clock, attempts);
  const connection = reconnect({ clock, connect: server.connect, close: server.close, backoff: { initial } });
  const countdown = createActor(
    createCountdownMachine(() => clock.now()),
    { input: { connection: connection.actor }, clock },
  );
  const seen: [at: number, seconds: number | undefined][] = [];
  countdown.subscribe(({ context: { seconds } }) => {
    if (seen.length === 0 || seen.at(-1)?.[1] !== seconds) seen.push([clock.now(), seconds]);
  });
  countdown.start();
  return { clock, connection, countdown, seen };
}

describe('the countdown', () => {
  it('shows the seconds that are left, rounded up, and changes when one is over', async () => {
    const { clock, connection, seen } = watch([REFUSED, FOREVER], 2_500);
    await clock.advance(10_000);
    expect(connection.snapshot.value).toBe('connected');
    expect(seen).toEqual([
      [0, undefined],
      [0, 3],
      [500, 2],
      [1_500, 1],
      [2_500, undefined],
    ]);
    connection.stop();
  });

  it('O5 has a timer only while it goes down', async () => {
    const { clock, connection, countdown } = watch([REFUSED, FOREVER], 1_000);
    await clock.settle();
    // The wait is the other one.
    expect(clock.pending).toBe(2);
    await clock.advance(1_000);
    expect(connection.snapshot.value).toBe('connected');
    expect(clock.pending).toBe(0);
    countdown.stop();
    connection.stop();
  });

  it('follows a wait that is cut short, skipped, or held', async () => {
    const { clock, connection, seen } = watch([REFUSED, REFUSED, REFUSED, FOREVER], 60_000);
    const { actor } = connection;
    await clock.settle();
    actor.send({ type: 'suspend' });
    await clock.sleep(60_000);
    expect(seen.at(-1)).toEqual([60_000, undefined]);
    expect(connection.snapshot.value).toBe('backingOff');
    actor.send({ type: 'resume' });
    expect(seen.at(-1)?.[1]).toBeLessThanOrEqual(60);
    connection.retry();
    await clock.settle();
    expect(seen.at(-1)).toEqual([60_000, 30]);
    await clock.advance(1);
    connection.stop();
    expect(seen.at(-1)).toEqual([60_001, undefined]);
    expect(clock.pending).toBe(0);
  });

  it('C7 is right again after a sleep', async () => {
    const { clock, connection, seen } = watch([REFUSED, FOREVER], 60_000);
    await clock.settle();
    await clock.sleep(30_200);
    expect(seen.at(-1)).toEqual([30_200, 30]);
    await clock.advance(900);
    expect(seen.at(-1)).toEqual([31_000, 29]);
    connection.stop();
  });
});
