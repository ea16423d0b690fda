/** Puts ours and its peers through the same faults and prints what was seen, as Markdown. Times decide nothing; counts do. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Contender, contenders } from './contenders';
import { type Outcome, type Scenario, scenarios } from './scenarios';
import { Stage } from './stage';

interface Selection {
  scenarios: readonly Scenario[];
  isSelected: (contender: Contender) => boolean;
}

/** Reads `--scenario A1 --peer partysocket`, each as often as wanted; without them, all. */
function readSelection(args: readonly string[]): Selection {
  const { values } = parseArgs({
    args: [...args],
    options: { scenario: { type: 'string', multiple: true }, peer: { type: 'string', multiple: true } },
  });
  const ids = scenarios.map(({ id }) => id);
  const peers = contenders.map(({ name }) => name);
  refuseUnknown('--scenario', values.scenario, ids);
  refuseUnknown('--peer', values.peer, peers);
  return {
    scenarios: scenarios.filter(({ id }) => values.scenario?.includes(id) ?? true),
    isSelected: ({ name }) => values.peer?.some((peer) => name.startsWith(peer)) ?? true,
  };
}

function refuseUnknown(flag: string, given: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = given?.find((value) => !known.includes(value));
  if (unknown === undefined) return;
  throw new Error(`${flag}: expected one of ${known.join(', ')}, got ${JSON.stringify(unknown)}`);
}

async function play(scenario: Scenario, contender: Contender): Promise<Outcome> {
  const stage = await Stage.open(contender);
  try {
    return await scenario.play(stage);
  } finally {
    await stage.close();
  }
}

/** The version of an npm package as it is installed. */
function versionOf(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

let selection: Selection;
try {
  selection = readSelection(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}

const packages = new Set(contenders.filter(selection.isSelected).flatMap(({ from }) => from ?? []));
const versions = [...packages, 'ws'].map((name) => `${name} ${versionOf(name)}`);
console.log(`Node ${process.version}, ${process.platform} ${process.arch}; ${versions.join(', ')}\n`);
console.log('| scenario | peer | seen | |');
console.log('| --- | --- | --- | --- |');
for (const scenario of selection.scenarios) {
  const running = scenario.contenders.filter(selection.isSelected);
  // Side by side, each with a server and a process of its own.
  const outcomes = await Promise.all(running.map((contender) => play(scenario, contender)));
  for (const [i, { seen, verdict }] of outcomes.entries()) {
    const shown = verdict === 'held' ? '**held**' : verdict;
    console.log(`| ${scenario.id} | ${running[i]?.name} | ${seen} | ${shown} |`);
  }
}

console.log('\nHeld means:\n');
for (const { id, title, criterion } of selection.scenarios) console.log(`- **${id}**, ${title}: ${criterion}.`);
