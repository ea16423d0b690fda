/** A command: runs many random schedules, explores the chart deeply, or walks one path again. See CONTRIBUTING.md. */
import { parseArgs } from 'node:util';
import { explore } from './support/adversary/explorer';
import { optionSets } from './support/adversary/option-sets';
import { runSchedules } from './support/adversary/schedules';
import { BrokenPromiseError, walk } from './support/adversary/walk';

const COMMAND = 'npm run test:schedules --';
const USAGE = `${COMMAND} [--runs <count>] [--seed <number>] [--set <name>]
${COMMAND} --explore <depth> [--set <name>]
${COMMAND} --replay "<set>: <step>, <step>, ..."`;

/** How many schedules are run between two lines that are printed. */
const CHUNK = 10_000;

try {
  await main();
} catch (error) {
  // What is uncaught is collected here, and would not be seen.
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof BrokenPromiseError) console.error(`Step by step: ${COMMAND} --replay "${error.walk}"`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      set: { type: 'string' },
      explore: { type: 'string' },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const sets = setsNamed(values.set);
  if (values.help) console.log(USAGE);
  else if (values.replay !== undefined) await replay(values.replay);
  else if (values.explore !== undefined) await exploreAll(sets, count('explore', values.explore));
  else await runAll(sets, count('runs', values.runs), count('seed', values.seed));
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
async function runAll(sets: typeof optionSets, runs: number, seed: number): Promise<void> {
  const began = performance.now();
  const share = Math.ceil(Math.min(CHUNK, runs) / sets.length);
  let done = 0;
  let turns = 0;
  while (done < runs) {
    for (const set of sets) {
      const report = await runSchedules(set, { runs: Math.min(share, runs - done), seed: seed + done });
      done += report.runs;
      turns += report.turns;
    }
    const seconds = Math.round((performance.now() - began) / 1_000);
    console.log(`${done} of ${runs} schedules, ${turns} turns, ${seconds}s: every promise holds (--seed ${seed})`);
  }
}

async function exploreAll(sets: typeof optionSets, depth: number): Promise<void> {
  for (const set of sets) {
    const { states, beyond, transitions, misdeeds, races } = await explore(set, depth);
    console.log(
      `${set.name}: every promise holds; ${states} states (${beyond} seen beyond), ${transitions} transitions,`,
      `of them ${misdeeds} with user code that misbehaves and ${races} races`,
    );
  }
}

/** Walks a path that was printed, and prints where each of its turns leads. */
async function replay(text: string): Promise<void> {
  const [, name, list] = /^([\w-]+): *(.+)$/su.exec(text) ?? [];
  if (list === undefined) throw new Error(`--replay: expected "set: step, step, ...", got ${text}`);
  const path = list.split(',').map((turn) => turn.trim());
  for (const set of setsNamed(name)) {
    for (const [i, turn] of path.entries()) {
      const { world } = await walk(set, path.slice(0, i + 1));
      console.log(`${turn}: ${world.value} at ${world.clock.now()}ms`, JSON.stringify(world.context));
    }
  }
}
