/** A connection that keeps itself alive, for people who do not use XState. */
import { type ActorOptions, type ActorRefFrom, createActor, type SnapshotFrom } from 'xstate';
import { ReconnectStoppedError } from '../machines/failure';
import { createReconnectMachine, type ReconnectMachine, type ReconnectMachineOptions } from './machine';
import { type Ending, type Status, StatusBoard } from './status';

/** One injected source of time: a reading in milliseconds and the timers that go with it. */
export interface ReconnectClock {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

interface HandleOptions<TSession, TInput> extends Omit<ReconnectMachineOptions<TSession, TInput>, 'now'> {
  /** The source of time. Default: `performance.now` and the global timers. */
  clock?: ReconnectClock;
  /** An XState inspector, such as `createBrowserInspector().inspect`. */
  inspect?: NonNullable<ActorOptions<ReconnectMachine<TSession, TInput>>['inspect']>;
}

/** What {@link reconnect} takes; `input` is required if `connect` wants one. */
export type ReconnectHandleOptions<TSession, TInput = void> = HandleOptions<TSession, TInput> &
  ([TInput] extends [void] ? { input?: TInput } : { input: TInput });

/** A connection that keeps itself alive. Made by {@link reconnect}. */
export interface Reconnection<TSession, TInput = void> extends Disposable, AsyncDisposable {
  /** The live session; undefined unless connected. */
  readonly session: TSession | undefined;
  /** The chart's current snapshot. */
  readonly snapshot: SnapshotFrom<ReconnectMachine<TSession, TInput>>;
  /** The XState actor behind it. */
  readonly actor: ActorRefFrom<ReconnectMachine<TSession, TInput>>;
  /**
   * Waits until the status differs from what this method last reported. A flip and flip back before anybody looks is not
   * reported. Nothing is reported before the first connect. Rule R6.
   *
   * With `signal` the wait ends when it aborts, rejecting with its reason; one that has aborted already makes it a look: the
   * unread status if there is one. Either way nothing counts as reported.
   *
   * @throws {ReconnectTimeoutError} once it gave up, {@link ReconnectStoppedError} once stopped; an unread status comes first.
   */
  status(options?: { signal?: AbortSignal }): Promise<Status>;
  /** Every status from now on, with a place of its own. Ends when stopped; throws the give-up error. */
  statuses(): AsyncGenerator<Status, void, void>;
  /**
   * The live session, waiting for it if need be.
   *
   * @throws as {@link status} does.
   */
  connected(): Promise<TSession>;
  /** Resolves when stopped, rejects with the `ReconnectTimeoutError` when it gives up. Rule R7. */
  closed(): Promise<void>;
  /** Connects now: skips the wait, or tries again after giving up. */
  retry(): void;
  /** Ends the session, the attempt or the wait, now and for good. Rule R8. */
  stop(): void;
}

/**
 * Starts a connection that keeps itself alive: it connects at once, reconnects when the session ends, backs off when connecting
 * fails, and gives up when the retry window is spent.
 *
 * @throws {InvalidBackoffError} naming the field, the value and what was expected, when `options.backoff` is out of range.
 */
export function reconnect<TSession, TInput = void>(
  options: ReconnectHandleOptions<TSession, TInput>,
): Reconnection<TSession, TInput> {
  const { clock, inspect, input, ...rest }: HandleOptions<TSession, TInput> & { input?: TInput } = options;
  const machine = createReconnectMachine<TSession, TInput>(clock ? { ...rest, now: () => clock.now() } : rest);
  const actorOptions = { input, ...(clock && { clock }), ...(inspect && { inspect }) };
  const actor = createActor(machine, actorOptions as ActorOptions<typeof machine>);
  const board = new StatusBoard();
  const reader = board.reader();

  const stopped: Ending = { error: new ReconnectStoppedError() };
  actor.subscribe({
    next: ({ value, context }) => {
      if (value === 'connected') return board.write('connected', undefined);
      if (value === 'idle') return;
      // Nothing is reported before the first connect.
      const status = board.status && 'disconnected';
      board.write(status, value === 'failed' ? { error: context.error as Error } : undefined);
    },
    error: (error) => board.write(board.status && 'disconnected', { error: error as Error }),
    complete: () => board.write(board.status, stopped),
  });
  let stopping = false;
  actor.on('stopped', () => {
    board.write(board.status, stopped);
    // Not sooner: stopping an actor drops the events it has yet to take, and `stop` may be called from inside a listener.
    if (stopping) actor.stop();
  });
  actor.start();

  const connection: Reconnection<TSession, TInput> = {
    get session() {
      return actor.getSnapshot().context.session;
    },
    get snapshot() {
      return actor.getSnapshot();
    },
    actor,
    status: ({ signal } = {}) => reader.next(signal),
    async *statuses() {
      const own = board.reader();
      try {
        while (true) yield await own.next();
      } catch (error) {
        if (error !== stopped.error) throw error;
      }
    },
    async connected() {
      await board.wait(() => {
        if (board.ending !== undefined) throw board.ending.error;
        return board.status === 'connected' || undefined;
      });
      return actor.getSnapshot().context.session as TSession;
    },
    async closed() {
      const { error } = await board.wait(() => board.ending);
      if (error !== stopped.error) throw error;
    },
    // Once stopped, an actor takes no more events, and says so on the console.
    retry() {
      if (actor.getSnapshot().status === 'active') actor.send({ type: 'retry' });
    },
    stop() {
      const { status, value } = actor.getSnapshot();
      if (status !== 'active') return;
      stopping = true;
      if (value === 'idle') actor.stop();
      else actor.send({ type: 'stop' });
    },
    [Symbol.dispose]: () => connection.stop(),
    [Symbol.asyncDispose]: async () => connection.stop(),
  };
  return connection;
}
