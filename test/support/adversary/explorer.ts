/** Explores all that can happen to a connection: every step out of every state, and every way out. */
import { strict as assert } from 'node:assert';
import { misdeedsAt } from './misdeeds';
import type { OptionSet } from './option-sets';
import { isOpen } from './questions';
import { possibleSteps, races } from './steps';
import { go, type Path, shorten, type Walk, walk } from './walk';
import { waysOut } from './ways-out';
import type { World } from './world';

export interface Exploration {
  /** The states out of which every step was taken. */
  states: number;
  /** The states that were seen beyond those, out of which nothing was tried. */
  beyond: number;
  /** The steps that were taken out of the states. */
  transitions: number;
  /** Of those, the ones in which user code misbehaved, and the ones that were two things in one turn. */
  misdeeds: number;
  races: number;
  /** Each step in each state of the chart that it was taken in, such as `stop while connected`, and each misdeed. */
  taken: Set<string>;
}

interface State {
  readonly key: string;
  /** What may be the shortest path to it, and one that surely leads there. */
  short: Path;
  readonly sure: Path;
  distance: number;
  /** The steps out of it that were not taken yet. */
  readonly todo: string[];
  /** Where steps led, and one that did. */
  readonly leads: Map<State, string>;
  /** Which user code has misbehaved on the way to which state. */
  readonly spoilt: Set<string>;
}

/** How many steps a walk goes on: long ones are slow to check, and hard to read. */
const LONGEST = 60;

/** How far a walk goes to a state with something left to do, before another one begins. */
const NEAR = 4;

/** A first encounter with each state of the chart. */
const rootsOf = ({ wayToFailed = ['start', 'fail', 'night'] }: OptionSet): readonly Path[] => [
  [],
  ['start'],
  ['start', 'ok'],
  ['start', 'fail'],
  wayToFailed,
];

/** Explores what can happen within `depth` steps of each state of the chart. Throws a {@link BrokenPromiseError} when something does not hold. */
export async function explore(set: OptionSet, depth: number): Promise<Exploration> {
  const states = new Map<string, State>();
  const taken = new Set<string>();
  const report: Exploration = { states: 0, beyond: 0, transitions: 0, misdeeds: 0, races: 0, taken };
  const hasMore = ({ todo, distance }: State): boolean => todo.length > 0 && distance < depth;

  const arrive = ({ world, path }: Walk, short: Path): State => {
    const key = keyOf(world);
    const known = states.get(key);
    if (known !== undefined) return known;
    const possible = possibleSteps(world);
    const state: State = {
      key,
      short,
      sure: [...path],
      distance: Number.POSITIVE_INFINITY,
      todo: [...possible, ...races(possible)],
      leads: new Map(),
      spoilt: new Set(),
    };
    states.set(key, state);
    return state;
  };

  for (const root of rootsOf(set)) {
    const walked = await walk(set, root);
    bringNearer(arrive(walked, root), 0);
    walked.world.actor.stop();
  }
  let now = await walk(set, []);
  let end = LONGEST;
  let travelled = 0;
  let state: State | undefined = arrive(now, []);
  while (state !== undefined) {
    const from: State = state;
    const isNew = hasMore(from);
    // On with what is left to do here; or to a state nearby where something is; or to any such state, from the start.
    const goesOn = now.path.length < end && (isNew || travelled < NEAR);
    const step = !goesOn ? undefined : isNew ? from.todo.shift() : stepTowards(from, hasMore);
    travelled = isNew ? 0 : travelled + 1;
    if (step === undefined) {
      now.world.actor.stop();
      state = [...states.values()].find(hasMore);
      if (state !== undefined) now = await reach(set, state);
      end = now.path.length + LONGEST;
      travelled = 0;
      continue;
    }
    const { value } = now.world;
    await goOn(set, now, step);
    state = arrive(now, [...from.short, step]);
    from.leads.set(state, step);
    bringNearer(state, from.distance + 1);
    if (!isNew) continue;
    report.transitions += 1;
    const [name, misdeed] = step.split('!');
    taken.add(misdeed ?? `${name} while ${value}`);
    if (misdeed !== undefined) report.misdeeds += 1;
    else if (step.includes(' ')) report.races += 1;
    else from.todo.push(...spoil(from, step, state, now.world));
  }

  const explored = [...states.values()].filter(({ distance }) => distance < depth);
  for (const last of explored) {
    for (const wayOut of waysOut) await goOn(set, await reach(set, last), wayOut);
  }
  report.states = explored.length;
  report.beyond = states.size - explored.length;
  return report;
}

/** There is a path of `distance` steps to `state`. */
function bringNearer(state: State, distance: number): void {
  if (distance >= state.distance) return;
  state.distance = distance;
  for (const next of state.leads.keys()) bringNearer(next, distance + 1);
}

/** The first step on the shortest path from `start` to a state that `isWanted`; undefined if none is near. */
function stepTowards(start: State, isWanted: (state: State) => boolean): string | undefined {
  const seen = new Set([start]);
  let ends = [...start.leads];
  for (let distance = 0; distance < NEAR; distance++) {
    const further: typeof ends = [];
    for (const [state, step] of ends) {
      if (isWanted(state)) return step;
      if (seen.has(state)) continue;
      seen.add(state);
      for (const next of state.leads.keys()) further.push([next, step]);
    }
    ends = further;
  }
  return undefined;
}

/** The step again, for each misdeed of the user code it calls; but only once for each way between two states. */
function spoil(from: State, step: string, to: State, { called }: World): string[] {
  return [...called].flatMap((place) => {
    const way = `${place} ${to.key}`;
    if (from.spoilt.has(way)) return [];
    from.spoilt.add(way);
    return misdeedsAt(place).map((misdeed) => `${step}!${misdeed}`);
  });
}

/** A new walk to `state`. */
async function reach(set: OptionSet, state: State): Promise<Walk> {
  const short = await walk(set, state.short);
  if (keyOf(short.world) === state.key) return short;
  short.world.actor.stop();
  state.short = state.sure;
  const sure = await walk(set, state.sure);
  assert.equal(keyOf(sure.world), state.key, 'a walk can be repeated');
  return sure;
}

async function goOn(set: OptionSet, walked: Walk, step: string): Promise<void> {
  try {
    await go(walked, step);
  } catch (error) {
    throw await shorten(set, walked.path, error);
  }
}

/** What decides about what can happen next, as far as it is told apart here. */
function keyOf({ value, context, clock, policy, set, network, frozen, isDeaf, attempt, probes, signs }: World): string {
  const now = clock.now();
  const left = context.retryStart + policy.timeout - now;
  const {
    attempt: count,
    delay,
    waitReason,
    reason,
    online,
    suspended,
    refreshed,
    healthy,
    connectedAt = now,
  } = context;
  return [
    value,
    Math.min(count, policy.maxAttempts || 2),
    delay,
    waitReason === 'retry-after' || waitReason === 'suspended' ? waitReason : '',
    reason === 'retry',
    set.environment === true && [online, network, frozen, isDeaf],
    suspended,
    refreshed,
    healthy,
    now - connectedAt >= policy.minUptime,
    left > 0 && (left > delay ? 'long' : 'short'),
    clock.pending,
    (clock.nextAt ?? now) - now > 1_000,
    attempt !== undefined,
    probes.some(isOpen),
    signs.some(isOpen),
  ].join();
}
