/** Walks through what can happen to one connection, step by step, each followed by a look at what must hold. */
import { expect } from './expectations';
import { check } from './invariants';
import type { OptionSet } from './option-sets';
import { take } from './steps';
import { leave } from './ways-out';
import { World } from './world';

/** The steps from the start, as they are written; several in one turn have spaces between them. A way out may be the last one. */
export type Path = readonly string[];

export interface Walk {
  readonly world: World;
  readonly path: string[];
}

/**
 * What every walk begins with, in one turn. It leaves an attempt that was abandoned, and a session whose other side does not know that
 * it was closed.
 */
const PAST = 'start ok~9 restart stop';

/** Walks along `path` in a new world. Throws when something does not hold. */
export async function walk(set: OptionSet, path: Path): Promise<Walk> {
  const world = new World(set);
  world.start();
  await world.clock.settle();
  check(world);
  const walked: Walk = { world, path: [] };
  await go(walked, PAST);
  walked.path.length = 0;
  for (const text of path) await go(walked, text);
  return walked;
}

/** Goes on by one step, or by several in one turn, or takes a way out. */
export async function go({ world, path }: Walk, text: string): Promise<void> {
  path.push(text);
  if (text.startsWith('>')) return leave(world, text);
  const checkStep = expect(world);
  const name = await take(world, text);
  check(world);
  if (name !== undefined) checkStep(name);
}

/** A promise that does not hold. */
export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError';

  constructor(
    /** The shortest walk there that was found: `set: step, step, ...`. */
    readonly walk: string,
    cause: unknown,
  ) {
    super(`${(cause as Error).message}\nafter ${walk}`, { cause });
  }
}

/** Leaves out of `path` what it fails without. */
export async function shorten(set: OptionSet, path: Path, error: unknown): Promise<BrokenPromiseError> {
  let shortest = path;
  let cause = error;
  const fails = async (shorter: Path): Promise<boolean> => {
    try {
      await walk(set, shorter);
      return false;
    } catch (because) {
      shortest = shorter;
      cause = because;
      return true;
    }
  };
  for (let i = path.length - 1; i >= 0; i--) {
    for (const turns of simpler(path[i] as string)) {
      if (await fails([...path.slice(0, i), ...turns, ...shortest.slice(i + 1)])) break;
    }
  }
  return new BrokenPromiseError(`${set.name}: ${shortest.join(', ')}`, cause);
}

/** What may do in place of `turn`: nothing, one of its steps, one after the other, and the same without misdeeds. */
function simpler(turn: string): Path[] {
  const steps = turn.split(' ').map((step) => step.replace(/~\d+$/u, ''));
  const honest = (step: string): string => step.replaceAll(/![\w=-]+/gu, '');
  const instead = [[], ...steps.map((step) => [honest(step)]), ...steps.map((step) => [step]), steps, [honest(turn)]];
  return instead.filter((turns) => turns.join() !== turn);
}
