/** `xstate-reconnect/node`, in a real process that is stopped and continued. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { type NodeOptions, node } from '../src/node';
import { Queue } from './support/queue';
import { afterTest, gone, tcpServer } from './support/servers';

/** Watches, says so and what it hears, and has nothing to stay for once its input ends: the source goes on. */
const WATCH = `
  import { setTimeout as wait } from 'node:timers/promises';
  import { node } from './src/node.ts';
  node({ every: '50ms', threshold: '2s' })(({ type }) => console.log(type));
  console.log('watching');
  process.stdin.resume().on('end', () => wait(500));
`;

/** Keeps a TCP connection to `PORT` until its input ends, says why it connected, and never probes by itself. */
const KEEP = `
  import { once } from 'node:events';
  import { reconnect } from './src/index.ts';
  import { node } from './src/node.ts';
  import { tcp } from './src/tcp.ts';
  const connection = reconnect({
    connect: tcp({ host: '127.0.0.1', port: Number(process.env.PORT) }),
    environment: node({ every: '50ms', threshold: '2s' }),
    backoff: { minUptime: 0 },
    liveness: {
      every: '1h',
      within: '5s',
      probe: ({ socket }, signal) => {
        socket.write('ping');
        return once(socket, 'data', { signal });
      },
    },
  });
  connection.actor.on('connected', () => console.log(connection.snapshot.context.reason));
  process.stdin.resume().on('end', () => connection.stop());
`;

/** Runs `program`, which ends with the test at the latest; what it says comes line by line. */
function run(program: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  afterTest(() => child.kill('SIGKILL'));
  const exited = once(child, 'close');
  const heard = new Queue<string>();
  createInterface(child.stdout).on('line', (line) => heard.push(line));
  /** Stops it for longer than its threshold of 2 s, and lets it run again. */
  const sleep = async (): Promise<void> => {
    child.kill('SIGSTOP');
    await wait(4_000);
    child.kill('SIGCONT');
  };
  return { child, exited, heard, sleep };
}

describe('a real process', () => {
  it('C7 I stopped for longer than the threshold it tells wake, once; and the source keeps no process alive (O5, C10)', async () => {
    const { child, exited, heard, sleep } = run(WATCH);
    expect(await heard.next()).toBe('watching');
    await sleep();
    expect(await heard.next()).toBe('wake');
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
    expect(heard.length).toBe(0);
  });

  it('I5 C7 after a sleep, open is no proof: the session is probed, and replaced if the server has silently dropped it', async () => {
    const pings = new Queue<Socket>();
    let answers = true;
    const server = await tcpServer((peer) =>
      peer.on('data', (data) => {
        expect(String(data)).toBe('ping');
        if (answers) peer.write('pong');
        pings.push(peer);
      }),
    );
    const { child, exited, heard, sleep } = run(KEEP, { PORT: String(server.port) });
    expect(await heard.next()).toBe('start');
    const first = await server.peers.next();

    await sleep();
    expect(await pings.next()).toBe(first);
    answers = false;
    await sleep();
    expect(await pings.next()).toBe(first);
    expect(await heard.next()).toBe('half-open');
    answers = true;
    const second = await server.peers.next();
    await gone(first);

    await sleep();
    while ((await pings.next()) !== second);
    child.stdin.end();
    await gone(second);
    expect(await exited).toEqual([0, null]);
    expect(heard.length).toBe(0);
    expect(server.peers.length).toBe(0);
  });
});

describe('the clocks of a process that is awake', () => {
  /** Watches every 10 ms, for sleeps of 5 s and more, until the test is over. */
  function watch(): string[] {
    const heard: string[] = [];
    const stop = node({ every: 10 })(({ type }) => void heard.push(type));
    afterTest(() => stop?.());
    return heard;
  }

  /** Waits for some looks at the clocks. */
  async function looks(): Promise<void> {
    for (let count = 0; count < 5; count++) await wait(10);
  }

  it('C6 a wall clock that is set back changes nothing, one that is set ahead is one wake', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    afterTest(() => vi.useRealTimers());
    const heard = watch();
    vi.setSystemTime(Date.now() - 3_600_000);
    await looks();
    expect(heard).toEqual([]);
    vi.setSystemTime(Date.now() + 3_600_000);
    await looks();
    expect(heard).toEqual(['wake']);
  });

  it('a process that is busy for less than the threshold has not slept', async () => {
    const heard = watch();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    await looks();
    expect(heard).toEqual([]);
  });

  it('O5 once stopped it tells nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    afterTest(() => vi.useRealTimers());
    const heard: string[] = [];
    const stop = node({ every: 10 })(({ type }) => void heard.push(type));
    stop?.();
    vi.setSystemTime(Date.now() + 3_600_000);
    await looks();
    expect(heard).toEqual([]);
  });
});

describe('options', () => {
  it.each<[NodeOptions, string]>([
    [{ every: 0 }, 'node.every: expected a duration of at least 1ms, got 0'],
    [{ threshold: '0s' }, 'node.threshold: expected a duration of at least 1ms, got "0s"'],
    [{ every: Number.NaN }, 'node.every: expected a duration: a finite number of milliseconds, 0 or more, or text'],
    [{ threshold: '5' }, 'node.threshold: expected a duration: '],
  ])('O6 %o is refused by name', (options, message) => {
    expect(() => node(options)).toThrow(message);
  });

  it('O6 C4 a period longer than a timer can be is no busy loop', () => {
    const setInterval = vi.spyOn(globalThis, 'setInterval');
    afterTest(() => setInterval.mockRestore());
    node({ every: '30days' })(() => {})?.();
    expect(setInterval).toHaveBeenCalledExactlyOnceWith(expect.any(Function), 2 ** 31 - 1);
  });
});
