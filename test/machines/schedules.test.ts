/** Random schedules of all that can happen, in any order and in any turn, with user code and an environment at their worst. */
import { describe, expect, it } from 'vitest';
import { optionSets } from '../support/adversary/option-sets';
import { runSchedules } from '../support/adversary/schedules';
import '../support/unhandled';

/** In all. Less where the same chart is tested once more; more by `npm run test:schedules`. */
const RUNS = Number(process.env['SCHEDULES'] ?? 10_000);

describe('random schedules', { timeout: 600_000 }, () => {
  it.each(optionSets)('O1-O4 C1-C3 D1-D5 H I what must hold, holds: $name', async (set) => {
    const { runs, turns, pairs } = await runSchedules(set, {
      runs: Math.ceil(RUNS / optionSets.length),
      // The same ones each time, so that what fails here fails anywhere. The command draws others.
      seed: 1,
    });
    console.log(`${set.name}: ${runs} schedules, ${turns} turns, ${pairs} pairs of a state and a step`);
    expect(turns).toBeGreaterThan(runs * 5);
    expect(pairs).toBeGreaterThan(Math.min(runs, 100));
  });
});
