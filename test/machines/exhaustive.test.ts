/** All that can happen: every step out of every state, to a depth, and every way out, with user code and an environment at their worst. */
import { describe, expect, it } from 'vitest';
import { reconnectStates } from '../../machines/vocabulary';
import { type Exploration, explore } from '../support/adversary/explorer';
import { misdeedsAt, places } from '../support/adversary/misdeeds';
import { optionSets } from '../support/adversary/option-sets';
import '../support/unhandled';

/** Less where the same chart is tested with another XState; more by the environment variable. */
const DEPTH = Number(process.env['EXPLORE_DEPTH'] ?? 2);

const PUBLIC_EVENTS = [
  ...['start', 'stop', 'retry', 'restart', 'same', 'other', 'healthy'],
  ...['online', 'offline', 'suspend', 'resume', 'wake'],
];

describe(`the chart explored to ${DEPTH} steps from each of its states`, { timeout: 600_000 }, () => {
  const explored: Exploration[] = [];

  it.each(optionSets)('O1-O4 C1-C3 D1-D5 H I what must hold, holds: $name', async (set) => {
    const exploration = await explore(set, DEPTH);
    const { states, beyond, transitions, misdeeds, races, taken } = exploration;
    console.log(
      `${set.name}: ${states} states (${beyond} seen beyond), ${transitions} transitions,`,
      `of them ${misdeeds} with user code that misbehaves and ${races} races`,
    );
    const everything = reconnectStates.flatMap((state) => PUBLIC_EVENTS.map((event) => `${event} while ${state}`));
    expect([...taken]).toEqual(expect.arrayContaining(everything));
    expect(states).toBeGreaterThanOrEqual(DEPTH > 1 ? 30 : reconnectStates.length);
    expect(transitions).toBeGreaterThanOrEqual(DEPTH > 1 ? 3_000 : 400);
    explored.push(exploration);
  });

  it('O4 every piece of user code did everything that it can do wrong', () => {
    const taken = new Set(explored.flatMap((exploration) => [...exploration.taken]));
    expect([...taken]).toEqual(expect.arrayContaining(places.flatMap(misdeedsAt)));
  });
});
