/** Starts, kills and restarts the server process, always on the same port. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Mode, ModeRequest, ServerReady } from './protocol';

const SERVER = fileURLToPath(new URL('./server.ts', import.meta.url));

/** The server process, if it runs; its port once it first ran. */
export class ServerProcess {
  #child: ChildProcess | undefined;
  #port = 0;

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The port of the first start, kept ever after. */
  get port(): number {
    return this.#port;
  }

  /** Starts it and waits until it listens. `onSpawn` is told its pid at once, before anything can go wrong. */
  async start(onSpawn: (pid: number) => void): Promise<void> {
    const child = fork(SERVER, [String(this.#port)], { execArgv: ['--import', import.meta.resolve('tsx')] });
    this.#child = child;
    if (child.pid !== undefined) onSpawn(child.pid);
    const over = new AbortController();
    try {
      const died = once(child, 'exit', { signal: over.signal }).then(([code, signal]) => {
        throw new Error(`the server ended before it listened: ${signal ?? `exit code ${code}`}`);
      });
      const [ready] = (await Promise.race([once(child, 'message', { signal: over.signal }), died])) as [ServerReady];
      this.#port = ready.port;
      // The race is over; its loser is about to be aborted.
      died.catch(() => {});
    } finally {
      over.abort();
    }
  }

  /** Ends it and waits until it is gone: SIGKILL says no goodbye, SIGTERM closes every session first. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Cuts every line; the next callers are treated as `mode` says. */
  setMode(mode: Mode): void {
    const request: ModeRequest = { mode };
    this.#child?.send(request);
  }

  /** The last thing a process can do for the one it started: no waiting. */
  killNow(): void {
    this.#child?.kill('SIGKILL');
  }
}
