/** What the chart itself costs: cycles over in-memory sessions, with no network, against a bare async loop. */
import { originBackoff, type ReconnectClock, reconnect } from '../src/index';
import { createScriptedSession } from '../src/testing/index';

/** How a loop passes through a macrotask between two sessions. */
interface Turn {
  name: string;
  clock: ReconnectClock;
}

const now = (): number => performance.now();

const turns: readonly Turn[] = [
  {
    name: 'setTimeout 0 (what the chart does by itself)',
    clock: { now, setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
  },
  {
    // Node makes 1 ms of a setTimeout of 0, which hides the rest.
    name: 'setImmediate (an injected clock)',
    clock: {
      now,
      setTimeout: (callback) => setImmediate(callback),
      clearTimeout: (timer) => clearImmediate(timer as NodeJS.Immediate),
    },
  },
];

async function runChart(cycles: number, clock: ReconnectClock): Promise<void> {
  await new Promise<void>((resolve) => {
    let left = cycles;
    const connection = reconnect({
      connect: () => createScriptedSession(),
      backoff: originBackoff,
      clock,
      autoStart: false,
    });
    connection.actor.on('connected', () => {
      left -= 1;
      if (left > 0) return connection.session?.end();
      connection.stop();
      resolve();
    });
    connection.actor.send({ type: 'start' });
  });
}

async function runBareLoop(cycles: number, clock: ReconnectClock): Promise<void> {
  const connect = async () => createScriptedSession();
  for (let left = cycles; left > 0; left -= 1) {
    const session = await connect();
    session.end();
    await session.closed;
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 0));
  }
}

export interface MemoryResult {
  turn: string;
  /** Cycles per second. */
  chart: number;
  bare: number;
}

/** Measures `cycles` cycles of each, one after the other, per kind of {@link Turn}. */
export async function measureMemory(cycles: number): Promise<MemoryResult[]> {
  const results: MemoryResult[] = [];
  for (const { name, clock } of turns) {
    const rate = async (run: typeof runChart): Promise<number> => {
      await run(Math.ceil(cycles / 10), clock);
      const start = now();
      await run(cycles, clock);
      return cycles / ((now() - start) / 1_000);
    };
    results.push({ turn: name, bare: await rate(runBareLoop), chart: await rate(runChart) });
  }
  return results;
}
