/** Model-based tests: paths over the real chart, paths over an abstract model, and random schedules against a reference. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign, createActor, setup } from 'xstate';
import { getShortestPaths, getSimplePaths } from 'xstate/graph';
import { type BackoffPolicy, createReconnectMachine, originBackoff, type ReconnectEvent } from '../../src/index';
import { createScriptedSession, createVirtualClock, type ScriptedSession } from '../../src/testing/index';

const STATES = ['idle', 'connecting', 'connected', 'backingOff', 'failed'];

describe('paths over the real chart', () => {
  it('H every state is reachable, and from every state both connected and failed can be reached', () => {
    const session = createScriptedSession();
    const machine = createReconnectMachine({
      connect: async () => session,
      now: () => 0,
      backoff: { max: 1_000, minUptime: 0 },
    });
    const events = [
      { type: 'start' },
      { type: 'stop' },
      { type: 'retry' },
      { type: 'xstate.done.actor.connect', output: session },
      { type: 'xstate.error.actor.connect', error: 'refused' },
      { type: 'xstate.done.actor.closed', output: 'bye' },
      { type: 'xstate.error.actor.closed', error: 'reset' },
      { type: 'xstate.done.actor.wait', output: undefined },
    ];
    const options = {
      events: events as ReconnectEvent<void>[],
      serializeState: ({ value, context }: ReturnType<typeof machine.getInitialSnapshot>) =>
        JSON.stringify([value, Math.min(context.attempt, 3), context.delay]),
      limit: 5_000,
    };
    // A pure guard instead of time: the window is spent after three attempts.
    const timed = machine.provide({ guards: { isWindowSpent: ({ context }) => context.attempt >= 3 } });
    const paths = getShortestPaths(timed, options);
    expect([...new Set(paths.map(({ state }) => state.value))].sort()).toEqual([...STATES].sort());
    for (const goal of ['connected', 'failed']) {
      for (const { state } of paths) {
        const onwards = getShortestPaths(timed, {
          ...options,
          fromState: state,
          toState: ({ value }) => value === goal,
        });
        expect(onwards.length, `from ${String(state.value)} to ${goal}`).toBeGreaterThan(0);
      }
    }
  });
});

interface Attempt {
  resolve: (session: ScriptedSession) => void;
  reject: (error: unknown) => void;
  signal: AbortSignal;
  answered: boolean;
}

/** A real actor in the hands of a test: each attempt is answered, and each session ended, when the test says so. */
function rig(backoff: Partial<BackoffPolicy>) {
  const clock = createVirtualClock();
  const attempts: Attempt[] = [];
  const sessions: ScriptedSession[] = [];
  const statuses: string[] = [];
  const machine = createReconnectMachine<ScriptedSession>({
    connect: ({ signal }) =>
      new Promise((resolve, reject) => attempts.push({ resolve, reject, signal, answered: false })),
    close: (session, reason) => session.close(reason),
    backoff,
    autoStart: false,
    now: clock.now,
  });
  const actor = createActor(machine, { clock });
  actor.on('connected', () => statuses.push('connected'));
  actor.on('disconnected', () => statuses.push('disconnected'));
  actor.start();
  return {
    clock,
    actor,
    attempts,
    sessions,
    value: () => actor.getSnapshot().value,
    async ok() {
      const attempt = attempts.at(-1);
      if (attempt === undefined || attempt.answered) return;
      attempt.answered = true;
      const session = createScriptedSession(sessions.length + 1);
      sessions.push(session);
      attempt.resolve(session);
      await clock.settle();
    },
    async fail() {
      const attempt = attempts.at(-1);
      if (attempt === undefined) return;
      attempt.answered = true;
      attempt.reject(new Error('refused'));
      await clock.settle();
    },
    async drop() {
      sessions.at(-1)?.end();
      await clock.settle();
    },
    async send(type: 'start' | 'stop' | 'retry') {
      actor.send({ type });
      await clock.settle();
    },
    /** What must hold at any moment, whatever happened before. */
    check() {
      const { value, context } = actor.getSnapshot();
      const live = sessions.filter(({ ended }) => !ended);
      expect(live.length).toBe(value === 'connected' ? 1 : 0);
      expect(context.session).toBe(live[0]);
      for (const session of sessions) {
        expect(session.closes.length, 'O1 closed exactly once').toBe(live.includes(session) ? 0 : 1);
      }
      expect(clock.pending, 'C2 one timer while backing off, none otherwise').toBe(value === 'backingOff' ? 1 : 0);
      expect(statuses).toEqual(statuses.map((_, i) => (i % 2 === 0 ? 'connected' : 'disconnected')));
    },
  };
}

type Rig = ReturnType<typeof rig>;

describe('paths over an abstract model drive a real actor', () => {
  const DEPTH = 6;
  // The count of steps makes each walk a path of its own, so that the paths go round in circles too.
  const model = setup({
    types: {} as { context: { steps: number } },
    actions: { count: assign({ steps: ({ context }) => context.steps + 1 }) },
  }).createMachine({
    context: { steps: 0 },
    initial: 'idle',
    states: {
      idle: { on: { start: { target: 'connecting', actions: 'count' } } },
      connecting: {
        on: {
          ok: { target: 'connected', actions: 'count' },
          fail: { target: 'backingOff', actions: 'count' },
          stop: { target: 'idle', actions: 'count' },
        },
      },
      connected: {
        on: {
          drop: { target: 'connecting', actions: 'count' },
          flap: { target: 'backingOff', actions: 'count' },
          stop: { target: 'idle', actions: 'count' },
        },
      },
      backingOff: {
        on: {
          wait: { target: 'connecting', actions: 'count' },
          retry: { target: 'connecting', actions: 'count' },
          giveUp: { target: 'failed', actions: 'count' },
          stop: { target: 'idle', actions: 'count' },
        },
      },
      failed: {
        on: {
          retry: { target: 'connecting', actions: 'count' },
          start: { target: 'connecting', actions: 'count' },
          stop: { target: 'idle', actions: 'count' },
        },
      },
    },
  });
  const steps: Record<string, (r: Rig) => Promise<void>> = {
    start: (r) => r.send('start'),
    stop: (r) => r.send('stop'),
    retry: (r) => r.send('retry'),
    ok: (r) => r.ok(),
    fail: (r) => r.fail(),
    flap: (r) => r.drop(),
    async drop(r) {
      await r.clock.advance(r.actor.getSnapshot().context.delay);
      await r.clock.advance(1_000);
      await r.drop();
    },
    wait: (r) => r.clock.advanceTo(r.clock.nextAt ?? 0),
    // The machine slept through the rest of its window: one decision, late (D6).
    giveUp: (r) => r.clock.sleep(400_000),
  };

  it(`O1 C2 every walk of up to ${DEPTH} steps`, async () => {
    const paths = getSimplePaths(model, {
      serializeState: ({ value, context }) => JSON.stringify([value, context.steps]),
      stopWhen: ({ context }) => context.steps >= DEPTH,
    });
    const visited = new Set<string>();
    for (const path of paths) {
      const r: Rig = rig({});
      for (const { event, state } of path.steps) {
        if (event.type === 'xstate.init') continue;
        visited.add(`${String(r.value())} ${event.type}`);
        await steps[event.type]?.(r);
        const walk = path.steps.map(({ event: { type } }) => type).join(' ');
        expect(r.value(), `after ${event.type} in ${walk}`).toBe(state.value);
        r.check();
      }
      r.actor.stop();
      await r.clock.settle();
      expect(r.clock.pending).toBe(0);
      expect(r.sessions.every(({ closes }) => closes.length === 1)).toBe(true);
    }
    expect(paths.length).toBeGreaterThan(200);
    expect(visited.size).toBe(14);
  });
});

/** The origin's loop and minUptime, written down a second time as plainly as possible. */
interface Reference {
  state: string;
  delay: number;
  retryStart: number;
  attempt: number;
  retryAt: number;
  connectedAt: number;
  now: number;
  dials: number;
}

class Step implements fc.AsyncCommand<Reference, Rig> {
  constructor(
    readonly name: string,
    readonly allowed: (m: Reference) => boolean,
    readonly expected: (m: Reference) => void,
    readonly act: (r: Rig) => Promise<void>,
  ) {}
  check = (m: Readonly<Reference>): boolean => this.allowed(m);
  async run(m: Reference, r: Rig): Promise<void> {
    this.expected(m);
    await this.act(r);
    const { value, context } = r.actor.getSnapshot();
    expect(value).toBe(m.state);
    if (m.state !== 'idle') {
      expect(context).toMatchObject({ delay: m.delay, retryStart: m.retryStart, attempt: m.attempt });
    }
    expect(context.retryAt).toBe(m.state === 'backingOff' ? m.retryAt : undefined);
    expect(r.attempts.length, 'dials').toBe(m.dials);
    r.check();
  }
  toString = (): string => this.name;
}

function reference(policy: BackoffPolicy) {
  const dial = (m: Reference): void => {
    m.state = 'connecting';
    m.attempt++;
    m.dials++;
  };
  const open = (m: Reference): void => {
    m.delay = policy.initial;
    m.retryStart = m.now;
    m.attempt = 0;
    dial(m);
  };
  const backOff = (m: Reference): void => {
    m.state = 'backingOff';
    m.retryAt = m.now + m.delay;
  };
  const redial = (m: Reference): void => {
    m.delay = Math.min(m.delay * policy.multiplier, policy.max);
    dial(m);
  };
  const waitOver = (m: Reference): void => {
    m.now = m.retryAt;
    if (policy.timeout !== 0 && m.now - m.retryStart > policy.timeout) m.state = 'failed';
    else redial(m);
  };
  const inState =
    (...states: string[]) =>
    (m: Reference) =>
      states.includes(m.state);
  const always = (): boolean => true;
  return {
    start: () =>
      new Step(
        'start',
        always,
        (m) => inState('idle', 'failed')(m) && open(m),
        (r) => r.send('start'),
      ),
    retry: () =>
      new Step(
        'retry',
        always,
        (m) => (m.state === 'failed' || m.state === 'connected' ? open(m) : m.state === 'backingOff' && redial(m)),
        (r) => r.send('retry'),
      ),
    stop: () =>
      new Step(
        'stop',
        always,
        (m) => {
          m.state = 'idle';
        },
        (r) => r.send('stop'),
      ),
    ok: () =>
      new Step(
        'ok',
        inState('connecting'),
        (m) => {
          m.state = 'connected';
          m.connectedAt = m.now;
          if (policy.minUptime === 0) m.delay = policy.initial;
        },
        (r) => r.ok(),
      ),
    fail: () => new Step('fail', inState('connecting'), backOff, (r) => r.fail()),
    drop: () =>
      new Step(
        'drop',
        inState('connected'),
        (m) => (m.now - m.connectedAt >= policy.minUptime ? open(m) : backOff(m)),
        (r) => r.drop(),
      ),
    /** A session that comes too late: the attempt was given up, and its server answers all the same. */
    late: () =>
      new Step(
        'late',
        (m) => m.dials > 0 && !inState('connecting', 'connected')(m),
        always,
        (r) => (r.attempts.at(-1)?.signal.aborted === true ? r.ok() : Promise.resolve()),
      ),
    pass: (ms: number) =>
      new Step(
        `pass ${ms}`,
        (m) => m.state !== 'backingOff' || m.now + ms < m.retryAt,
        (m) => {
          m.now += ms;
        },
        (r) => r.clock.advance(ms),
      ),
    wait: () => new Step('wait', inState('backingOff'), waitOver, (r) => r.clock.advanceTo(r.clock.nextAt ?? 0)),
  };
}

describe('random schedules against a reference model', () => {
  const policies: [string, BackoffPolicy][] = [
    ['the origin’s policy', { ...originBackoff, timeout: 20_000 }],
    ['a minimum uptime', { ...originBackoff, initial: 100, max: 5_000, timeout: 5_000, minUptime: 1_000 }],
    ['an initial above max, never giving up', { ...originBackoff, initial: 5_000, max: 70, timeout: 0, minUptime: 1 }],
  ];
  it.each(policies)('R1-R4 O1 O2 C2 %s', async (_, policy) => {
    const commands = reference(policy);
    await fc.assert(
      fc.asyncProperty(
        fc.commands(
          [
            fc.constant(commands.start()),
            fc.constant(commands.retry()),
            fc.constant(commands.stop()),
            fc.constant(commands.ok()),
            fc.constant(commands.fail()),
            fc.constant(commands.fail()),
            fc.constant(commands.drop()),
            fc.constant(commands.late()),
            fc.constant(commands.wait()),
            fc.constant(commands.wait()),
            fc.constantFrom(0, 1, 99, 100, 999, 1_000, 30_000).map(commands.pass),
          ],
          { maxCommands: 40 },
        ),
        async (schedule) => {
          const setUp = () => ({
            model: {
              state: 'idle',
              delay: policy.initial,
              retryStart: 0,
              attempt: 0,
              retryAt: 0,
              connectedAt: 0,
              now: 0,
              dials: 0,
            },
            real: rig(policy),
          });
          let real: Rig | undefined;
          await fc.asyncModelRun(() => {
            const made = setUp();
            real = made.real;
            return made;
          }, schedule);
          real?.actor.stop();
          await real?.clock.settle();
          expect(real?.sessions.every(({ closes }) => closes.length === 1)).toBe(true);
          expect(real?.clock.pending).toBe(0);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
