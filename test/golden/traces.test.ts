import { describe, expect, it } from 'vitest';
import { originBackoff, reconnect } from '../../src/index';
import { createScriptedServer, createVirtualClock } from '../../src/testing/index';
import { readGolden } from './read';

interface Entry {
  t: number;
  kind: string;
  detail?: string;
}

interface Trace {
  name: string;
  backoff: { initial?: string; multiplier?: number; max?: string; timeout?: string };
  attempts: { connectMs: number; error?: string; sessionMs?: number }[];
  horizonMs: number;
  dropAtMs?: number;
  statusPollMs?: number[];
  loop: Entry[];
  handle: Entry[];
}

const traces = readGolden<Trace[]>('traces.json');

/** Plays a recorded script through the public handle on virtual time, and writes down what the recorder wrote down. */
async function replay(trace: Trace): Promise<{ loop: Entry[]; handle: Entry[] }> {
  const clock = createVirtualClock();
  const loop: Entry[] = [];
  const handle: Entry[] = [];
  const server = createScriptedServer(
    clock,
    trace.attempts.map(({ error, ...attempt }) => ({
      ...attempt,
      ...(error !== undefined && { error: new Error(error) }),
    })),
  );
  const connection = reconnect({
    clock,
    backoff: { ...originBackoff, ...trace.backoff },
    connect: (args) => {
      loop.push({ t: clock.now(), kind: 'connect' });
      return server.connect(args);
    },
  });
  const { actor } = connection;
  actor.on('connected', () => loop.push({ t: clock.now(), kind: 'connected' }));
  actor.on('retrying', ({ error }) => loop.push({ t: clock.now(), kind: 'failed', detail: (error as Error).message }));
  const note = (kind: string, detail?: string): void =>
    void handle.push({ t: clock.now(), kind, ...(detail !== undefined && { detail }) });
  actor.on('disconnected', () => {
    if (actor.getSnapshot().value !== 'idle') loop.push({ t: clock.now(), kind: 'closed' });
  });

  const capital = (status: string): string => status[0]?.toUpperCase() + status.slice(1);
  if (trace.statusPollMs) {
    for (const t of trace.statusPollMs) {
      await clock.advanceTo(t);
      const look = connection.status({ signal: AbortSignal.abort('pending') });
      note('poll', await look.then(capital, (reason) => (reason === 'pending' ? reason : `error: ${reason.message}`)));
    }
  } else if (trace.dropAtMs !== undefined) {
    await clock.advanceTo(trace.dropAtMs);
    connection.stop();
    note('dropped');
  } else {
    const read = async (): Promise<void> => {
      for (;;) note('status', capital(await connection.status()));
    };
    void read().catch((error: Error) => note('status-error', error.message));
    void connection.closed().catch((error: Error) => note('handle-closed', error.message));
  }
  await clock.advanceTo(trace.horizonMs);
  const recorded = { loop: [...loop], handle: [...handle] };
  connection.stop();
  await clock.settle();
  expect(clock.pending).toBe(0);
  expect(server.live).toEqual([]);
  return recorded;
}

function byTimeAndKind(a: Entry, b: Entry): number {
  return a.t - b.t || a.kind.localeCompare(b.kind);
}

describe('the recorded traces of the origin, event for event and millisecond for millisecond', () => {
  it.each(traces.map((trace) => [trace.name, trace] as const))('R1-R8 %s', async (_, trace) => {
    const { loop, handle } = await replay(trace);
    expect(loop).toEqual(trace.loop);
    // The recorder's two readers wake in the same instant, in an order that says nothing.
    expect(handle.sort(byTimeAndKind)).toEqual([...trace.handle].sort(byTimeAndKind));
  });
});
