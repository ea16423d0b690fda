/** What readers of a connection wait for: changes of its status, each reader at its own pace. Rules R6, R7. */

export type Status = 'connected' | 'disconnected';

/** How a connection ended: the give-up error, or that it was stopped. */
export interface Ending {
  error: Error;
}

/** The status of one connection, and those who wait for it to change. */
export class StatusBoard {
  #status: Status | undefined;
  #ending: Ending | undefined;
  readonly #waiters = new Set<() => void>();

  get status(): Status | undefined {
    return this.#status;
  }

  /** How it ended; undefined while it is alive. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Writes what is the case now, and lets every waiter look. */
  write(status: Status | undefined, ending: Ending | undefined): void {
    if (status === this.#status && ending?.error === this.#ending?.error) return;
    this.#status = status;
    this.#ending = ending;
    for (const look of [...this.#waiters]) look();
  }

  /**
   * Resolves with the first defined value of `look`, which is called now and after each change; rejects when it throws, or with
   * the signal's reason when there is still nothing once `signal` has aborted.
   */
  wait<T>(look: () => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(attempt);
        signal?.removeEventListener('abort', abort);
      };
      const abort = (): void => {
        leave();
        reject(signal?.reason);
      };
      const attempt = (): void => {
        try {
          const found = look();
          if (found === undefined) return;
          resolve(found);
        } catch (error) {
          reject(error);
        }
        leave();
      };
      this.#waiters.add(attempt);
      signal?.addEventListener('abort', abort, { once: true });
      attempt();
      if (signal?.aborted) abort();
    });
  }

  /** A reader that has seen nothing yet. */
  reader(): StatusReader {
    return new StatusReader(this);
  }
}

/** One reader's place: what it last saw. */
export class StatusReader {
  readonly #board: StatusBoard;
  #seen: Status | undefined;

  constructor(board: StatusBoard) {
    this.#board = board;
  }

  /**
   * Waits for a status other than the one this reader last saw. An unread status wins over the ending, which then rejects.
   * A wait that `signal` ends leaves the reader where it was.
   */
  next(signal?: AbortSignal): Promise<Status> {
    // Calls made side by side have all seen the same, so all of them get the same change.
    const seen = this.#seen;
    return this.#board.wait(() => {
      const { status, ending } = this.#board;
      if (status !== undefined && status !== seen) {
        this.#seen = status;
        return status;
      }
      if (ending !== undefined) throw ending.error;
      return undefined;
    }, signal);
  }
}
