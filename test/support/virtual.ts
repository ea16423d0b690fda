/** A connection on virtual time against a server that plays a script, with all that it says written down. */
import { afterEach, expect } from 'vitest';
import type { ErrorSource, ReconnectContext, ReconnectEmitted, ReconnectHandleOptions } from '../../src/index';
import { reconnect } from '../../src/index';
import {
  createScriptedServer,
  createVirtualClock,
  type ScriptedAttempt,
  type ScriptedSession,
} from '../../src/testing/index';

/** Something the chart said, when, and what its context was then. */
export type Said = ReconnectEmitted & { at: number; context: ReconnectContext<ScriptedSession, void> };

export const refused = new Error('refused');
/** An attempt that fails in the turn in which it is made. */
export const REFUSED: ScriptedAttempt = { error: refused };

/** An attempt that never settles, unless it is aborted. */
export const HANGS: ScriptedAttempt = { connectMs: Number.POSITIVE_INFINITY };

/** `attempt`, `count` times. */
export function times(count: number, attempt: ScriptedAttempt): ScriptedAttempt[] {
  return Array.from({ length: count }, () => attempt);
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/**
 * Keeps a connection to a server that plays `attempts`; past their end an attempt hangs. After the test it is stopped, and nothing
 * may be left of it (O5). With `ignoreSignal` the script goes on after an abort, and leaves timers of its own.
 */
export function keep(
  attempts: readonly ScriptedAttempt[],
  {
    ignoreSignal = false,
    ...options
  }: Partial<ReconnectHandleOptions<ScriptedSession>> & { ignoreSignal?: boolean } = {},
) {
  const clock = createVirtualClock();
  const server = createScriptedServer(clock, attempts, { ignoreSignal });
  const reported: { source: ErrorSource; error: unknown }[] = [];
  const connection = reconnect<ScriptedSession>({
    clock,
    connect: server.connect,
    close: server.close,
    autoStart: false,
    onError: (error, source) => reported.push({ source, error }),
    ...options,
  });
  const { actor } = connection;
  const said: Said[] = [];
  actor.on('*', (event) => said.push({ ...event, at: clock.now(), context: actor.getSnapshot().context }));
  actor.send({ type: 'start' });
  cleanups.push(async () => {
    connection.stop();
    // A script takes note of its sessions' ends a microtask later.
    await clock.settle();
    expect(server.live).toEqual([]);
    if (!ignoreSignal) expect(clock.pending).toBe(0);
  });
  return {
    clock,
    server,
    connection,
    actor,
    reported,
    /** When `connect` was called. */
    dials: () => server.calls.map(({ at }) => at),
    /** What was said of one kind, in order. */
    said: <TType extends ReconnectEmitted['type']>(type: TType) =>
      said.filter((event): event is Extract<Said, { type: TType }> => event.type === type),
    state: () => connection.snapshot.value,
    context: () => connection.snapshot.context,
  };
}
