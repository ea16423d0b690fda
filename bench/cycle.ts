/** One reconnect cycle, from the moment the server cuts the line until the client is connected again: ours and its peers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { measureMemory } from './memory';
import { type Loopback, startLoopback } from './network';
import { type Peer, peers } from './peers';
import { readRounds } from './rounds';
import { median, percentile } from './statistics';

const WARM_UP_ROUNDS = 20;
const MAX_ROUNDS = 5_000;
/** Stops here however many rounds are left. */
const BUDGET_MS = 40_000;
/** A peer that is not back by now will not come back. */
const STUCK_MS = 5_000;
const MEMORY_CYCLES = 2_000;

/** A peer that runs: `opened` resolves the next time it is connected. */
interface Runner extends Peer {
  times: number[];
  opened: () => Promise<void>;
  stop: () => void;
}

function startPeer(peer: Peer, network: Loopback): Runner {
  let wake = (): void => {};
  const opened = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const stuck = setTimeout(() => reject(new Error(`${peer.name} is not connected after ${STUCK_MS} ms`)), STUCK_MS);
      wake = () => {
        clearTimeout(stuck);
        resolve();
      };
    });
  const stop = peer.start(network.url(peer.name), () => wake());
  return { ...peer, times: [], opened, stop };
}

async function measureCycle(runner: Runner, network: Loopback): Promise<number> {
  const opened = runner.opened();
  const start = performance.now();
  network.cut(runner.name);
  await opened;
  return performance.now() - start;
}

async function measureNetwork(network: Loopback, rounds: number): Promise<readonly Runner[]> {
  const runners: Runner[] = [];
  for (const peer of peers) {
    const runner = startPeer(peer, network);
    runners.push(runner);
    await runner.opened();
  }
  const deadline = performance.now() + BUDGET_MS;
  for (let round = -WARM_UP_ROUNDS; round < rounds && performance.now() < deadline; round += 1) {
    for (let turn = 0; turn < runners.length; turn += 1) {
      // Everybody goes first equally often.
      const runner = runners[(turn + round + WARM_UP_ROUNDS) % runners.length] as Runner;
      const time = await measureCycle(runner, network);
      if (round >= 0) runner.times.push(time);
      // What the last cycle left to do is not for the next one to pay.
      await sleep(1);
    }
  }
  for (const { stop } of runners) stop();
  return runners;
}

const rounds = readRounds({ byDefault: 500, max: MAX_ROUNDS });

const network = await startLoopback();
const runners = await measureNetwork(network, rounds);
await network.close();

const bare = median(runners[0]?.times ?? []);
const measured = runners[0]?.times.length ?? 0;
console.log(
  `Node ${process.version}, ${process.platform} ${process.arch}; ${measured} rounds, interleaved, one server\n`,
);
console.log('| peer | median ms | p95 ms | median / bare loop | settings |');
console.log('| --- | ---: | ---: | ---: | --- |');
for (const { name, times, settings } of runners) {
  const middle = median(times);
  const cells = [name, middle.toFixed(2), percentile(times, 0.95).toFixed(2), (middle / bare).toFixed(2), settings];
  console.log(`| ${cells.join(' | ')} |`);
}

console.log(`\nNo network: ${MEMORY_CYCLES} cycles of in-memory sessions\n`);
console.log(
  '| turn of the event loop between sessions | chart, cycles/s | bare loop, cycles/s | added by the chart, us a cycle |',
);
console.log('| --- | ---: | ---: | ---: |');
for (const { turn, chart, bare: loop } of await measureMemory(MEMORY_CYCLES)) {
  const added = 1e6 / chart - 1e6 / loop;
  console.log(`| ${turn} | ${Math.round(chart)} | ${Math.round(loop)} | ${Math.round(added)} |`);
}
