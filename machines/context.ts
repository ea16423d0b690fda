/** What the chart remembers, and how each thing that happens changes it. */
import {
  areAttemptsSpent,
  attemptLimit,
  type BackoffPolicy,
  cutToWindow,
  drawWait,
  isStable,
  isWindowSpent,
  windowEnd,
} from './backoff';
import * as events from './events';
import { Failure, type GaveUpReason, giveUpError } from './failure';
import { remember } from './history';
import type { Facts, ReconnectContext, WaitReason } from './vocabulary';
import type { World } from './world';

type Change = Partial<Facts> & { lease?: undefined };

/** What two readings of the clock in one turn may differ by. */
const PRECISION_MS = 1;

/** The fields that only mean something while connected. */
const NO_SESSION = { lease: undefined, connectedAt: undefined, healthy: false } satisfies Change;

/** The fields that only mean something while backing off. */
const NO_WAIT = { retryAt: undefined, waitReason: undefined } satisfies Change;

/**
 * The chart's memory under one policy, in one world: what can be said of it, and what each thing that happens changes.
 *
 * @param isGated whether a session must give a sign of health before the backoff resets.
 */
export function createMemory(policy: BackoffPolicy, isGated: boolean, world: World) {
  const uptimeOf = ({ connectedAt }: Facts): number => (connectedAt === undefined ? 0 : world.now() - connectedAt);

  const isSessionStable = (event: events.AnyChartEvent, context: Facts): boolean => {
    if (context.connectedAt === undefined || (isGated && !context.healthy)) return false;
    // A half-open session lived for as long as there was a sign of life.
    const uptime = event.type === 'dead' ? (events.failureIn(event)?.uptime ?? 0) : uptimeOf(context);
    return isStable(policy, uptime);
  };

  /** The window runs only while one may try and there is a network to try with. */
  const isRunning = ({ online, suspended }: Facts): boolean => online && !suspended;

  const runningFrom = (context: Facts, retryStart: number): number =>
    isRunning(context) ? retryStart : Number.POSITIVE_INFINITY;

  // A wait that is said to be over is over, though the clock may be a fraction of a millisecond behind it.
  const isSpent = (event: events.AnyChartEvent, context: Facts): boolean =>
    isWindowSpent(
      policy,
      runningFrom(context, events.windowStart(event, context)),
      Math.max(world.now(), context.retryAt ?? Number.NEGATIVE_INFINITY),
    );

  const freshWindow = () =>
    ({
      delay: policy.initial,
      retryStart: world.now(),
      attempt: 0,
      refreshed: false,
      gaveUp: undefined,
    }) satisfies Change;

  const waitFor = (ms: number, context: Facts): Pick<Facts, 'wait' | 'retryAt'> => {
    const uncut = world.now() + ms;
    const retryAt = cutToWindow(policy, runningFrom(context, context.retryStart), uncut);
    return { retryAt, wait: retryAt < uncut ? Math.max(0, retryAt - world.now()) : ms };
  };

  const waitReasonFor = (event: events.AnyChartEvent, { attempt }: Facts, drawn: number): WaitReason => {
    const { retryAfter, uptime = 0 } = events.failureIn(event) ?? {};
    // A stable session, whose end has opened the window anew, waits only because somebody asks for it.
    if (attempt === 0) return retryAfter === undefined ? 'suspended' : 'retry-after';
    return (retryAfter ?? 0) > drawn ? 'retry-after' : events.waitReason(event, isStable(policy, uptime));
  };

  /** When the time is over that the server asked to wait. */
  const askedUntil = ({ retryAt = 0, wait, failure }: Facts): number => retryAt - wait + (failure?.retryAfter ?? 0);

  // An attempt whose time was to be up at the window's end was given the rest of it.
  const wasGivenTheRest = (event: events.AnyChartEvent, context: Facts): boolean =>
    isRunning(context) &&
    windowEnd(policy, events.windowStart(event, context)) - (events.limitEnd(event) ?? Number.NEGATIVE_INFINITY) <
      PRECISION_MS;

  const isDeadlineSpent = (event: events.AnyChartEvent, context: Facts): boolean =>
    policy.deadline === 'strict' && (wasGivenTheRest(event, context) || isSpent(event, context));

  const mayRetryNow = (event: events.AnyChartEvent, context: Facts): boolean =>
    events.failureIn(event)?.verdict === 'retry-now' && !context.refreshed && !isSpent(event, context);

  return {
    uptimeOf,
    isSessionStable,
    /** Whether the retry window is spent. Rule R4. */
    isSpent,
    /** How late the timer was, in ms, whose end `event` tells. */
    latenessOf: (event: events.AnyChartEvent, { retryAt }: Facts): number =>
      world.now() - (events.limitEnd(event) ?? retryAt ?? world.now()),
    /** Whether a wait is under way that the server asked for. */
    isHeldByServer: ({ waitReason, failure, retryAt = 0 }: Facts): boolean =>
      (waitReason === 'retry-after' || (failure?.retryAfter ?? 0) > 0) && retryAt > world.now(),
    /** Whether the server asked for a longer wait than the one that is over, which was cut to a window. */
    owesServer: (context: Facts): boolean =>
      askedUntil(context) - Math.max(context.retryAt ?? 0, world.now()) >= PRECISION_MS,
    /** Whether the failure in `event` is answered with an attempt at once, which works once in a row. */
    mayRetryNow,
    /** Whether there is no use in trying again after the failure in `event`. */
    mustGiveUp: (event: events.AnyChartEvent, context: Facts): boolean =>
      events.failureIn(event)?.verdict === 'give-up' ||
      (!isSessionStable(event, context) &&
        (isDeadlineSpent(event, context) ||
          (areAttemptsSpent(policy, context.attempt) && !mayRetryNow(event, context)))),

    /** The context of a connection that has done nothing yet. `session` and `error` are accessors that are added to it later. */
    begin: <TSession, TInput>(input: TInput) =>
      ({
        input,
        policy,
        ...freshWindow(),
        ...NO_SESSION,
        ...NO_WAIT,
        reason: undefined,
        wait: 0,
        sessions: 0,
        history: [],
        online: true,
        suspended: false,
        owesTurn: false,
        failure: undefined,
      }) as unknown as ReconnectContext<TSession, TInput>,

    openWindow: freshWindow,

    alignWindow: (event: events.AnyChartEvent, context: Facts): Change => ({
      retryStart: events.windowStart(event, context),
    }),

    /** A first attempt that is made anew opens its window anew: when the old one was begun is not known. */
    realignWindow: ({ attempt, retryStart }: Facts): Change => ({
      retryStart: attempt === 1 ? world.now() : retryStart,
    }),

    /** Time that the process slept, or was without a network, is no time spent trying. */
    reopenWindow: (event: events.AnyChartEvent, context: Facts): Change =>
      events.endsAbsence(event, context) ? { retryStart: world.now() } : {},

    beginAttempt: (event: events.AnyChartEvent, context: Facts): Change => ({
      ...NO_WAIT,
      attempt: context.attempt + 1,
      reason: events.attemptReason(event, context),
      owesTurn: events.owesTurn(event, context),
    }),

    /** What the actor `limit` is invoked with. An attempt that is begun while no window runs may take as long as a whole one. */
    limitOf: (context: Facts) => ({
      ms: attemptLimit(policy, isRunning(context) ? context.retryStart : world.now(), world.now()),
      attempt: context.attempt,
    }),

    /**
     * A success forgets the last error, and where nothing more is asked of a session resets the delay at once (R3). A session that
     * takes the place of a stable one is the first of a window of its own.
     */
    takeSession: (event: events.AnyChartEvent, context: Facts): Change => ({
      delay: policy.minUptime === 0 && !isGated ? policy.initial : context.delay,
      ...(events.isRotation(event) && { reason: 'rotation' }),
      ...(events.isRotation(event) && isSessionStable(event, context) && { ...freshWindow(), attempt: 1 }),
      connectedAt: world.now(),
      healthy: false,
      sessions: context.sessions + 1,
      failure: undefined,
    }),

    /** In a rotation the next one is there already. */
    dropSession: (event: events.AnyChartEvent): Change => (events.isRotation(event) ? {} : NO_SESSION),

    rememberFailure(event: events.AnyChartEvent, { history, attempt }: Facts): Change {
      const failure = events.failureIn(event);
      const entry = {
        time: world.wallNow(),
        phase: events.phaseOf(event),
        attempt,
        uptime: failure?.uptime ?? 0,
        error: failure?.toJSON(),
      };
      return { failure, refreshed: failure?.verdict === 'retry-now', history: remember(history, entry) };
    },

    scheduleRetry(event: events.AnyChartEvent, context: Facts): Change {
      const drawn = drawWait(policy, context.delay, world.random());
      const floor = events.retryAfterIn(event) ?? 0;
      return { ...waitFor(Math.max(drawn, floor), context), waitReason: waitReasonFor(event, context, drawn) };
    },

    /** Shortens the wait to a random part of the initial delay, so that not everybody who was cut off comes back at once. */
    cutWait({ type }: events.AnyChartEvent, context: Facts): Change {
      if (!events.isCut(type)) return {};
      const left = (context.retryAt ?? 0) - world.now();
      const spread = world.random() * policy.initial;
      return { ...waitFor(left > 0 ? Math.min(left, spread) : spread, context), waitReason: type };
    },

    /** Fits a wait that the server asked for into the window there is by now, or into none. */
    fitWait(context: Facts): Change {
      const { retryAt = 0, wait, retryStart } = context;
      const uncut = Math.max(retryAt, askedUntil(context));
      const end = cutToWindow(policy, runningFrom(context, retryStart), uncut);
      return { retryAt: end, wait: wait + end - retryAt, waitReason: 'retry-after' };
    },

    /** What ends this late was slept through. */
    blameSleep: (): Change => ({ retryStart: world.now(), waitReason: 'wake' }),

    comeToRest: (): Change => ({ ...NO_WAIT, gaveUp: undefined }),

    giveUp(event: events.AnyChartEvent, context: Facts): Change {
      const { failure, attempt } = context;
      const isTimeUp = events.isWaitEnd(event) || isDeadlineSpent(event, context);
      const isFatal = events.failureIn(event)?.verdict === 'give-up';
      const reason: GaveUpReason = isFatal ? 'fatal' : isTimeUp ? 'timeout' : 'attempts';
      const error = giveUpError(reason, { timeout: policy.timeout, attempts: attempt, lastError: failure?.error });
      return { ...NO_WAIT, gaveUp: reason, failure: new Failure(error) };
    },

    /** At rest nobody says when it is over. */
    forgetEnvironment: (): Change => ({ online: true, suspended: false }),

    noteEnvironment: ({ type }: events.AnyChartEvent, { online, suspended }: Facts): Change => ({
      online: type === 'online' || (type !== 'offline' && online),
      suspended: type === 'suspend' || (type !== 'resume' && suspended),
    }),
  };
}
