/** Runs an example as people run it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterTest } from './servers';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ExampleResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `examples/<name>/main.ts` with `args` until it ends by itself. */
export function runExample(name: string, ...args: string[]): Promise<ExampleResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', `examples/${name}/main.ts`, ...args],
      { cwd: ROOT, timeout: 45_000 },
      (_error, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** Serves the page of `examples/<name>` until the test is over; returns its address. */
export async function servePage(name: string): Promise<string> {
  const args = ['--import', 'tsx', 'examples/web/main.ts', name];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  afterTest(async () => {
    child.kill();
    await ended;
  });
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error(`examples/web/main.ts ${name} ended without an address`);
}
