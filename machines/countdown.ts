/** The seconds until a connection connects again, for people to watch: they go down by themselves. */
import { type ActorRefFrom, type AnyActorRef, assign, fromObservable, setup } from 'xstate';
import { type ReconnectSnapshot, selectCountdown } from './summary';

const SECOND_MS = 1_000;

/**
 * Creates a machine that follows a connection, an actor of a reconnect machine given as `input.connection`. `context.seconds` is
 * how many whole seconds are left until the next attempt, rounded up; undefined when none is scheduled. A timer runs only
 * while they go down, once for each of them.
 *
 * @param now the connection's own time, in ms.
 */
export function createCountdownMachine(now: () => number) {
  const left = ({ connection }: { connection: AnyActorRef }): number | undefined =>
    selectCountdown(connection.getSnapshot() as ReconnectSnapshot, now());

  return setup({
    types: {} as {
      context: { connection: AnyActorRef; seconds: number | undefined };
      input: { connection: AnyActorRef };
    },
    actors: {
      follow: fromObservable<unknown, { connection: AnyActorRef }>(({ input }) => input.connection),
    },
    actions: {
      count: assign({
        seconds: ({ context }) => {
          const ms = left(context);
          return ms === undefined ? undefined : Math.ceil(ms / SECOND_MS);
        },
      }),
    },
    guards: {
      isOver: ({ context: { seconds = 0 } }) => seconds === 0,
    },
    delays: {
      nextSecond: ({ context }) => (left(context) ?? 0) % SECOND_MS || SECOND_MS,
    },
  }).createMachine({
    id: 'countdown',
    context: ({ input }) => ({ connection: input.connection, seconds: undefined }),
    invoke: {
      src: 'follow',
      input: ({ context }) => ({ connection: context.connection }),
      onSnapshot: '.counting',
    },
    initial: 'counting',
    states: {
      counting: {
        entry: 'count',
        always: { guard: 'isOver', target: 'over' },
        after: { nextSecond: { target: 'counting', reenter: true } },
      },
      over: {},
    },
  });
}

export type CountdownActor = ActorRefFrom<ReturnType<typeof createCountdownMachine>>;
