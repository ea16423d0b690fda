/** Builds the package, unless what was built is newer than what it is made of. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = ['src', 'machines', 'scripts', 'tsup.config.ts', 'package.json'];

/** The program as built: a path. Builds it if need be. */
export function buildCli(): string {
  const cli = `${ROOT}dist/cli/main.js`;
  const newest = Math.max(...SOURCES.map((source) => modifiedAt(ROOT + source)));
  if (!existsSync(cli) || statSync(cli).mtimeMs < newest) execFileSync('npx', ['tsup'], { cwd: ROOT, stdio: 'pipe' });
  return cli;
}

function modifiedAt(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => modifiedAt(`${path}/${name}`)));
}
