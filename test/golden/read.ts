/** Reads the vectors recorded from the Rust original: from ../shared when it is there, else from the copies beside this file. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function readGolden<T>(file: 'traces.json' | 'durations.json' | 'config.json'): T {
  const shared = fileURLToPath(new URL(`../../../shared/golden/${file}`, import.meta.url));
  const copy = fileURLToPath(new URL(file, import.meta.url));
  return JSON.parse(readFileSync(existsSync(shared) ? shared : copy, 'utf8'));
}
