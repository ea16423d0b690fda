/** What each step must do, when nothing else happens meanwhile. */
import { strict as assert } from 'node:assert';
import type { ReconnectState } from '../../../src/index';
import type { World } from './world';

interface Before {
  readonly value: ReconnectState;
  readonly attempts: number;
}

/** Looks at `world` before a step, and returns how to check what the step called `name` has made of it. */
export function expect(world: World): (name: string) => void {
  const before: Before = { value: world.value, attempts: countAttempts(world) };
  return (name) => EXPECTED[name]?.(before, world, `${name} while ${before.value}`);
}

type Expectation = (before: Before, world: World, moment: string) => void;

/** A rotation is begun when it is due, whatever else happens. */
const countAttempts = ({ attempts }: World): number => attempts.filter(({ args }) => args.reason !== 'rotation').length;

const nothing: Expectation = (before, world, moment) => {
  assert.equal(world.value, before.value, `the state after ${moment}`);
  assert.equal(countAttempts(world), before.attempts, `the attempts after ${moment}`);
};

/** C3 exactly one attempt, at once. */
const dials: Expectation = (before, world, moment) => {
  assert.equal(world.value, 'connecting', `the state after ${moment}`);
  assert.equal(countAttempts(world), before.attempts + 1, `the attempts after ${moment}`);
};

const inStates =
  (states: readonly ReconnectState[], then: Expectation): Expectation =>
  (before, world, moment) =>
    (states.includes(before.value) ? then : nothing)(before, world, moment);

const EXPECTED: Readonly<Record<string, Expectation>> = {
  start: inStates(['idle', 'failed'], dials),
  stop: (_, { value }) => assert.equal(value, 'idle'),
  retry: inStates(['connected', 'backingOff', 'failed'], dials),
  restart: inStates(['connecting', 'connected', 'backingOff', 'failed'], dials),
  same: nothing,
  other: inStates(['connecting', 'connected', 'backingOff', 'failed'], (before, world, moment) => {
    dials(before, world, moment);
    assert.equal(world.attempt?.args.input, world.context.input, 'B6 the attempt is made with the new input');
  }),
  healthy: nothing,
  online: nothing,
  offline: nothing,
  suspend: nothing,
  resume: nothing,
  wake: nothing,
  stale: nothing,
  ok: (_, { value }) => assert.equal(value, 'connected'),
  late: nothing,
  lateFail: nothing,
  lateDrop: nothing,
  lateAlive: nothing,
  lateDead: nothing,
  sign: nothing,
  noSign: nothing,
  lateSign: nothing,
};
