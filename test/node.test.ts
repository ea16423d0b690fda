/** `xstate-reconnect/node`, in a real process that is stopped and continued. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { type NodeOptions, node } from '../src/node';
import { Queue } from './support/queue';
import { afterTest } from './support/servers';

/** A process that watches, says so and what it hears, and has nothing to stay for once its input ends: the source goes on. */
const PROGRAM = `
  import { setTimeout as wait } from 'node:timers/promises';
  import { node } from './src/node.ts';
  node({ every: '50ms', threshold: '2s' })(({ type }) => console.log(type));
  console.log('watching');
  process.stdin.resume().on('end', () => wait(500));
`;

describe('a real process', () => {
  it('C7 I stopped for longer than the threshold it tells wake, once; and the source keeps no process alive (O5, C10)', async () => {
    const args = ['--import', 'tsx', '--input-type=module', '--eval', PROGRAM];
    const child = spawn(process.execPath, args, {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    afterTest(() => child.kill('SIGKILL'));
    const exited = once(child, 'close');
    const heard = new Queue<string>();
    createInterface(child.stdout).on('line', (line) => heard.push(line));

    expect(await heard.next()).toBe('watching');
    child.kill('SIGSTOP');
    await wait(4_000);
    child.kill('SIGCONT');
    expect(await heard.next()).toBe('wake');
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
    expect(heard.length).toBe(0);
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
