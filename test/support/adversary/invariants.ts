/** What must hold for any connection, whatever has happened to it. */
import { strict as assert } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { type ReconnectEmitted, ReconnectGaveUpError, type ReconnectState } from '../../../src/index';
import { strayErrors } from '../stray-errors';
import { isOpen } from './questions';
import type { World } from './world';

/** Checks what must hold whenever everything has settled. */
export function check(world: World): void {
  checkErrors(world);
  assert.equal(world.actor.getSnapshot().status, 'active', 'O4 the actor lives');
  checkOwnership(world);
  checkTimers(world);
  checkContext(world);
  checkAnnouncements(world);
  checkEnvironment(world);
  checkGivingUp(world);
}

/** Checks that nothing is left of an actor that was stopped for good. */
export function checkGone(world: World): void {
  checkErrors(world);
  checkClosedOnce(world);
  assert.equal(world.live.length, 0, 'O1 no session is live');
  assert.equal(world.clock.pending, 0, 'O5 no timer is set');
  const questions = [...world.attempts, ...world.probes, ...world.signs];
  assert.ok(!questions.some(isOpen), 'O3 what is not wanted any more is aborted');
  assert.ok(!world.watchers.some(({ isActive }) => isActive), 'O5 nothing is watched');
}

function checkErrors({ broken }: World): void {
  assert.deepEqual(broken, []);
  assert.deepEqual(strayErrors.splice(0), [], 'O4 no uncaught exception, no unhandled rejection');
}

function checkClosedOnce({ sessions }: World): void {
  for (const { closes } of sessions) assert.ok(closes.length <= 1, `O1 a session was closed: ${closes.join(', ')}`);
}

function checkOwnership(world: World): void {
  const { value, context, live, attempts, probes, signs } = world;
  checkClosedOnce(world);
  const isConnected = value === 'connected';
  assert.equal(live.length, isConnected ? 1 : 0, `O1 live sessions while ${value}`);
  assert.equal(context.session, live[0], 'O1 the session in the context');
  assert.ok(
    live.every(({ attempt }) => !attempt.signal.aborted),
    'O2 a late session is seen',
  );

  const open = attempts.filter(isOpen).map(({ args }) => args.reason);
  if (isConnected)
    assert.ok(open.length === 0 || isDeepStrictEqual(open, ['rotation']), `attempts: ${open.join(', ')}`);
  else assert.equal(open.length, value === 'connecting' ? 1 : 0, `C3 attempts under way while ${value}`);
  for (const questions of [probes, signs]) {
    assert.ok(questions.filter(isOpen).length <= (isConnected ? 1 : 0), `O3 what a session is asked while ${value}`);
  }
}

/** There are exactly the timers that a state is for. */
function checkTimers({ value, context, set, policy, clock, attempt }: World): void {
  const isLimited = policy.attemptTimeout > 0;
  const hasDeadline = policy.deadline === 'strict' && policy.timeout > 0;
  const probing = set.liveness === undefined ? 0 : 1;
  const rotation = set.maxSessionAge === undefined || (attempt !== undefined && !isLimited) ? 0 : 1;
  const most: Record<ReconnectState, number> = {
    idle: 0,
    connecting: isLimited || hasDeadline ? 1 : 0,
    connected: probing + rotation,
    backingOff: 1,
    failed: 0,
  };
  // While suspended, a wait that is over is held.
  const least = { ...most, backingOff: context.suspended ? 0 : 1 };
  const isRight = clock.pending >= least[value] && clock.pending <= most[value];
  assert.ok(isRight, `C2 ${clock.pending} timers while ${value}, expected ${least[value]} to ${most[value]}`);
  const isDue = value === 'backingOff' && context.retryAt !== undefined && context.retryAt <= clock.now();
  if (isDue) assert.equal(context.waitReason, 'suspended', 'H a wait that is over is held by suspend alone');
}

/** The fields that only mean something in one state. */
const ONLY_IN = {
  retryAt: 'backingOff',
  waitReason: 'backingOff',
  connectedAt: 'connected',
  lease: 'connected',
  gaveUp: 'failed',
} as const;

function checkContext({ value, context, policy, clock, isTimeTrue }: World): void {
  for (const field of Object.keys(ONLY_IN) as (keyof typeof ONLY_IN)[]) {
    assert.equal(context[field] !== undefined, value === ONLY_IN[field], `${field} while ${value}`);
  }
  if (value !== 'connected') assert.equal(context.healthy, false, `healthy while ${value}`);
  if (value === 'failed') assert.ok(context.error instanceof ReconnectGaveUpError, 'D5 the give-up error');
  if (value === 'backingOff' && policy.maxAttempts > 0) {
    // The last attempt may have been answered by retry-now, which suspend holds.
    assert.ok(context.attempt < policy.maxAttempts || context.refreshed, 'it waits for an attempt that may be made');
  }
  const windowRuns = policy.timeout > 0 && context.online && !context.suspended;
  if (policy.deadline !== 'strict' || !windowRuns || !isTimeTrue) return;
  const end = Math.max(context.retryStart + policy.timeout, clock.now());
  if (value === 'backingOff') assert.ok((context.retryAt ?? 0) <= end, 'D2 the last wait is cut to the window');
  if (value === 'connecting') assert.ok((clock.nextAt ?? 0) <= end, 'D1 the attempt is cut to the window');
}

/** What is told last is what is so. */
function checkAnnouncements({ value, context, emitted }: World): void {
  const statuses = emitted.filter(({ type }) => type === 'connected' || type === 'disconnected');
  const alternates = statuses.every(({ type }, i) => type === (i % 2 === 0 ? 'connected' : 'disconnected'));
  assert.ok(alternates, `R6 the status alternates: ${statuses.map(({ type }) => type).join(', ')}`);
  assert.equal(statuses.length % 2 === 1, value === 'connected', 'R6 the last status is the present one');

  const { attempt, reason = 'start', wait, waitReason = 'suspended', error } = context;
  const told: Record<ReconnectState, ReconnectEmitted[]> = {
    idle: [{ type: 'stopped' }],
    connecting: [{ type: 'connecting', attempt, reason }],
    connected: [{ type: 'connected', attempt }, { type: 'rotated' }],
    backingOff: [{ type: 'retrying', delay: wait, attempt, error, reason: waitReason }],
    failed: [{ type: 'failed', error }],
  };
  const last = emitted.filter(({ type }) => type !== 'disconnected').at(-1);
  // A wait that is held was told when it began, under its own reason.
  const isHeld = waitReason === 'suspended' && last?.type === 'retrying';
  const isRight = last === undefined ? value === 'idle' : told[value].some((event) => isDeepStrictEqual(event, last));
  assert.ok(isHeld || isRight, `it is ${value}, and told ${JSON.stringify(last)}`);
}

function checkEnvironment({ set, value, context, watchers, isDeaf, network, frozen }: World): void {
  if (set.environment !== true) return;
  const isWatched = value !== 'idle' && value !== 'failed' && !isDeaf;
  assert.equal(watchers.filter(({ isActive }) => isActive).length, isWatched ? 1 : 0, `O5 watched while ${value}`);
  if (!isWatched) return;
  assert.equal(context.online, network, 'I online');
  assert.equal(context.suspended, frozen, 'I suspended');
}

/** Nobody gives up before the time, or before the attempts are used up. */
function checkGivingUp({ context, policy, clock, windowFrom, attemptsInWindow, isTimeTrue }: World): void {
  if (context.gaveUp === 'timeout' && isTimeTrue) {
    const tried = clock.now() - windowFrom;
    assert.ok(tried >= policy.timeout, `D4 it gave up ${tried}ms after the window had begun`);
  }
  if (context.gaveUp === 'attempts') {
    assert.ok(attemptsInWindow >= policy.maxAttempts, `it gave up after ${attemptsInWindow} attempts`);
  }
}
