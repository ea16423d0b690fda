/** What to tell a person about a connection: nothing of short drops, that it is lost, that it is back, that it gave up. */
import { type ActorRefFrom, type AnyActorRef, fromCallback, setup } from 'xstate';
import { resolveDuration } from './backoff';
import type { Duration } from './duration';
import { MAX_TIMER_MS } from './sleep';
import type { ReconnectState } from './vocabulary';

/**
 * What to show: `quiet` nothing, `lost` that the connection is lost and comes back by itself, `restored` that it is back, for a moment,
 * `failed` that it gave up.
 */
export type Notice = 'quiet' | 'lost' | 'restored' | 'failed';

export interface NoticeOptions {
  /** How long a connection may be away before it counts as lost. Default 2s. */
  lostAfter?: Duration;
  /** How long to say that it is back. Default 3s. */
  restoredFor?: Duration;
}

/**
 * Creates a machine that follows a connection, an actor of a reconnect machine given as `input.connection`. Its state is a
 * {@link Notice}, or `waiting` while a connection is away that is not lost yet, which is to be shown as `quiet`: see {@link noticeOf}.
 *
 * @throws {InvalidBackoffError} naming the field, when a duration is out of range.
 */
export function createNoticeMachine({ lostAfter = '2s', restoredFor = '3s' }: NoticeOptions = {}) {
  const timer = (field: string, duration: Duration): number => Math.min(resolveDuration(field, duration), MAX_TIMER_MS);

  return setup({
    types: {} as {
      events: { type: 'up' } | { type: 'down' } | { type: 'gaveUp' } | { type: 'rest' };
      input: { connection: AnyActorRef };
      context: { connection: AnyActorRef };
    },
    actors: {
      follow: fromCallback<{ type: 'none' }, { connection: AnyActorRef }>(({ input: { connection }, sendBack }) => {
        let last: ReconnectState | undefined;
        const look = ({ value }: { value: ReconnectState }): void => {
          if (value === last) return;
          last = value;
          sendBack({ type: MEANING[value] });
        };
        look(connection.getSnapshot());
        const { unsubscribe } = connection.subscribe({ next: look, complete: () => sendBack({ type: 'rest' }) });
        return unsubscribe;
      }),
    },
    delays: {
      lostAfter: timer('lostAfter', lostAfter),
      restoredFor: timer('restoredFor', restoredFor),
    },
  }).createMachine({
    id: 'notice',
    context: ({ input }) => ({ connection: input.connection }),
    invoke: { src: 'follow', input: ({ context }) => ({ connection: context.connection }) },
    on: { gaveUp: '.failed', rest: '.quiet' },
    initial: 'quiet',
    states: {
      quiet: { on: { down: 'waiting' } },
      waiting: { on: { up: 'quiet' }, after: { lostAfter: 'lost' } },
      lost: { on: { up: 'restored' } },
      restored: { on: { down: 'waiting' }, after: { restoredFor: 'quiet' } },
      failed: { on: { up: 'restored', down: 'lost' } },
    },
  });
}

const MEANING = { idle: 'rest', connecting: 'down', connected: 'up', backingOff: 'down', failed: 'gaveUp' } as const;

/** What to show in a snapshot of the machine that {@link createNoticeMachine} makes. */
export function noticeOf({ value }: { value: Notice | 'waiting' }): Notice {
  return value === 'waiting' ? 'quiet' : value;
}

export type NoticeMachine = ReturnType<typeof createNoticeMachine>;
export type NoticeActor = ActorRefFrom<NoticeMachine>;
