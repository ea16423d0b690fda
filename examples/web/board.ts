/** A message board over WebSockets, which can be made to fail. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** The server sends all of them to everybody, whenever there is a new one. A client sends its own: again, if it is not sure. */
export interface Message {
  readonly id: string;
  readonly text: string;
}

/** How many messages are kept. */
const LENGTH = 50;

export class Board {
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #messages = new Map<string, Message>();
  #isUp = false;

  start(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#post({ id: randomUUID(), text: 'The server has started.' });
  }

  /** Drops every connection, and refuses new ones. */
  stop(): void {
    this.#isUp = false;
    this.drop();
  }

  /** Drops every connection. */
  drop(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  /** Answers a request for a WebSocket. */
  accept(request: IncomingMessage, line: Duplex, head: Buffer): void {
    if (!this.#isUp) line.destroy();
    else this.#sockets.handleUpgrade(request, line, head, (socket) => this.#serve(socket));
  }

  #serve(socket: WebSocket): void {
    socket.on('error', () => {});
    socket.on('message', (data) => this.#post(JSON.parse(String(data)) as Message));
    this.#send(socket);
  }

  #post({ id, text }: Message): void {
    if (this.#messages.has(id)) return;
    this.#messages.set(id, { id, text });
    const [oldest] = this.#messages.keys();
    if (oldest !== undefined && this.#messages.size > LENGTH) this.#messages.delete(oldest);
    for (const socket of this.#sockets.clients) this.#send(socket);
  }

  #send(socket: WebSocket): void {
    socket.send(JSON.stringify([...this.#messages.values()]));
  }
}
