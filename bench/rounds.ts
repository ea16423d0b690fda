/** How many rounds a bench is asked for on its command line. */
import { parseArgs } from 'node:util';

/** Reads `--rounds`, which is `byDefault` unless given; says what is wrong with another number and exits with 2. */
export function readRounds({ byDefault, max }: { byDefault: number; max: number }): number {
  try {
    const { values } = parseArgs({ options: { rounds: { type: 'string', default: String(byDefault) } } });
    const rounds = Number(values.rounds);
    if (Number.isInteger(rounds) && rounds >= 1 && rounds <= max) return rounds;
    throw new Error(`--rounds: expected a whole number from 1 to ${max}, got ${JSON.stringify(values.rounds)}`);
  } catch (error) {
    console.error((error as Error).message);
    return process.exit(2);
  }
}
