/** Other versions of Node, from the npm registry. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The path of Node `major`: the one that runs this, or one that npx fetches. Throws when what it gets is another one. */
export async function nodeOf(major: number): Promise<string> {
  if (process.version.startsWith(`v${major}.`)) return process.execPath;
  const npx = ['-y', '--prefer-offline', '-p', `node@${major}`, 'node', '-p', 'process.execPath'];
  // Away from any project, whose own packages npx would look at first.
  const node = (await run('npx', npx, { cwd: tmpdir() })).stdout.trim();
  const { stdout } = await run(node, ['--version']);
  if (!stdout.startsWith(`v${major}.`))
    throw new Error(`expected Node ${major} from npx, got ${stdout.trim()} at ${node}`);
  return node;
}
