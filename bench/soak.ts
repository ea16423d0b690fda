/** Many reconnects in one process: what is left in the heap, and which handles, timers and listeners. Fails when something grew. */
import { getEventListeners } from 'node:events';
import { parseArgs } from 'node:util';
import { originBackoff, reconnect } from '../src/index';
import { loopback, memory, type Transport } from './soak-transports';

const DEFAULT_RECONNECTS = { memory: 100_000, tcp: 10_000 };
type TransportName = keyof typeof DEFAULT_RECONNECTS;
const MAX_RECONNECTS = 10_000_000;
const CHECKPOINTS = 10;
/** Before the first reading, so that compiled code and caches are there. */
const WARM_UP = 2_000;
/** One attempt in so many fails, so that waits are part of it. */
const FAILURE_EVERY = 10;
/** What the heap may have grown by in the end, whatever the number of reconnects: at 100,000, 10 bytes each. */
const MAX_GROWTH_MB = 1;

interface Options {
  transport: TransportName;
  reconnects: number;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { transport: { type: 'string', default: 'memory' }, reconnects: { type: 'string' } },
  });
  const { transport } = values;
  if (!isTransport(transport)) {
    throw new Error(`--transport: expected memory or tcp, got ${JSON.stringify(transport)}`);
  }
  const reconnects = values.reconnects === undefined ? DEFAULT_RECONNECTS[transport] : Number(values.reconnects);
  if (Number.isInteger(reconnects) && reconnects >= CHECKPOINTS && reconnects <= MAX_RECONNECTS) {
    return { transport, reconnects };
  }
  throw new Error(
    `--reconnects: expected a whole number from ${CHECKPOINTS} to ${MAX_RECONNECTS}, got ${JSON.stringify(values.reconnects)}`,
  );
}

function isTransport(name: string): name is TransportName {
  return Object.hasOwn(DEFAULT_RECONNECTS, name);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The heap in use after a collection, in bytes. */
async function measureHeap(): Promise<number> {
  // What a finalizer lets go of is collected the second time.
  for (let i = 0; i < 2; i += 1) {
    await turn();
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

/** What keeps this process alive, by kind, such as `TCPSocketWrap`. */
function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    // The turn of the event loop that this is read in.
    if (kind !== 'Immediate') counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

const printHandles = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'none';

const countProcessListeners = (): number =>
  process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);

interface Reading {
  reconnects: number;
  heap: number;
  children: number;
  timers: number;
  abortListeners: number;
  processListeners: number;
  openSessions: number;
}

/** Reconnects so many times, reads at each checkpoint, then stops. The last reading is made once all is over. */
async function soak<TSession extends { close(): void }>(
  transport: Transport<TSession>,
  reconnects: number,
  onReading: (reading: Reading) => void,
): Promise<void> {
  let attempts = 0;
  let done = -WARM_UP;
  let opened = 0;
  let closed = 0;
  // As an app would have it: one signal for its whole life, given to every wait for a status.
  const life = new AbortController();
  const connection = reconnect<TSession>({
    async connect(args) {
      attempts += 1;
      if (attempts % FAILURE_EVERY === 0) throw new Error('refused');
      const session = await transport.connect(args);
      opened += 1;
      return session;
    },
    close(session) {
      closed += 1;
      session.close();
    },
    backoff: { ...originBackoff, initial: 1, max: 1, timeout: 0 },
    clock: transport.clock,
    autoStart: false,
  });
  const read = async (): Promise<void> =>
    onReading({
      reconnects: done,
      heap: await measureHeap(),
      children: Object.keys(connection.snapshot.children).length,
      timers: transport.timers,
      abortListeners: getEventListeners(life.signal, 'abort').length,
      processListeners: countProcessListeners(),
      openSessions: opened - closed,
    });

  const follow = async (): Promise<void> => {
    while (true) await connection.status({ signal: life.signal });
  };
  const followed = follow().catch((error: unknown) => {
    if (!connection.actor.getSnapshot().matches('idle')) throw error;
  });

  const every = Math.floor(reconnects / CHECKPOINTS);
  await new Promise<void>((resolve, reject) => {
    const next = async (): Promise<void> => {
      const isCheckpoint = done >= 0 && done % every === 0;
      if (isCheckpoint) await read();
      if (done >= reconnects) return resolve();
      done += 1;
      if (connection.session === undefined) throw new Error('the session ended before it was told to');
      transport.end(connection.session);
    };
    connection.actor.on('connected', () => void next().catch(reject));
    connection.actor.send({ type: 'start' });
  });
  connection.stop();
  await followed;
  await turn();
  await read();
  await transport.close();
}

const HEADS = [
  'reconnects',
  'heap used, MB',
  'children',
  'timers',
  'abort listeners',
  'process listeners',
  'sessions open',
];

function printReading({ heap, ...counts }: Reading): void {
  const { reconnects, ...rest } = counts;
  const cells = [reconnects, (heap / 1e6).toFixed(2), ...Object.values(rest)];
  console.log(`| ${cells.join(' | ')} |`);
}

/** What was wrong, in words; empty if nothing was. */
function findFaults(readings: readonly Reading[], before: Map<string, number>, after: Map<string, number>): string[] {
  const faults: string[] = [];
  const first = readings[0];
  const last = readings.at(-1);
  if (first === undefined || last === undefined) return ['nothing was read'];
  // While running as well as at rest: a leak may end with the connection.
  const growth = (Math.max(...readings.slice(-2).map(({ heap }) => heap)) - first.heap) / 1e6;
  console.log(`\nheap: ${growth >= 0 ? '+' : ''}${growth.toFixed(2)} MB, may be +${MAX_GROWTH_MB} MB`);
  if (growth > MAX_GROWTH_MB) faults.push(`the heap grew by ${growth.toFixed(2)} MB`);
  for (const [kind, count] of after) {
    const left = count - (before.get(kind) ?? 0);
    if (left > 0) faults.push(`${left} ${kind} left`);
  }
  const atRest = {
    children: 0,
    timers: 0,
    abortListeners: 0,
    openSessions: 0,
    processListeners: first.processListeners,
  };
  for (const [name, expected] of Object.entries(atRest)) {
    const value = last[name as keyof typeof atRest];
    if (value !== expected) faults.push(`${name}: expected ${expected} in the end, got ${value}`);
  }
  return faults;
}

let options: Options;
try {
  options = readOptions(process.argv.slice(2));
  if (globalThis.gc === undefined) throw new Error('expected `node --expose-gc`, as in `npm run bench:soak`');
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}

const { transport: name, reconnects } = options;
console.log(`Node ${process.version}, ${process.platform} ${process.arch}; ${reconnects} reconnects, ${name}\n`);
console.log(`| ${HEADS.join(' | ')} |`);
console.log(`| ${HEADS.map(() => '---:').join(' | ')} |`);
const before = countHandles();
const readings: Reading[] = [];
const start = performance.now();
const onReading = (reading: Reading): void => {
  readings.push(reading);
  printReading(reading);
};
if (name === 'memory') await soak(memory(), reconnects, onReading);
else await soak(await loopback(), reconnects, onReading);
const took = (performance.now() - start) / 1_000;
await turn();
const after = countHandles();
const faults = findFaults(readings, before, after);
console.log(`handles before: ${printHandles(before)}; after: ${printHandles(after)}`);
console.log(`took ${took.toFixed(0)} s`);
for (const fault of faults) console.error(fault);
// A handle that is left would keep it running.
process.exit(faults.length === 0 ? 0 : 1);
