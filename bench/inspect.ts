/** What it costs an app to be inspected: processor time per event, without an inspector, with ours and with Stately's. */

import { type ActorRefFrom, assign, createActor, setup } from 'xstate';
import { type Contender, contenders, type Running } from './inspectors';
import { readRounds } from './rounds';
import { median, percentile } from './statistics';

const WARM_UP_ROUNDS = 3;
const MAX_ROUNDS = 1_000;
const EVENTS = 200;

/** A chart about as large as a connection's, which steps at each event. `ballast` is more context, in characters. */
const createTicker = (ballast: number) =>
  setup({
    types: {} as { context: { count: number; delay: number; attempt: number; text: string }; events: { type: 'tick' } },
    actions: { count: assign({ count: ({ context }) => context.count + 1 }) },
  }).createMachine({
    id: 'ticker',
    context: { count: 0, delay: 1_000, attempt: 1, text: 'x'.repeat(ballast) },
    initial: 'tick',
    states: {
      tick: { on: { tick: { target: 'tock', actions: 'count' } } },
      tock: { on: { tick: { target: 'tick', actions: 'count' } } },
    },
  });

interface Runner extends Contender, Running {
  actor: ActorRefFrom<ReturnType<typeof createTicker>>;
  sent: number;
  /** Microseconds of processor time per event. */
  times: number[];
}

async function startRunner(contender: Contender, ballast: number): Promise<Runner> {
  const running = await contender.start();
  const options = running.inspect === undefined ? {} : { inspect: running.inspect };
  return { ...contender, ...running, actor: createActor(createTicker(ballast), options).start(), sent: 0, times: [] };
}

/** The time of the processor, not of the clock: some inspectors work later, and what they wait for is not their cost. */
async function measure(runner: Runner): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < EVENTS; i += 1) runner.actor.send({ type: 'tick' });
  runner.sent += EVENTS;
  await runner.settled(runner.sent);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / EVENTS;
}

async function compare(ballast: number, rounds: number): Promise<readonly Runner[]> {
  const runners: Runner[] = [];
  for (const contender of contenders) runners.push(await startRunner(contender, ballast));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (let turn = 0; turn < runners.length; turn += 1) {
      // Everybody goes first equally often.
      const runner = runners[(turn + round + WARM_UP_ROUNDS) % runners.length] as Runner;
      const time = await measure(runner);
      if (round >= 0) runner.times.push(time);
    }
  }
  for (const { actor, stop } of runners) {
    actor.stop();
    await stop();
  }
  return runners;
}

const rounds = readRounds({ byDefault: 100, max: MAX_ROUNDS });

console.log(
  `Node ${process.version}, ${process.platform} ${process.arch}; ${rounds} rounds of ${EVENTS} events, interleaved`,
);
for (const [what, ballast] of [
  ['a small context', 0],
  ['10 kB of context', 10_000],
] as const) {
  const runners = await compare(ballast, rounds);
  const bare = median(runners[0]?.times ?? []);
  console.log(`\n${what}\n`);
  console.log('| inspector | median us an event | p95 us | median / no inspector | setup |');
  console.log('| --- | ---: | ---: | ---: | --- |');
  for (const { name, setup, times } of runners) {
    const middle = median(times);
    const cells = [name, middle.toFixed(1), percentile(times, 0.95).toFixed(1), (middle / bare).toFixed(1), setup];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
