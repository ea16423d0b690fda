import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the soak, and returns what it printed. It rejects when the soak found fault. */
async function runSoak(...args: string[]): Promise<string> {
  const command = ['--expose-gc', '--import', 'tsx', 'bench/soak.ts', ...args];
  return (await promisify(execFile)(process.execPath, command, { cwd: root })).stdout;
}

it.each(['memory', 'tcp'])(
  'O5, C9 reconnects over %s leave no timer, listener, session or handle behind',
  async (kind) => {
    const printed = await runSoak('--transport', kind, '--reconnects', '1000');
    const rows = [...printed.matchAll(/^\| (\d+) \|/gmu)].map(([, reconnects]) => Number(reconnects));
    expect(rows).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1000]);
    expect(printed).toMatch(/^\| 1000 \| [\d.]+ \| 0 \| 0 \| 0 \| \d+ \| 0 \|$/mu);
  },
);

it('refuses options it does not know, by name', async () => {
  await expect(runSoak('--transport', 'udp')).rejects.toMatchObject({
    code: 2,
    stderr: '--transport: expected memory or tcp, got "udp"\n',
  });
  await expect(runSoak('--reconnects', '1')).rejects.toMatchObject({
    code: 2,
    stderr: '--reconnects: expected a whole number from 10 to 10000000, got "1"\n',
  });
});
