/** Who opened what and who closed it: each session must be closed exactly once. */
import type { ConnectArgs } from '../../src/index';

/** Counts the sessions that `connect` makes and that the chart closes. */
export class Ledger<TSession extends { close(): unknown }> {
  readonly #connect: (args: ConnectArgs<void>) => TSession | PromiseLike<TSession>;
  readonly #open = new Set<TSession>();
  #opened = 0;
  #closed = 0;

  constructor(connect: (args: ConnectArgs<void>) => TSession | PromiseLike<TSession>) {
    this.#connect = connect;
  }

  get opened(): number {
    return this.#opened;
  }

  get closed(): number {
    return this.#closed;
  }

  /** Whether each session was closed, and none twice. */
  get balanced(): boolean {
    return this.#opened === this.#closed && this.#open.size === 0;
  }

  /** The `connect` to give to the chart. */
  readonly connect = async (args: ConnectArgs<void>): Promise<TSession> => {
    const session = await this.#connect(args);
    this.#opened += 1;
    this.#open.add(session);
    return session;
  };

  /** The `close` to give to the chart. */
  readonly close = (session: TSession): void => {
    this.#closed += 1;
    this.#open.delete(session);
    session.close();
  };
}
