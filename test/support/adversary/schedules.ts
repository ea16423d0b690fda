/** Random schedules: long sequences of everything that can happen, in any order and in any turn. */
import fc from 'fast-check';
import { misdeedsAt, places } from './misdeeds';
import type { OptionSet } from './option-sets';
import { stepNames } from './steps';
import { go, type Path, shorten, walk } from './walk';
import { waysOut } from './ways-out';

export interface Schedules {
  runs: number;
  /** How many turns there were in all, of one step or of several. */
  turns: number;
  /** How many pairs of a state and a step out of it there were. */
  pairs: number;
}

/** The steps without which nothing gets far come more often. */
const WEIGHTS: Readonly<Record<string, number>> = { start: 3, ok: 6, fail: 4, next: 6, little: 3, stop: 0.5 };

/** Mostly nothing; else one of `texts`. */
const sometimes = (weight: number, texts: readonly string[]) =>
  fc.oneof({ arbitrary: fc.constant(''), weight }, { arbitrary: fc.constantFrom(...texts), weight: 1 });

const name = fc.oneof(...stepNames.map((text) => ({ arbitrary: fc.constant(text), weight: 2 * (WEIGHTS[text] ?? 1) })));
const misdeed = sometimes(
  5,
  places.flatMap(misdeedsAt).map((text) => `!${text}`),
);
const microtasks = sometimes(4, ['~0', '~1', '~2', '~3', '~4']);

/** As {@link Path} has it: steps in one turn have spaces between them, and the last one is a way out. */
const steps = fc.array(fc.tuple(name, misdeed, microtasks), { minLength: 1, maxLength: 24, size: 'max' });
const path = fc.tuple(steps, fc.constantFrom(...waysOut)).map(([list, wayOut]): Path => {
  const turns = list.map((parts) => parts.join('') + (parts[2] === '' ? ',' : ' ')).join('');
  return [
    ...turns
      .split(',')
      .map((turn) => turn.trim())
      .filter(Boolean),
    wayOut,
  ];
});

/** Runs that many schedules with `set`. Throws a {@link BrokenPromiseError} when something does not hold. */
export async function runSchedules(set: OptionSet, { runs, seed }: { runs: number; seed: number }): Promise<Schedules> {
  const report: Schedules = { runs, turns: 0, pairs: 0 };
  const pairs = new Set<string>();
  const play = async (steps: Path): Promise<void> => {
    const walked = await walk(set, []);
    for (const text of steps) {
      for (const name of text.match(/(?<=^| )\w+/gu) ?? []) pairs.add(`${walked.world.value} ${name}`);
      await go(walked, text);
      report.turns += 1;
    }
  };
  // What a schedule breaks is shortened here, as the explorer's walks are: it knows what steps are made of.
  const options = { numRuns: runs, seed, endOnFailure: true };
  const { counterexample, errorInstance } = await fc.check(fc.asyncProperty(path, play), options);
  if (counterexample !== null) throw await shorten(set, counterexample[0], errorInstance);
  report.pairs = pairs.size;
  return report;
}
