/** The ways to end a walk: from any state, each of them must be possible. */
import { strict as assert } from 'node:assert';
import { rehydrate } from '../strict-mode';
import { check, checkGone } from './invariants';
import { isAbandoned } from './questions';
import { World } from './world';

/** The actor is stopped; and then everything that it had asked is answered after all. */
async function stopForGood(world: World): Promise<void> {
  world.beginStep();
  world.actor.stop();
  checkGone(world);
  await world.clock.settle();
  for (const attempt of world.attempts.filter(isAbandoned)) world.connectWith(attempt);
  for (const question of [...world.probes, ...world.signs]) question.reject(new Error('gone'));
  for (const { end } of world.sessions) end.reject(new Error('gone'));
  for (const { send } of world.watchers) send({ type: 'wake' });
  await world.clock.advance(10_000);
  checkGone(world);
}

/** H no dead end: where everything works again, it connects by itself; from a rest, when it is asked to. */
async function recover(world: World): Promise<void> {
  world.beginStep();
  world.tell('online');
  world.tell('resume');
  await world.clock.settle();
  let wasAsked = false;
  for (let i = 0; world.value !== 'connected'; i++) {
    assert.ok(i < 20, `H it does not connect: it is ${world.value}`);
    const { attempt, clock } = world;
    if (attempt !== undefined) world.connectWith(attempt);
    else if (clock.nextAt !== undefined) await clock.advanceTo(clock.nextAt);
    else {
      assert.ok(
        !wasAsked && (world.value === 'idle' || world.value === 'failed'),
        `H a dead end: it is ${world.value}`,
      );
      wasAsked = true;
      world.beginWindow();
      world.send('start');
    }
    await clock.settle();
    check(world);
  }
  await stopForGood(world);
}

/** What React's StrictMode does. */
async function startSameObjectAgain(world: World): Promise<void> {
  world.beginStep();
  // Every timer begins anew.
  world.isTimeTrue = false;
  rehydrate(world.actor);
  world.start();
  await world.clock.settle();
  check(world);
  await recover(world);
}

/** The snapshot is saved as JSON, and the connection goes on in another process, at once or a little later. */
const goOnElsewhere =
  (away: number) =>
  async (world: World): Promise<void> => {
    world.beginStep();
    const { value, context } = world;
    const now = world.clock.now();
    const snapshot: unknown = JSON.parse(JSON.stringify(world.actor.getPersistedSnapshot()));
    await stopForGood(world);

    const next = new World(world.set, { snapshot, later: now + away });
    // How long it was tried before is not known here.
    next.windowFrom = Number.NEGATIVE_INFINITY;
    next.attemptsInWindow = Number.POSITIVE_INFINITY;
    next.start();
    assert.equal(next.value, value === 'connected' ? 'connecting' : value, 'the state it goes on from');
    assert.equal(next.context.gaveUp, context.gaveUp, 'why it gave up');
    assert.equal(next.context.input, context.input, 'the input');
    if (context.retryAt !== undefined) {
      const left = Math.max(0, context.retryAt - now - away);
      const { policy, retryStart } = next.context;
      const end = policy.deadline === 'strict' ? retryStart + policy.timeout : Number.POSITIVE_INFINITY;
      assert.equal(next.context.retryAt, Math.min(left, end), 'the wait is shorter by the time away');
    }
    await next.clock.settle();
    check(next);
    await recover(next);
  };

const WAYS_OUT: Readonly<Record<string, (world: World) => Promise<void>>> = {
  '>stop': stopForGood,
  '>recover': recover,
  '>strict-mode': startSameObjectAgain,
  '>restore': goOnElsewhere(0),
  '>restore-later': goOnElsewhere(800),
};

/** As they are written at the end of a path. */
export const waysOut: readonly string[] = Object.keys(WAYS_OUT);

/** Leaves `world` the way that is written as `text`. */
export async function leave(world: World, text: string): Promise<void> {
  const wayOut = WAYS_OUT[text];
  if (wayOut === undefined) throw new Error(`expected a way out: ${waysOut.join(', ')}; got ${text}`);
  await wayOut(world);
}
