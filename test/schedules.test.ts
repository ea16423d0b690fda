/** The command that CONTRIBUTING.md tells of. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', 'test/schedules.ts', ...args], { cwd });

describe('npm run test:schedules', () => {
  it('runs as many schedules as asked for, and says how to repeat them', async () => {
    const { stdout } = await run('--runs', '20', '--seed', '7');
    expect(stdout).toMatch(/^20 of 20 schedules, \d+ turns, \d+s: every promise holds \(--seed 7\)\n$/u);
  });

  it('walks a path again', async () => {
    const { stdout } = await run('--replay', 'rotation: start, ok~1 stop, >stop');
    expect(stdout.split('\n').map((line) => line.replace(/ms .*/u, 'ms'))).toEqual([
      'start: connecting at 0ms',
      'ok~1 stop: idle at 0ms',
      '>stop: idle at 10000ms',
      '',
    ]);
  });

  it.each([
    [['--runs', 'many'], '--runs: expected a whole number, got many'],
    [['--set', 'other'], 'expected one of origin, '],
    [['--replay', 'origin: jump'], 'expected a step, such as start, '],
  ])('%j is refused', async (args, problem) => {
    await expect(run(...args)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(problem),
    });
  });
});
