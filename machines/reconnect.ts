/** The statechart: connect, wait until the session closes, connect again, back off, give up. */
import { assign, emit, raise, setup } from 'xstate';
import { growDelay, isStable, isWindowSpent, resolveBackoff } from './backoff';
import { concealSessions } from './concealment';
import { Failure, ReconnectTimeoutError } from './failure';
import { isolateListeners } from './isolation';
import { Lease, type Report } from './lease';
import { createClosedLogic, createConnectLogic, createOwner } from './ownership';
import { createWaitLogic } from './sleep';
import type { ReconnectContext, ReconnectEmitted, ReconnectEvent, ReconnectOptions } from './vocabulary';

/** What the chart cannot make by itself. */
export interface World {
  /** Monotonic time in milliseconds. Must not throw. */
  now: () => number;
  /** Is told of errors in user code that change nothing in the chart (rule O4). Must not throw. */
  report: Report;
}

/**
 * Creates the reconnect statechart over a given world.
 *
 * @throws {InvalidBackoffError} naming the field, when `options.backoff` is out of range.
 */
export function createReconnectChart<TSession, TInput = void>(
  options: ReconnectOptions<TSession, TInput>,
  world: World,
) {
  const policy = resolveBackoff(options.backoff);
  const owner = createOwner(options, world.report);

  const chart = setup({
    types: {} as {
      context: ReconnectContext<TSession, TInput>;
      events: ReconnectEvent;
      emitted: ReconnectEmitted;
      input: TInput;
    },
    actors: {
      connect: createConnectLogic<TSession, TInput>(owner, world.now),
      closed: createClosedLogic<TSession>(),
      wait: createWaitLogic(world.now),
    },
    guards: {
      isWindowSpent: ({ context }) => isWindowSpent(policy, context.retryStart, world.now()),
      isSessionStable: ({ context }) => isStable(policy, uptimeOf(context)),
    },
    actions: {
      startAtOnce: raise({ type: 'start' }),

      openWindow: assign(() => ({ delay: policy.initial, retryStart: world.now(), attempt: 0 })),
      // An actor may be started long after it was created, which is when its first window was opened.
      alignWindow: assign({
        retryStart: ({ context, event }) =>
          context.attempt === 1
            ? Math.max(context.retryStart, failureIn(event)?.attempt?.dialedAt ?? context.retryStart)
            : context.retryStart,
      }),
      forgetFailure: assign({ failure: undefined }),
      countAttempt: assign({ attempt: ({ context }) => context.attempt + 1 }),

      takeSession: assign(({ event }) => ({ lease: leaseIn(event), connectedAt: world.now() })),
      resetDelay: assign({ delay: ({ context }) => (policy.minUptime === 0 ? policy.initial : context.delay) }),
      releaseSession: ({ context, event }) => context.lease?.release(event.type === 'stop' ? 'stopped' : 'ended'),
      dropSession: assign({ lease: undefined, connectedAt: undefined }),

      rememberFailure: assign(({ event }) => ({ failure: failureIn(event) })),
      scheduleRetry: assign({ retryAt: ({ context }) => world.now() + context.delay }),
      unscheduleRetry: assign({ retryAt: undefined }),
      growDelay: assign({ delay: ({ context }) => growDelay(policy, context.delay, context.delay) }),
      giveUp: assign(({ context }) => ({
        failure: new Failure(new ReconnectTimeoutError(policy.timeout, context.failure?.error)),
      })),

      emitConnecting: emit(({ context }) => ({ type: 'connecting', attempt: context.attempt })),
      emitConnected: emit(({ context }) => ({ type: 'connected', attempt: context.attempt })),
      emitDisconnected: emit(({ context, event }) => ({
        type: 'disconnected',
        error: failureIn(event)?.error,
        uptime: uptimeOf(context),
      })),
      emitRetrying: emit(({ context }) => ({
        type: 'retrying',
        delay: context.delay,
        attempt: context.attempt,
        error: context.failure?.error,
      })),
      emitFailed: emit(({ context }) => ({ type: 'failed', error: context.failure?.error })),
      emitStopped: emit({ type: 'stopped' }),
    },
  });

  // R3: resolved or rejected alike, a session's end leads straight to the next attempt, unless it lived too short a life.
  const afterSession = [
    { guard: 'isSessionStable', target: 'connecting', actions: ['rememberFailure', 'openWindow'] },
    { target: 'backingOff', actions: 'rememberFailure' },
  ] as const;

  // R2: the delay grows when its wait is over. R4: the window is checked only when about to connect.
  const afterWait = [
    { guard: 'isWindowSpent', target: 'failed', actions: 'giveUp' },
    { target: 'connecting', actions: 'growDelay' },
  ] as const;

  const machine = chart.createMachine({
    id: 'reconnect',
    context: ({ input }) => initialContext<TSession, TInput>(input, policy.initial, world.now()),
    entry: options.autoStart === false ? [] : 'startAtOnce',

    on: {
      stop: { target: '.idle', actions: 'emitStopped' },
    },

    initial: 'idle',
    states: {
      idle: {
        on: {
          start: { target: 'connecting', actions: ['openWindow', 'forgetFailure'] },
          stop: {},
        },
      },

      connecting: {
        entry: ['countAttempt', 'emitConnecting'],
        invoke: {
          id: 'connect',
          src: 'connect',
          input: ({ context, event }) => ({
            input: context.input,
            attempt: context.attempt,
            failure: context.failure,
            retried: event.type === 'retry',
            // A retry is immediate, but not one that answers the failure of another: a listener may ask each time.
            owesTurn: isSessionEnd(event) || (event.type === 'retry' && context.failure?.attempt?.retried === true),
          }),
          onDone: { target: 'connected', actions: ['takeSession', 'forgetFailure', 'resetDelay'] },
          onError: { target: 'backingOff', actions: ['rememberFailure', 'alignWindow'] },
        },
      },

      connected: {
        entry: 'emitConnected',
        invoke: {
          id: 'closed',
          src: 'closed',
          input: ({ context }) => context.lease!,
          onDone: afterSession,
          onError: afterSession,
        },
        exit: ['releaseSession', 'emitDisconnected', 'dropSession'],
      },

      backingOff: {
        entry: ['scheduleRetry', 'emitRetrying'],
        invoke: {
          id: 'wait',
          src: 'wait',
          input: ({ context }) => ({ until: context.retryAt ?? world.now() }),
          onDone: afterWait,
          onError: afterWait,
        },
        on: {
          // A person who asks is not told that the time is up: neither the wait nor the window stands in the way.
          retry: { target: 'connecting', actions: 'growDelay' },
        },
        exit: 'unscheduleRetry',
      },

      // Not final: a person can press "Try again".
      failed: {
        entry: 'emitFailed',
        on: {
          start: { target: 'connecting', actions: ['openWindow', 'forgetFailure'] },
          retry: { target: 'connecting', actions: ['openWindow', 'forgetFailure'] },
        },
      },
    },
  });

  return isolateListeners(concealSessions(machine), world.report);

  function uptimeOf({ connectedAt }: ReconnectContext<TSession, TInput>): number {
    return connectedAt === undefined ? 0 : world.now() - connectedAt;
  }

  /** The lease in the done event of `connect`: its output, or a raw session when the actor was replaced with `provide`. */
  function leaseIn(event: { type: string }): Lease<TSession> {
    const { output } = event as unknown as { output: unknown };
    return output instanceof Lease ? output : owner.adopt(output as TSession);
  }
}

function initialContext<TSession, TInput>(
  input: TInput,
  delay: number,
  now: number,
): ReconnectContext<TSession, TInput> {
  const held = { input, delay, retryStart: now, attempt: 0 };
  const empty = { retryAt: undefined, connectedAt: undefined, lease: undefined, failure: undefined };
  // `session` and `error` are accessors, added by concealSessions.
  return { ...held, ...empty } as ReconnectContext<TSession, TInput>;
}

function isSessionEnd({ type }: { type: string }): boolean {
  return type === 'xstate.done.actor.closed' || type === 'xstate.error.actor.closed';
}

/** The failure in the done or error event of an actor; undefined in any other event. */
function failureIn(event: { type: string }): Failure | undefined {
  if (event.type.startsWith('xstate.error.actor.')) return Failure.from((event as unknown as { error: unknown }).error);
  if (event.type.startsWith('xstate.done.actor.'))
    return Failure.from((event as unknown as { output: unknown }).output);
  return undefined;
}
