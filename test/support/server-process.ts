/** A fault server in a process of its own, which can be killed without a goodbye and started again on the same port. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Behaviour } from './fault-server';

const MAIN = fileURLToPath(new URL('./server-process-main.ts', import.meta.url));

/** The process, if it runs; its port from the first start on. */
export class ServerProcess {
  #child: ChildProcess | undefined;
  #port = 0;

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and waits until it listens, on the same port as before. It serves until told otherwise. */
  async start(): Promise<void> {
    const child = fork(MAIN, [String(this.#port)], { execArgv: ['--import', import.meta.resolve('tsx')] });
    this.#child = child;
    this.#port = await this.#report(child);
  }

  /** From now on the process treats whoever dials like this. */
  async treat(behaviour: Behaviour): Promise<void> {
    const child = this.#child;
    if (child === undefined) throw new Error('treat: the server process was never started');
    child.send(behaviour);
    await this.#report(child);
  }

  /** kill -9: no goodbye. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** The port, which the process says once it listens and after each thing it was told. */
  async #report(child: ChildProcess): Promise<number> {
    const over = new AbortController();
    const { signal } = over;
    try {
      const died = once(child, 'exit', { signal }).then(([code, killed]) => {
        throw new Error(`the server process ended: ${killed ?? `exit code ${code}`}`);
      });
      // The loser of the race is aborted below.
      died.catch(() => {});
      const [port] = (await Promise.race([once(child, 'message', { signal }), died])) as [number];
      return port;
    } finally {
      over.abort();
    }
  }
}
