/** A real server on 127.0.0.1 that misbehaves as it is told, connection by connection. For tests and for the bench: needs no vitest. */
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  STATUS_CODES,
} from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { Line } from './fault-line';
import { Queue } from './queue';

/** How the server treats a connection. */
export type Behaviour =
  /** Completes the WebSocket handshake, sends every message back and answers pings. With a `site`: leaves it to the site. */
  | { kind: 'serve' }
  /** Ends the TCP connection as soon as it is there. */
  | { kind: 'hang-up' }
  /** Resets the TCP connection as soon as it is there. */
  | { kind: 'reset' }
  /** Completes the WebSocket handshake, then closes with `code`; without one, with none. */
  | { kind: 'accept-then-close'; code?: number; reason?: string }
  /** Answers with an HTTP status in place of the WebSocket handshake. */
  | { kind: 'refuse'; status: number; headers?: Readonly<Record<string, string>> }
  /**
   * Serves, but goes silent: stays connected, and neither answers nor closes. `after` so many bytes of answer (0 stalls the
   * handshake for ever), or with the end of the handshake.
   */
  | { kind: 'silence'; after: number | 'handshake' }
  /** Serves, but holds back each piece of its answer for `ms`. */
  | { kind: 'slow'; ms: number };

/** One connection that somebody made. */
export interface Dial {
  /** When, in ms of `performance.now`. */
  readonly at: number;
  /** Whether the TCP connection is still up on this side. */
  readonly open: boolean;
  /** Resolves when the client has ended it; also noticed on a silent connection. */
  readonly ended: Promise<void>;
  /** The server's side of the WebSocket, once the handshake is done. Never of a dial that is not served, or that a site serves. */
  readonly session: Promise<WebSocket>;
  /** Goes silent now: the half-open link. */
  silence(): void;
  /** Resets the TCP connection. */
  reset(): void;
  /** Ends the TCP connection, without a word of WebSocket. */
  hangUp(): void;
}

export interface FaultServerOptions {
  /** How it treats whoever dials, until it is told otherwise. Default: it serves. */
  behaviour?: Behaviour;
  /** Default: a free one. */
  port?: number;
  /** Who serves when all is well, such as an HTTP server with another protocol on it. It need not listen. Default: an echo. */
  site?: HttpServer;
}

/** While nobody listens on a port, somebody's outgoing connection may be given it for a moment. */
const BUSY_PORT_MS = 50;
const BUSY_PORT_TRIES = 100;

class Connection implements Dial {
  readonly at = performance.now();
  readonly line: Line;
  readonly session: Promise<WebSocket>;
  readonly #raw: Socket;
  accept!: (session: WebSocket) => void;

  constructor(
    raw: Socket,
    readonly behaviour: Behaviour,
  ) {
    this.#raw = raw;
    this.line = new Line(raw);
    this.session = new Promise((resolve) => {
      this.accept = resolve;
    });
  }

  get open(): boolean {
    return !this.#raw.destroyed;
  }

  get ended(): Promise<void> {
    return this.line.ended;
  }

  silence(): void {
    this.line.silence();
  }

  reset(): void {
    this.line.reset();
  }

  hangUp(): void {
    this.line.hangUp();
  }
}

/** A server that misbehaves as it is told. Made by {@link startFaultServer}. */
export class FaultServer {
  readonly #webSockets = new WebSocketServer({ noServer: true });
  readonly #own = createHttpServer((_, response) => response.writeHead(404).end());
  readonly #site: HttpServer;
  readonly #connections: Connection[] = [];
  readonly #ofLine = new WeakMap<Duplex, Connection>();
  readonly #queue = new Queue<Dial>();
  readonly #next: Behaviour[] = [];
  #behaviour: Behaviour = { kind: 'serve' };
  #server: Server | undefined;
  #port = 0;
  #upgrades = 0;

  constructor(site?: HttpServer) {
    this.#site = site ?? this.#own;
    for (const server of new Set([this.#own, this.#site]))
      server.prependListener('upgrade', () => void this.#upgrades++);
    this.#own.on('upgrade', (request, line, head) => this.#answer(request, line, head));
  }

  /** The port of the first {@link listen}, kept ever after. */
  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  /** Every connection made so far. */
  get dials(): readonly Dial[] {
    return this.#connections;
  }

  /** Those that are still up on this side. */
  get open(): readonly Dial[] {
    return this.#connections.filter(({ open }) => open);
  }

  /** How many WebSocket handshakes were asked for. */
  get upgrades(): number {
    return this.#upgrades;
  }

  /** From now on treats whoever dials like this. Connections that are up stay as they are. */
  treat(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
  }

  /** Treats the next dials like this, one each, before what {@link treat} said applies again. */
  treatNext(...behaviours: readonly Behaviour[]): void {
    this.#next.push(...behaviours);
  }

  /** The next dial that this method has not yet given to anybody, waiting for it if need be. */
  nextDial(): Promise<Dial> {
    return this.#queue.next();
  }

  /** Listens: on `port` the first time, and on the same port as before ever after. */
  async listen(port = this.#port): Promise<void> {
    for (let tries = 1; this.#server === undefined; tries += 1) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#take(socket));
      try {
        await once(server.listen(port, '127.0.0.1'), 'listening');
        this.#server = server;
        this.#port = (server.address() as AddressInfo).port;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === BUSY_PORT_TRIES) throw error;
        await sleep(BUSY_PORT_MS);
      }
    }
  }

  /** Stops listening: dials are refused. Connections that are up stay up. */
  stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Ends every TCP connection that is up, without a word of WebSocket. */
  hangUp(): void {
    for (const connection of this.#connections) connection.hangUp();
  }

  /** Stops listening and drops every connection. */
  async close(): Promise<void> {
    const server = this.#server;
    this.stopListening();
    this.hangUp();
    if (server?.listening) await once(server, 'close');
    await Promise.all(this.#connections.map(({ ended }) => ended));
  }

  #take(socket: Socket): void {
    const connection = new Connection(socket, this.#next.shift() ?? this.#behaviour);
    this.#connections.push(connection);
    this.#treat(connection);
    this.#queue.push(connection);
  }

  #treat(connection: Connection): void {
    const { line, behaviour } = connection;
    switch (behaviour.kind) {
      case 'hang-up':
        connection.hangUp();
        return;
      case 'reset':
        connection.reset();
        return;
      case 'silence':
        line.silenceAfter(behaviour.after);
        break;
      case 'slow':
        line.delay(behaviour.ms);
        break;
    }
    this.#ofLine.set(line, connection);
    const isOwn = behaviour.kind === 'refuse' || behaviour.kind === 'accept-then-close';
    (isOwn ? this.#own : this.#site).emit('connection', line);
  }

  #answer(request: IncomingMessage, line: Duplex, head: Buffer): void {
    const connection = this.#ofLine.get(line);
    if (connection === undefined) return;
    const { behaviour } = connection;
    if (behaviour.kind === 'refuse') {
      const headers = { ...behaviour.headers, 'Content-Length': '0', Connection: 'close' };
      const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      line.end(`HTTP/1.1 ${behaviour.status} ${STATUS_CODES[behaviour.status] ?? ''}\r\n${fields.join('')}\r\n`);
      return;
    }
    this.#webSockets.handleUpgrade(request, line, head, (session) => {
      session.on('error', () => {});
      session.on('message', (data, isBinary) => session.send(data, { binary: isBinary }));
      if (behaviour.kind === 'accept-then-close') session.close(behaviour.code, behaviour.reason);
      connection.accept(session);
    });
  }
}

/** Starts a {@link FaultServer}. */
export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const server = new FaultServer(options.site);
  server.treat(options.behaviour ?? { kind: 'serve' });
  await server.listen(options.port);
  return server;
}
