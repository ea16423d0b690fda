/** Connections of ours to a server of a test: stopped after it, and they remember what the chart told. */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { AnyActorRef } from 'xstate';
import { type ReconnectEmitted, type ReconnectHandleOptions, type Reconnection, reconnect } from '../../src/index';
import { type WebSocketSession, websocket } from '../../src/websocket';
import { Queue } from './queue';
import { afterTest, faultServer } from './servers';

export type Session = WebSocketSession<WebSocket>;

type Told<TType extends ReconnectEmitted['type']> = Extract<ReconnectEmitted, { type: TType }>;

/** What a chart told, in order. */
export class Story {
  readonly #events: ReconnectEmitted[] = [];
  readonly #queues = new Map<string, Queue<ReconnectEmitted>>();

  constructor(actor: Pick<AnyActorRef, 'on'>) {
    actor.on('*', (event) => {
      this.#events.push(event as ReconnectEmitted);
      this.#queueOf(event.type).push(event as ReconnectEmitted);
    });
  }

  /** The events of one type so far. */
  all<TType extends ReconnectEmitted['type']>(type: TType): Told<TType>[] {
    return this.#events.filter((event): event is Told<TType> => event.type === type);
  }

  /** The next event of this type that this method has not yet given to anybody, waiting for it if need be. */
  next<TType extends ReconnectEmitted['type']>(type: TType): Promise<Told<TType>> {
    return this.#queueOf(type).next() as Promise<Told<TType>>;
  }

  #queueOf(type: string): Queue<ReconnectEmitted> {
    const queue = this.#queues.get(type) ?? new Queue();
    this.#queues.set(type, queue);
    return queue;
  }
}

/** A connection that is stopped after the test, and what it told: all but what it does at once, before anybody can listen. */
export function keep<TSession, TInput = void>(
  options: ReconnectHandleOptions<TSession, TInput>,
): { connection: Reconnection<TSession, TInput>; story: Story } {
  const connection = reconnect<TSession, TInput>(options);
  afterTest(() => connection.stop());
  return { connection, story: new Story(connection.actor) };
}

/** A `connect` to `server`, with a WebSocket of the `ws` package. */
export function to(server: { url: string }): ReturnType<typeof websocket<void, WebSocket>> {
  return websocket<void, WebSocket>(server.url, { WebSocket });
}

/**
 * Lets pass what is on its way: nothing that was sent through loopback before takes as long as these round trips with a server
 * of their own, and timers that are due fire meanwhile.
 */
export async function quiet(): Promise<void> {
  const { connection } = keep({ connect: to(await faultServer()) });
  const { socket } = await connection.connected();
  for (let count = 0; count < 10; count += 1) {
    socket.send(String(count));
    await once(socket, 'message');
    await wait(1);
  }
}

/** Asks the peer for a sign of life, and waits for it. */
export async function ping({ socket }: Session, signal: AbortSignal): Promise<void> {
  const pong = once(socket, 'pong', { signal });
  socket.ping();
  await pong;
}
