/** The chart on virtual time against a scripted server, with all that it told: for tests of what it does. */
import { createActor, type InputFrom, type SnapshotFrom } from 'xstate';
import {
  type Backoff,
  createReconnectMachine,
  type ErrorSource,
  originBackoff,
  type ReconnectEmitted,
  type ReconnectMachine,
  type ReconnectMachineOptions,
  reconnect,
} from '../../src/index';
import {
  createScriptedServer,
  createVirtualClock,
  type ScriptedAttempt,
  type ScriptedSession,
} from '../../src/testing/index';

type Options<TInput> = Partial<Omit<ReconnectMachineOptions<ScriptedSession, TInput>, 'now'>> & {
  /** Whether `connect` goes on after its attempt was aborted. */
  ignoreSignal?: boolean;
  input?: TInput;
  /** What time it is on the wall when the clock shows 0, in ms since the epoch. Default 0. */
  epoch?: number;
  /** What to go on from: a persisted snapshot. */
  snapshot?: unknown;
};

/** An actor of a machine with `options`, not yet started. `random` is by default 0.5. */
export function play<TInput = void>(
  attempts: readonly ScriptedAttempt[],
  { ignoreSignal = false, input, epoch = 0, snapshot, ...options }: Options<TInput> = {},
) {
  const clock = createVirtualClock();
  const server = createScriptedServer(clock, attempts, { ignoreSignal });
  const events: ReconnectEmitted[] = [];
  const errors: { source: ErrorSource; message: string }[] = [];
  const machine = createReconnectMachine<ScriptedSession, TInput>({
    connect: server.connect,
    close: server.close,
    random: () => 0.5,
    wallClock: () => epoch + clock.now(),
    onError: (error, source) => errors.push({ source, message: (error as Error).message }),
    ...options,
    now: clock.now,
  });
  type Machine = ReconnectMachine<ScriptedSession, TInput>;
  const actor = createActor(machine, {
    clock,
    input: input as InputFrom<Machine>,
    ...(snapshot !== undefined && { snapshot: snapshot as SnapshotFrom<Machine> }),
  });
  actor.on('*', (event) => events.push(event));
  return {
    clock,
    server,
    machine,
    actor,
    events,
    errors,
    value: () => actor.getSnapshot().value,
    context: () => actor.getSnapshot().context,
    /** The names of the events so far. */
    told: () => events.map(({ type }) => type),
    /** When each attempt was made. */
    dials: () => server.calls.map(({ at }) => at),
    /** Why each attempt was made. */
    reasons: () => server.calls.map(({ args: { reason } }) => reason),
    /** How each session was closed. */
    closes: () => server.sessions.map(({ closes }) => closes),
  };
}

/** A handle with the origin's policy. */
export function open(attempts: readonly ScriptedAttempt[], backoff: Partial<Backoff> = {}) {
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
