import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { scenarios } from '../../bench/faults/scenarios';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The rows of the table in what the bench printed, as cells. */
function readTable(text: string): string[][] {
  return [...text.matchAll(/^\| ([A-Z]\d?) \| (.*) \| (.*) \| (.*) \|$/gmu)].map(([, ...cells]) => cells);
}

/** Runs the bench, and returns the rows of its table. */
async function runBench(...args: string[]): Promise<string[][]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/faults/main.ts', ...args], {
    cwd: root,
  });
  return readTable(stdout);
}

it('A1, C4 the bench runs against real servers: ours holds, and a peer is judged by the same criterion', async () => {
  const peer = 'socket.io-client';
  const rows = await runBench('--scenario', 'A1', '--scenario', 'C4', '--peer', 'xstate-reconnect', '--peer', peer);
  const [A1, A1Peer, C4, C4Peer] = rows;
  expect(A1).toEqual(['A1', 'xstate-reconnect', expect.stringMatching(/^[2-6] dials in 6 s/u), '**held**']);
  expect(C4).toEqual(['C4', 'xstate-reconnect', '1 dial in 1 s', '**held**']);
  for (const row of [A1Peer, C4Peer]) {
    expect(row?.slice(1)).toEqual([
      peer,
      expect.stringMatching(/^\d+ dials? in/u),
      expect.stringMatching(/held|fell/u),
    ]);
  }
  expect(rows).toHaveLength(4);
});

it('refuses a scenario and a peer that it does not know, by name', async () => {
  await expect(runBench('--scenario', 'Z9')).rejects.toMatchObject({
    code: 2,
    stderr: '--scenario: expected one of A1, C3, C4, E, G1, got "Z9"\n',
  });
  await expect(runBench('--peer', 'nobody')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/nobody/u),
  });
});

it('docs/compare.md shows every scenario with every peer and the criterion of each, and ours holds in all', () => {
  const text = readFileSync(`${root}docs/compare.md`, 'utf8');
  const shown = readTable(text).map(([id, name]) => [id, name]);
  expect(shown).toEqual(scenarios.flatMap(({ id, contenders }) => contenders.map(({ name }) => [id, name])));
  const ours = readTable(text).filter(([, name]) => name === 'xstate-reconnect');
  expect(ours.map((cells) => cells.at(-1))).toEqual(scenarios.map(() => '**held**'));
  for (const { criterion } of scenarios) expect(text.replace(/\s+/gu, ' ')).toContain(criterion);
});
