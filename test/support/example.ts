/** Runs an example as people run it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

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
