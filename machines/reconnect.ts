/** The statechart: connect, wait until the session closes, connect again, back off, give up. */
import { assign, emit, enqueueActions, sendTo, setup, spawnChild, stopChild } from 'xstate';
import {
  announceConnected,
  announceConnecting,
  announceDisconnected,
  announceFailed,
  announceRetrying,
} from './announcements';
import { growDelay, resolveBackoff, resolveDuration } from './backoff';
import { concealSessions } from './concealment';
import { createMemory } from './context';
import { createEnvironmentLogic } from './environment';
import { isEqual } from './equality';
import { type AnyChartEvent, type ChartEvent, closeReason, isRotation, retryAfterIn } from './events';
import { createHealthLogic } from './health';
import { isolateListeners } from './isolation';
import { Lease } from './lease';
import { createLimitLogic } from './limit';
import { createLivenessLogic, OVERSLEPT_MS, resolveLiveness } from './liveness';
import { createClosedLogic, createConnectLogic, createOwner } from './ownership';
import { persistConnections, Restored } from './persistence';
import { createRotationLogic } from './rotation';
import { createWaitLogic } from './sleep';
import type { ReconnectContext, ReconnectEmitted, ReconnectOptions } from './vocabulary';
import type { World } from './world';

/**
 * Creates the reconnect statechart over a given world.
 *
 * @throws {InvalidBackoffError} naming the field, when a setting of `options` is out of range.
 */
export function createReconnectChart<TSession, TInput = void>(
  options: ReconnectOptions<TSession, TInput>,
  world: World,
) {
  type Context = ReconnectContext<TSession, TInput>;
  const policy = resolveBackoff(options.backoff);
  const liveness = options.liveness && resolveLiveness(options.liveness);
  const maxAge = resolveDuration('maxSessionAge', options.maxSessionAge ?? 0);
  const owner = createOwner(options, world.report);
  const memory = createMemory(policy, options.healthy !== undefined, world);

  /** The lease in the done event of `connect`: its output, or a raw session when the actor was replaced with `provide`. */
  const leaseIn = (event: AnyChartEvent): Lease<TSession> => {
    const { output } = event as AnyChartEvent & { output?: unknown };
    return output instanceof Lease ? output : owner.adopt(output as TSession);
  };

  const chart = setup({
    types: {} as {
      context: Context;
      events: ChartEvent<TInput>;
      emitted: ReconnectEmitted;
      input: TInput;
    },
    actors: {
      connect: createConnectLogic(owner, world.now),
      limit: createLimitLogic(owner, world.now),
      closed: createClosedLogic(owner, world.now),
      health: createHealthLogic<TSession, TInput>(options.healthy, world.report),
      liveness: createLivenessLogic(liveness, owner, world.now),
      rotation: createRotationLogic({ ...world, maxAge, policy, owner }),
      wait: createWaitLogic(world.now),
      environment: createEnvironmentLogic(options.environment, world.report),
    },
    guards: {
      mustGiveUp: ({ context, event }) => memory.mustGiveUp(event, context),
      mayRetryNow: ({ context, event }) => !context.suspended && memory.mayRetryNow(event, context),
      isWindowSpent: ({ context, event }) => memory.isSpent(event, context),
      isSessionStable: ({ context, event }) => memory.isSessionStable(event, context),
      mustWaitThoughStable: ({ context, event }) =>
        memory.isSessionStable(event, context) && (context.suspended || retryAfterIn(event) !== undefined),
      isSuspended: ({ context }) => context.suspended,
      // Where somebody watches the environment, a timer this late is a sign of sleep, and not of time spent trying.
      hasOverslept: ({ context, event }) =>
        options.environment !== undefined && !context.suspended && memory.latenessOf(event, context) > OVERSLEPT_MS,
      isHeldByServer: ({ context }) => memory.isHeldByServer(context),
      owesServer: ({ context }) => memory.owesServer(context),
      asksForRestart: ({ event }) => event.type === 'retry' && event.restart === true,
      isSameInput: ({ context, event }) => event.type === 'update' && isEqual(context.input, event.input),
      wasBackingOff: ({ event }) => event.type === 'restore' && event.state === 'backingOff',
      hadFailed: ({ event }) => event.type === 'restore' && event.state === 'failed',
      wasUnderWay: ({ event }) => event.type === 'restore' && event.state !== 'idle',
    },
    actions: {
      begin: enqueueActions(({ event, enqueue }) => {
        const { input } = event as AnyChartEvent & { input?: unknown };
        if (input instanceof Restored) enqueue.raise({ type: 'restore', state: input.state });
        else if (options.autoStart !== false) enqueue.raise({ type: 'start' });
      }),

      openWindow: assign(() => memory.openWindow()),
      alignWindow: assign(({ context, event }) => memory.alignWindow(event, context)),
      realignWindow: assign(({ context }) => memory.realignWindow(context)),
      reopenWindow: assign(({ context, event }) => memory.reopenWindow(event, context)),
      beginAttempt: assign(({ context, event }) => memory.beginAttempt(event, context)),

      takeSession: assign(({ context, event }) => ({ ...memory.takeSession(event, context), lease: leaseIn(event) })),
      noteHealth: assign({ healthy: true }),
      probeSession: sendTo('liveness', { type: 'probe' }),
      releaseSession: ({ context, event }) => context.lease?.release(closeReason(event)),
      dropSession: assign(({ event }) => memory.dropSession(event)),

      rememberFailure: assign(({ context, event }) => memory.rememberFailure(event, context)),
      forgetFailure: assign({ failure: undefined }),
      scheduleRetry: assign(({ context, event }) => memory.scheduleRetry(event, context)),
      cutWait: assign(({ context, event }) => memory.cutWait(event, context)),
      fitWait: assign(({ context }) => memory.fitWait(context)),
      hold: assign({ waitReason: 'suspended' }),
      growDelay: assign({ delay: ({ context }) => growDelay(policy, context.delay, context.wait) }),
      blameSleep: assign(() => memory.blameSleep()),
      comeToRest: assign(() => memory.comeToRest()),
      giveUp: assign(({ context, event }) => memory.giveUp(event, context)),

      takeInput: assign(({ context, event }) => ({ input: event.type === 'update' ? event.input : context.input })),
      noteEnvironment: assign(({ context, event }) => memory.noteEnvironment(event, context)),
      watchEnvironment: spawnChild('environment', { id: 'environment' }),
      unwatchEnvironment: stopChild('environment'),
      forgetEnvironment: assign(() => memory.forgetEnvironment()),

      emitConnecting: emit((moment) => announceConnecting(moment)),
      emitConnected: emit((moment) => announceConnected(moment)),
      emitDisconnected: enqueueActions((moment) => {
        if (isRotation(moment.event)) return;
        moment.enqueue.emit(announceDisconnected(moment, memory.uptimeOf(moment.context)));
      }),
      emitRetrying: emit((moment) => announceRetrying(moment)),
      emitFailed: emit((moment) => announceFailed(moment)),
      emitStopped: emit({ type: 'stopped' }),
    },
  });

  const giveUp = { guard: 'mustGiveUp', target: 'failed', actions: ['rememberFailure', 'giveUp'] } as const;
  const afterAttempt = [
    giveUp,
    { guard: 'mayRetryNow', target: 'connecting', reenter: true, actions: ['rememberFailure', 'alignWindow'] },
    { target: 'backingOff', actions: ['rememberFailure', 'alignWindow', 'scheduleRetry', 'emitRetrying'] },
  ] as const;

  const afterLimit = [
    { guard: 'hasOverslept', target: 'connecting', reenter: true, actions: ['rememberFailure', 'blameSleep'] },
    ...afterAttempt,
  ] as const;

  // R3: resolved or rejected alike, a session's end leads straight to the next attempt, unless it was no stable session.
  const afterSession = [
    giveUp,
    {
      guard: 'mustWaitThoughStable',
      target: 'backingOff',
      actions: ['rememberFailure', 'openWindow', 'scheduleRetry', 'emitRetrying'],
    },
    { guard: 'isSessionStable', target: 'connecting', actions: ['rememberFailure', 'openWindow'] },
    { guard: 'mayRetryNow', target: 'connecting', actions: 'rememberFailure' },
    { target: 'backingOff', actions: ['rememberFailure', 'scheduleRetry', 'emitRetrying'] },
  ] as const;

  // What the server asked for is waited for, though the window is no more that cut it.
  const waitOn = { guard: 'owesServer', target: 'backingOff', reenter: true } as const;

  // R2: the delay grows when its wait is over. R4: the window is checked only when about to connect.
  const afterWait = [
    { guard: 'isSuspended', actions: 'hold' },
    { guard: 'hasOverslept', target: 'connecting', actions: ['growDelay', 'blameSleep'] },
    { guard: 'isWindowSpent', target: 'failed', actions: 'giveUp' },
    { ...waitOn, actions: ['fitWait', 'emitRetrying'] },
    { target: 'connecting', actions: 'growDelay' },
  ] as const;

  // An input that equals the present one is no change.
  const afterUpdate = [
    { guard: 'isSameInput' },
    { target: 'connecting', reenter: true, actions: ['takeInput', 'openWindow', 'forgetFailure'] },
  ] as const;
  const startAfresh = { target: 'connecting', actions: ['openWindow', 'forgetFailure'] } as const;
  const goOn = { actions: ['reopenWindow', 'noteEnvironment'] } as const;
  const comeBack = [
    { guard: 'isHeldByServer', ...goOn },
    { ...waitOn, actions: [...goOn.actions, 'fitWait', 'emitRetrying'] },
    { target: 'backingOff', reenter: true, actions: [...goOn.actions, 'cutWait', 'emitRetrying'] },
  ] as const;

  const limitOf = ({ context }: { context: Context }) => memory.limitOf(context);
  const inputOf = ({ context: { input } }: { context: Context }) => ({ input });
  const sessionOf = ({ context: { lease, attempt } }: { context: Context }) => ({ lease: lease!, attempt });

  // What nobody asked for is no part of the chart: an actor that does nothing would cost time in every cycle.
  const when = <T>(wanted: boolean, part: T): T[] => (wanted ? [part] : []);
  const hasLimit = policy.attemptTimeout > 0 || (policy.deadline === 'strict' && policy.timeout > 0);
  const limit = when(hasLimit, { id: 'limit', src: 'limit', input: limitOf, onDone: afterLimit } as const);
  const gate = { id: 'health', src: 'health', input: sessionOf, onDone: { actions: 'noteHealth' } } as const;
  const health = when(typeof options.healthy === 'function', gate);
  const probing = when(liveness !== undefined, { id: 'liveness', src: 'liveness', input: sessionOf } as const);
  const probe = when(liveness !== undefined, 'probeSession' as const);
  const replaced = { target: 'connected', reenter: true, actions: 'takeSession' } as const;
  const rotation = when(maxAge > 0, { id: 'rotation', src: 'rotation', input: inputOf, onDone: replaced } as const);
  // O5: at rest nothing is watched. What was still on its way then is forgotten when the next watch begins.
  const isWatching = options.environment !== undefined;
  const watch = isWatching ? (['forgetEnvironment', 'watchEnvironment'] as const) : [];
  const unwatch = isWatching ? (['unwatchEnvironment', 'forgetEnvironment'] as const) : [];
  const lookAgain = { actions: [...goOn.actions, ...probe] } as const;

  const machine = chart.createMachine({
    id: 'reconnect',
    context: ({ input }) => contextFrom(input),
    entry: 'begin',

    on: {
      stop: { target: '.idle', actions: ['comeToRest', 'emitStopped'] },
      update: { actions: 'takeInput' },
      online: { actions: 'noteEnvironment' },
      offline: { actions: 'noteEnvironment' },
      suspend: { actions: 'noteEnvironment' },
      resume: { actions: 'noteEnvironment' },
    },

    initial: 'idle',
    states: {
      idle: {
        entry: unwatch,
        on: {
          start: startAfresh,
          stop: {},
          restore: [
            { guard: 'wasBackingOff', target: 'backingOff', actions: 'emitRetrying' },
            { guard: 'hadFailed', target: 'failed' },
            { guard: 'wasUnderWay', target: 'connecting' },
          ],
        },
        exit: watch,
      },

      connecting: {
        entry: ['beginAttempt', 'emitConnecting'],
        invoke: [
          {
            id: 'connect',
            src: 'connect',
            input: ({ context: { input, attempt, failure, reason, owesTurn } }) => ({
              input,
              attempt,
              failure,
              reason: reason!,
              owesTurn,
            }),
            onDone: { target: 'connected', actions: ['alignWindow', 'takeSession'] },
            onError: afterAttempt,
          },
          ...limit,
        ],
        on: {
          retry: { guard: 'asksForRestart', target: 'connecting', reenter: true, actions: 'realignWindow' },
          update: afterUpdate,
          online: goOn,
          resume: goOn,
          wake: goOn,
        },
      },

      connected: {
        entry: 'emitConnected',
        invoke: [
          { id: 'closed', src: 'closed', input: sessionOf, onDone: afterSession, onError: afterSession },
          ...health,
          ...probing,
          ...rotation,
        ],
        on: {
          healthy: { actions: 'noteHealth' },
          dead: afterSession,
          retry: startAfresh,
          update: afterUpdate,
          online: lookAgain,
          offline: lookAgain,
          resume: lookAgain,
          wake: lookAgain,
        },
        exit: ['releaseSession', 'emitDisconnected', 'dropSession'],
      },

      backingOff: {
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
          update: afterUpdate,
          online: comeBack,
          resume: comeBack,
          wake: comeBack,
        },
      },

      // Not final: a person can press "Try again".
      failed: {
        entry: ['emitFailed', ...unwatch],
        on: {
          start: startAfresh,
          retry: startAfresh,
          update: afterUpdate,
        },
        exit: watch,
      },
    },
  });

  return isolateListeners(concealSessions(persistConnections(machine, world, policy)), world.report);

  function contextFrom(input: TInput | Restored): Context {
    return input instanceof Restored ? (input.context as Context) : memory.begin(input);
  }
}
