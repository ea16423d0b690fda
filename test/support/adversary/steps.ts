/** Everything that can happen to a connection, as steps that can be written down and taken again. */
import { parseMisdeed } from './misdeeds';
import { isAbandoned, isOpen, type Question, type Session } from './questions';
import type { Wish, World } from './world';

interface Step {
  /** Whether it can happen now. Default: always. */
  isPossible?: (world: World) => boolean;
  act: (world: World) => void | Promise<void>;
}

/** A session that was closed, and whose other side has not noticed. */
const closedSessionOf = ({ sessions }: World): Session | undefined =>
  sessions.find(({ closes, end }) => closes.length > 0 && !end.isAnswered);

const liveSessionOf = ({ live }: World): Session | undefined => live.find(({ end }) => !end.isAnswered);

const to = <T>(find: (world: World) => T | undefined, act: (found: T, world: World) => void): Step => ({
  isPossible: (world) => find(world) !== undefined,
  act: (world) => act(find(world) as T, world),
});

/** A person does something; in one of the states `fresh`, the window begins with it. */
const person = (wish: Wish, ...fresh: string[]): Step => ({
  act(world) {
    if (fresh.includes(world.value)) world.beginWindow();
    world.send(wish);
  },
});

/** The environment tells something. If it ends an absence, the window begins with it. */
const environment = (type: Parameters<World['tell']>[0], endsAbsence: (world: World) => boolean): Step => ({
  act(world) {
    const isWatching = world.value !== 'idle' && world.value !== 'failed';
    if (isWatching && world.isWatched && endsAbsence(world)) world.windowFrom = world.clock.now();
    world.tell(type);
  },
});

/** Time passes. */
const wait = (act: (world: World, left: number) => Promise<void>): Step => ({
  isPossible: ({ clock }) => clock.nextAt !== undefined,
  act: (world) => act(world, (world.clock.nextAt ?? 0) - world.clock.now()),
});

const refuse = (question: Pick<Question<unknown>, 'reject'>): void => question.reject(new Error('refused'));
const agree = (question: Question<unknown>): void => question.resolve('yes');

const LITTLE_MS = 400;
/** Less than what counts as sleep. */
const DOZE_MS = 1_000;
/** Longer than any timer and any window. */
const NIGHT_MS = 3_600_000;

const STEPS: Readonly<Record<string, Step>> = {
  start: person('start', 'idle', 'failed'),
  stop: person('stop'),
  retry: person('retry', 'connected', 'failed'),
  restart: person('restart', 'connected', 'failed'),
  same: person('same'),
  other: person('other', 'connecting', 'connected', 'backingOff', 'failed'),
  healthy: person('healthy'),

  online: environment('online', ({ context }) => !context.online),
  offline: environment('offline', () => false),
  suspend: environment('suspend', () => false),
  resume: environment('resume', ({ context }) => context.suspended),
  wake: environment('wake', () => true),
  /** A source goes on telling after it was left. */
  stale: to(
    ({ watchers }) => watchers.find(({ isActive }) => !isActive),
    ({ send }) => send({ type: 'suspend' }),
  ),

  ok: to(
    ({ attempt }) => attempt,
    (attempt, world) => world.connectWith(attempt),
  ),
  fail: to(({ attempt }) => attempt, refuse),
  late: to(
    ({ attempts }) => attempts.find(isAbandoned),
    (attempt, world) => world.connectWith(attempt),
  ),
  lateFail: to(({ attempts }) => attempts.find(isAbandoned), refuse),

  end: to(liveSessionOf, ({ end }) => agree(end)),
  drop: to(liveSessionOf, ({ end }) => refuse(end)),
  lateDrop: to(closedSessionOf, ({ end }) => refuse(end)),

  alive: to(({ probes }) => probes.find(isOpen), agree),
  dead: to(({ probes }) => probes.find(isOpen), refuse),
  lateAlive: to(({ probes }) => probes.find(isAbandoned), agree),
  lateDead: to(({ probes }) => probes.find(isAbandoned), refuse),

  sign: to(({ signs }) => signs.find(isOpen), agree),
  noSign: to(({ signs }) => signs.find(isOpen), refuse),
  lateSign: to(({ signs }) => signs.find(isAbandoned), agree),

  next: wait(({ clock }, left) => clock.advance(left)),
  little: { act: ({ clock }) => clock.advance(LITTLE_MS) },
  /** Everything sleeps until after the next timer, which is then late. */
  doze: wait(({ clock }, left) => clock.sleep(left + DOZE_MS)),
  night: { act: ({ clock }) => clock.sleep(NIGHT_MS) },
};

export const stepNames: readonly string[] = Object.keys(STEPS);

/** The steps that can happen now. */
export function possibleSteps(world: World): string[] {
  return stepNames.filter((name) => STEPS[name]?.isPossible?.(world) ?? true);
}

/**
 * Pairs that happen in one turn: something settles, and before the chart has heard of it, or so many microtasks later, somebody
 * wants something else.
 */
export function races(possible: readonly string[]): string[] {
  const settling = ['ok', 'fail', 'end', 'drop', 'dead', 'sign'].filter((name) => possible.includes(name));
  return settling.flatMap((first) =>
    ['stop', 'restart', 'other', 'suspend'].flatMap((second) =>
      [0, 1, 2, 3].map((microtasks) => `${first}~${microtasks} ${second}`),
    ),
  );
}

interface WrittenStep {
  name: string;
  misdeed: string | undefined;
  microtasks: number | undefined;
}

/** Reads one step: `name`, `name!place=misdeed`, with `~n` behind it if the next one comes `n` microtasks later. */
function parseStep(text: string): WrittenStep {
  const [, name = '', misdeed, microtasks] = /^(\w+)(?:!([\w=-]+))?(?:~(\d+))?$/u.exec(text) ?? [];
  if (!Object.hasOwn(STEPS, name)) throw new Error(`expected a step, such as ${stepNames.join(', ')}; got ${text}`);
  return { name, misdeed, microtasks: microtasks === undefined ? undefined : Number(microtasks) };
}

/**
 * Takes steps that are written with spaces between them, all in one turn, and lets everything settle. Returns the name of the step
 * if it was one, it was possible, and no user code misbehaved.
 */
export async function take(world: World, text: string): Promise<string | undefined> {
  const steps = text.split(' ').map(parseStep);
  let plain: string | undefined;
  for (const { name, misdeed, microtasks = 0 } of steps) {
    world.beginStep(misdeed === undefined ? undefined : parseMisdeed(misdeed));
    const { isPossible = () => true, act } = STEPS[name] as Step;
    if (!isPossible(world)) continue;
    await act(world);
    for (let i = 0; i < microtasks; i++) await undefined;
    if (steps.length === 1 && misdeed === undefined) plain = name;
  }
  await world.clock.settle();
  return plain;
}
