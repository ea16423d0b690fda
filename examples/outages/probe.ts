/** Proves that the line is real: what is sent comes back. Measures how long it did not. */

const PING_MS = 100;

/** The part of a WebSocket that the probe uses. */
interface Socket {
  send(data: string): void;
  addEventListener(type: 'message', listener: () => void): void;
}

/** Sends a message every {@link PING_MS} while connected and counts what comes back. */
export class Probe {
  #timer: NodeJS.Timeout | undefined;
  #echoes = 0;
  #proven = false;
  #downSince: number | undefined;
  #longestDowntime = 0;
  #waiting: (() => void)[] = [];

  /** Messages that came back on the current session, or on the last one. */
  get echoes(): number {
    return this.#echoes;
  }

  /** The longest time in ms from the end of a session that worked to the first echo on another; up to now if none came. */
  get longestDowntime(): number {
    return Math.max(this.#longestDowntime, this.#downtime());
  }

  /** A session is there. `onProven` is told once its first echo came back. */
  connected(socket: Socket, onProven: () => void): void {
    this.#echoes = 0;
    socket.addEventListener('message', () => {
      this.#echoes += 1;
      if (this.#echoes > 1) return;
      this.#longestDowntime = this.longestDowntime;
      this.#downSince = undefined;
      this.#proven = true;
      for (const resolve of this.#waiting.splice(0)) resolve();
      onProven();
    });
    const ping = (): void => socket.send('ping');
    this.#timer = setInterval(ping, PING_MS);
    ping();
  }

  /** The session is gone. */
  disconnected(): void {
    clearInterval(this.#timer);
    // A session that never worked does not interrupt the downtime.
    if (this.#proven) this.#downSince = performance.now();
    this.#proven = false;
  }

  /** Resolves when the current session has sent something back. */
  async whenProven(): Promise<void> {
    if (!this.#proven) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #downtime(): number {
    return this.#downSince === undefined ? 0 : performance.now() - this.#downSince;
  }
}
