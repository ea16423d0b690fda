/** A connection for React: a component keeps it, and it ends with the component. */
import { useSelector } from '@xstate/react';
import { useEffect, useInsertionEffect, useRef, useState } from 'react';
import { createActor, type SnapshotFrom } from 'xstate';
import { type CountdownActor, createCountdownMachine } from '../machines/countdown';
import { isEqual } from '../machines/equality';
import { createNoticeMachine, type Notice, type NoticeActor, type NoticeOptions, noticeOf } from '../machines/notice';
import type { ReconnectState } from '../machines/vocabulary';
import { createClock } from './clock';
import { type ReconnectHandleOptions, type Reconnection, reconnect } from './handle';
import type { ReconnectMachine } from './machine';

/**
 * What {@link useReconnect} takes: the options of `reconnect`, and how long a connection must be away before `notice` tells of it.
 *
 * `input` may change with each render, and another one connects anew; one that equals the present one does nothing. `connect`,
 * `closed`, `close`, `classify` and `onError` are called as they were last rendered. All else is read when the component
 * mounts, and what it is changed to afterwards is ignored.
 */
export type UseReconnectOptions<TSession, TInput = void> = ReconnectHandleOptions<TSession, TInput> &
  NoticeOptions & {
    /** Not here: a component that mounts again would go back to it. */
    snapshot?: never;
  };

/** What {@link useReconnect} returns. */
export interface ReactReconnection<TSession, TInput = void> {
  /** The live session; undefined unless connected. */
  readonly session: TSession | undefined;
  /** The state of the chart. Until the component is mounted, and on a server: `connecting`, or `idle` without `autoStart`. */
  readonly status: ReconnectState;
  /** Why the last attempt failed or the last session ended; once failed, the give-up error. */
  readonly error: unknown;
  /** What to tell a person: nothing of short drops. */
  readonly notice: Notice;
  /** Whole seconds until the next attempt, rounded up; undefined when none is scheduled. Goes down by itself. */
  readonly countdown: number | undefined;
  /** The snapshot of the chart, for all else there is to show; undefined until mounted. */
  readonly snapshot: SnapshotFrom<ReconnectMachine<TSession, TInput>> | undefined;
  /** The handle, for all else there is to do, such as `summary()`, `healthy()` and `actor.on`; undefined until mounted. */
  readonly connection: Reconnection<TSession, TInput> | undefined;
  /** Connects now: skips the wait, replaces the live session, or tries again after giving up. Always the same function. */
  readonly retry: () => void;
  /** Connects after a `stop`, after giving up, or without `autoStart`. Always the same function. */
  readonly start: () => void;
  /** Ends the session, the attempt or the wait, and rests until `start`. Always the same function. */
  readonly stop: () => void;
}

/** A connection and what watches it, from mount to unmount. */
interface Live<TSession, TInput> {
  readonly connection: Reconnection<TSession, TInput>;
  readonly notices: NoticeActor;
  readonly countdown: CountdownActor;
}

/**
 * Keeps a connection alive while the component is mounted: it connects right after the mount, and closes at the unmount. StrictMode
 * costs no attempt of its own. Rendering alone, as on a server, starts nothing.
 *
 * An option that is out of range throws `InvalidBackoffError` right after the mount, for the nearest error boundary.
 */
export function useReconnect<TSession, TInput = void>(
  options: UseReconnectOptions<TSession, TInput>,
): ReactReconnection<TSession, TInput> {
  const latest = useRef(options);
  // Not in the render, which may come to nothing; and before any other effect can ask for it.
  useInsertionEffect(() => {
    latest.current = options;
  });
  const mounted = useRef<Live<TSession, TInput>>(undefined);
  const [live, setLive] = useState<Live<TSession, TInput>>();

  useEffect(() => {
    let isGone = false;
    // Not at once: StrictMode mounts, unmounts and mounts again in one go, and the server should not hear of it.
    queueMicrotask(() => {
      if (isGone) return;
      try {
        mounted.current = open(latest);
        setLive(mounted.current);
      } catch (error) {
        // An error boundary gets what is thrown in a render.
        setLive(() => {
          throw error;
        });
      }
    });
    return () => {
      isGone = true;
      if (mounted.current !== undefined) close(mounted.current);
      mounted.current = undefined;
      setLive(undefined);
    };
  }, []);

  useEffect(() => {
    if (live === undefined) return;
    const { input } = options as { input?: TInput };
    // An idle chart takes over an equal input too, which would render again, with another new object, without end.
    if (!isEqual(live.connection.snapshot.context.input, input)) live.connection.update(input as TInput);
  });

  const [actions] = useState(() => ({
    retry: () => mounted.current?.connection.retry(),
    start: () => mounted.current?.connection.actor.send({ type: 'start' }),
    stop: () => mounted.current?.connection.actor.send({ type: 'stop' }),
  }));

  const snapshot = useSelector(live?.connection.actor, (snapshot) => snapshot);
  return {
    session: snapshot?.context.session,
    status: snapshot?.value ?? (options.autoStart === false ? 'idle' : 'connecting'),
    error: snapshot?.context.error,
    notice: useSelector(live?.notices, (snapshot) => (snapshot === undefined ? 'quiet' : noticeOf(snapshot))),
    countdown: useSelector(live?.countdown, (snapshot) => snapshot?.context.seconds),
    snapshot,
    connection: live?.connection,
    ...actions,
  };
}

function open<TSession, TInput>(latest: {
  readonly current: UseReconnectOptions<TSession, TInput>;
}): Live<TSession, TInput> {
  const options = latest.current;
  const { unref = false, clock = createClock({ unref }), closed, close, classify, onError } = options;
  const noticeMachine = createNoticeMachine(options);
  const countdownMachine = createCountdownMachine(() => clock.now());
  const connection = reconnect<TSession, TInput>({
    ...options,
    clock,
    connect: (args) => latest.current.connect(args),
    ...(closed && { closed: (session) => (latest.current.closed ?? closed)(session) }),
    ...(close && { close: (session, reason) => (latest.current.close ?? close)(session, reason) }),
    ...(classify && { classify: (failure) => (latest.current.classify ?? classify)(failure) }),
    ...(onError && { onError: (error, source) => (latest.current.onError ?? onError)(error, source) }),
  });
  const watched = { input: { connection: connection.actor }, clock };
  return {
    connection,
    notices: createActor(noticeMachine, watched).start(),
    countdown: createActor(countdownMachine, watched).start(),
  };
}

function close<TSession, TInput>({ connection, notices, countdown }: Live<TSession, TInput>): void {
  notices.stop();
  countdown.stop();
  connection.stop();
}
