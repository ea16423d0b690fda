/** A command: runs many random schedules, or walks one path again. See CONTRIBUTING.md. */
import { parseArgs } from 'node:util';
import { optionSets } from './support/adversary/option-sets';
import { runSchedules } from './support/adversary/schedules';
import { type Path, walk } from './support/adversary/walk';

const USAGE = `npm run test:schedules -- [--runs <count>] [--seed <number>] [--set <name>]
npm run test:schedules -- --replay "<set>: <step>, <step>, ..."`;

/** How many schedules are run between two lines that are printed. */
const CHUNK = 10_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    set: { type: 'string' },
    replay: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

try {
  if (values.help) console.log(USAGE);
  else if (values.replay !== undefined) await replay(values.replay);
  else await runAll(count('runs', values.runs), count('seed', values.seed));
} catch (error) {
  // What is uncaught is collected here, and would not be seen.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function count(name: string, text: string): number {
  const number = Number(text.replaceAll('_', ''));
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name}: expected a whole number, got ${text}\n${USAGE}`);
}

function setsNamed(name: string | undefined): typeof optionSets {
  const named = optionSets.filter((set) => name === undefined || set.name === name);
  if (named.length > 0) return named;
  throw new Error(`expected one of ${optionSets.map((set) => set.name).join(', ')}; got ${name}\n${USAGE}`);
}

/** Runs `runs` schedules, as many with each option set. */
async function runAll(runs: number, seed: number): Promise<void> {
  const sets = setsNamed(values.set);
  const began = performance.now();
  let done = 0;
  let steps = 0;
  for (let chunk = 0; done < runs; chunk++) {
    for (const set of sets) {
      const wanted = Math.min(Math.ceil(Math.min(CHUNK, runs) / sets.length), runs - done);
      const report = await runSchedules(set, { runs: wanted, seed: seed + chunk });
      done += report.runs;
      steps += report.steps;
    }
    const seconds = Math.round((performance.now() - began) / 1_000);
    console.log(`${done} of ${runs} schedules, ${steps} steps, ${seconds}s; every promise holds (seed ${seed})`);
  }
}

/** Walks a path that was printed, and prints where each of its steps leads. */
async function replay(text: string): Promise<void> {
  const [, name, list = ''] = /^([\w-]+): *(.*)$/su.exec(text) ?? [];
  const path: Path = list.split(',').map((step) => step.trim());
  for (const set of setsNamed(name ?? text)) {
    for (let length = 1; length <= path.length; length++) {
      const { world } = await walk(set, path.slice(0, length));
      console.log(`${path[length - 1]}: ${world.value} at ${world.clock.now()}ms`, JSON.stringify(world.context));
    }
  }
}
