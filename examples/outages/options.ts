/** The demo's command line. */
import { parseArgs } from 'node:util';
import { parseDuration } from '../../machines/duration';
import { MAX_TIMER_MS } from '../../machines/sleep';

export interface Options {
  /** When to end, in ms; undefined runs until Ctrl-C. */
  runFor: number | undefined;
  /** Whether to serve a page on which the connection is seen. */
  inspect: boolean;
}

/**
 * Reads the command line.
 *
 * @throws {Error} saying what was wrong.
 */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { for: { type: 'string' }, inspect: { type: 'boolean', default: false } },
  });
  return {
    runFor: values.for === undefined ? undefined : readDuration('--for', values.for),
    inspect: values.inspect,
  };
}

function readDuration(flag: string, text: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (cause) {
    throw new Error(`${flag}: expected a duration such as 20s or "1m 30s": ${(cause as Error).message}`, { cause });
  }
  if (ms > MAX_TIMER_MS) throw new Error(`${flag}: expected at most 24 days, got ${JSON.stringify(text)}`);
  return ms;
}
