/** A connection that keeps itself alive, for people who do not use XState. */
import { type ActorOptions, type ActorRefFrom, createActor, type SnapshotFrom } from 'xstate';
import { resolveDuration } from '../machines/backoff';
import type { Duration } from '../machines/duration';
import { NotConnectedError, ReconnectStoppedError } from '../machines/failure';
import { createNoticeMachine, type Notice, type NoticeOptions, noticeOf } from '../machines/notice';
import { sleep } from '../machines/sleep';
import { type ConnectionSummary, selectSummary } from '../machines/summary';
import type { ReconnectEvent } from '../machines/vocabulary';
import { createClock, type ReconnectClock } from './clock';
import { createReconnectMachine, type ReconnectMachine, type ReconnectMachineOptions } from './machine';
import { reportTo } from './report';
import { type Ending, type Status, StatusBoard } from './status';

interface HandleOptions<TSession, TInput> extends Omit<ReconnectMachineOptions<TSession, TInput>, 'now'> {
  /** The source of time. Default: `performance.now` and the global timers. */
  clock?: ReconnectClock;
  /** Whether a Node process may end while the connection only waits. Default false. Not with a `clock` of your own. */
  unref?: boolean;
  /** What `actor.getPersistedSnapshot()` gave in another process or page, also through JSON: goes on from there. */
  snapshot?: ReconnectActorOptions<TSession, TInput>['snapshot'];
  /** An XState inspector, such as `createBrowserInspector().inspect`. */
  inspect?: NonNullable<ReconnectActorOptions<TSession, TInput>['inspect']>;
}

type ReconnectActorOptions<TSession, TInput> = ActorOptions<ReconnectMachine<TSession, TInput>>;

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
   * @throws {ReconnectGaveUpError} once it gave up, {@link ReconnectStoppedError} once stopped; an unread status comes first.
   */
  status(options?: { signal?: AbortSignal }): Promise<Status>;
  /** Every status from now on, with a place of its own. Ends when stopped; throws the give-up error. */
  statuses(): AsyncGenerator<Status, void, void>;
  /**
   * The live session, waiting for it if need be: until `signal` aborts, or at most for `timeout`. Default: as long as it takes.
   *
   * @throws as {@link status} does; the signal's reason; {@link NotConnectedError} when the time is up.
   */
  connected(options?: { signal?: AbortSignal; timeout?: Duration }): Promise<TSession>;
  /** Resolves when stopped, rejects with the `ReconnectGaveUpError` when it gives up. Rule R7. */
  closed(): Promise<void>;
  /**
   * Connects now: skips the wait, replaces the live session, or tries again after giving up. An attempt under way is left alone,
   * or with `restart` made anew.
   */
  retry(options?: { restart?: boolean }): void;
  /** Takes another input, such as a new URL or token. One that equals the present one does nothing; else it connects anew. */
  update(input: TInput): void;
  /** The session gave its sign of health; see the option `healthy`. */
  healthy(): void;
  /** All that support asks: state, attempt, countdown, errors, uptime, what is left of the window, why it gave up. */
  summary(): ConnectionSummary;
  /**
   * Calls `listener` with what to tell a person, now and whenever it changes: nothing of short drops. Returns how to stop.
   *
   * @throws {InvalidBackoffError} naming the field, when a duration is out of range.
   */
  onNotice(listener: (notice: Notice) => void, options?: NoticeOptions): () => void;
  /** Ends the session, the attempt or the wait, now and for good. Rule R8. */
  stop(): void;
}

/**
 * Starts a connection that keeps itself alive: it connects at once, reconnects when the session ends, backs off when connecting
 * fails, and gives up when the retry window is spent.
 *
 * @throws {InvalidBackoffError} naming the field, the value and what was expected, when `options.backoff` is out of range;
 * {@link InvalidSnapshotError} likewise, when `options.snapshot` is none of ours.
 */
export function reconnect<TSession, TInput = void>(
  options: ReconnectHandleOptions<TSession, TInput>,
): Reconnection<TSession, TInput> {
  const {
    unref = false,
    clock = createClock({ unref }),
    inspect,
    input,
    snapshot,
    ...rest
  } = options as HandleOptions<TSession, TInput> & { input?: TInput };
  const now = (): number => clock.now();
  const machine = createReconnectMachine<TSession, TInput>({ ...rest, now });
  const actorOptions = { input, clock, ...(snapshot && { snapshot }), ...(inspect && { inspect }) };
  const actor = createActor(machine, actorOptions as ActorOptions<typeof machine>);
  const { status, error } = actor.getSnapshot();
  // XState keeps what is wrong with a snapshot until somebody asks.
  if (status === 'error') throw error;
  const send = (event: ReconnectEvent<TInput>): void => {
    // Once stopped, an actor takes no more events, and says so on the console.
    if (actor.getSnapshot().status === 'active') actor.send(event);
  };
  const board = new StatusBoard();
  const reader = board.reader();

  const stopped: Ending = { error: new ReconnectStoppedError() };
  const look = (): void => {
    const { value, context } = actor.getSnapshot();
    if (value === 'idle') return;
    // Nothing is reported before the first connect.
    const status = value === 'connected' ? 'connected' : board.status && 'disconnected';
    board.write(status, value === 'failed' ? { error: context.error as Error } : undefined);
  };
  // Listeners are told before subscribers are, and what they then ask for must be what they were told.
  for (const type of ['connecting', 'connected', 'disconnected', 'failed'] as const) actor.on(type, look);
  actor.subscribe({
    next: look,
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
    statuses() {
      const own = board.reader();
      const left = new AbortController();
      const statuses = (async function* () {
        try {
          while (true) yield await own.next(left.signal);
        } catch (error) {
          if (error !== stopped.error && !left.signal.aborted) throw error;
        }
      })();
      const end = statuses.return.bind(statuses);
      // A generator that waits would hear of it after the next status only.
      statuses.return = (value) => {
        left.abort();
        return end(value);
      };
      return statuses;
    },
    async connected({ signal, timeout } = {}) {
      const limit = timeout === undefined ? Number.POSITIVE_INFINITY : resolveDuration('timeout', timeout);
      const enough = new AbortController();
      const abort = (): void => enough.abort(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted) abort();
      const over = new AbortController();
      sleep(actor, limit, over.signal).then(() =>
        enough.abort(new NotConnectedError(limit, actor.getSnapshot().context.error)),
      );
      try {
        // A session that is up may be gone when its news arrives here: a listener may have replaced it.
        while (true) {
          const live = await board.wait(() => {
            if (board.ending !== undefined) throw board.ending.error;
            const { value, context } = actor.getSnapshot();
            return value === 'connected' ? { session: context.session as TSession } : undefined;
          }, enough.signal);
          if (Object.is(actor.getSnapshot().context.session, live.session)) return live.session;
        }
      } finally {
        over.abort();
        signal?.removeEventListener('abort', abort);
      }
    },
    async closed() {
      const { error } = await board.wait(() => board.ending);
      if (error !== stopped.error) throw error;
    },
    retry: ({ restart = false } = {}) => send({ type: 'retry', restart }),
    update: (input) => send({ type: 'update', input }),
    healthy: () => send({ type: 'healthy' }),
    summary: () => selectSummary(actor.getSnapshot(), now()),
    onNotice(listener, noticeOptions) {
      const notices = createActor(createNoticeMachine(noticeOptions), { input: { connection: actor }, clock });
      let last: Notice | undefined;
      const tell = (): void => {
        const notice = noticeOf(notices.getSnapshot());
        if (notice === last) return;
        last = notice;
        try {
          listener(notice);
        } catch (error) {
          reportTo(rest.onError)(error, 'listener');
        }
      };
      // Started first: a connection that has failed already is not quiet before.
      notices.start();
      tell();
      notices.subscribe(tell);
      return () => notices.stop();
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
