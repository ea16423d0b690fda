/** Real servers on free ports of 127.0.0.1, for tests; each is gone after the test that made it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server as HttpServer, IncomingMessage, RequestListener } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterEach } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

const cleanups: (() => unknown)[] = [];

/** Runs `cleanup` after the current test. */
export function afterTest(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A self-signed certificate for localhost and 127.0.0.1, and its key. */
export const certificate = {
  cert: readFileSync(new URL('./tls-cert.pem', import.meta.url)),
  key: readFileSync(new URL('./tls-key.pem', import.meta.url)),
};

/** Items in the order they came, for tests that wait for the next one. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  push(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  get length(): number {
    return this.#items.length;
  }

  next(): Promise<T> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift() as T);
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}

export interface TestServer<TPeer> {
  readonly port: number;
  /** The server's sides of the connections, in the order they came. */
  readonly peers: Queue<TPeer>;
  /** Drops every connection without a word and stops listening. */
  kill(): Promise<void>;
}

async function serve<TPeer>(
  server: Server | HttpServer,
  peers: Queue<TPeer>,
  port: number,
): Promise<TestServer<TPeer>> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that resets its connection is part of the tests.
    socket.on('error', () => {});
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const kill = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  afterTest(kill);
  return { port: (server.address() as AddressInfo).port, peers, kill };
}

/** A TCP server that gives each connection to `onPeer`; without one it accepts and stays silent. */
export function tcpServer(onPeer?: (peer: Socket) => void, port = 0): Promise<TestServer<Socket>> {
  const peers = new Queue<Socket>();
  const server = createServer((peer) => {
    onPeer?.(peer);
    peers.push(peer);
  });
  return serve(server, peers, port);
}

/** A TLS server with the self-signed {@link certificate}. */
export function tlsServer(
  onPeer?: (peer: Socket) => void,
  port = 0,
  options: TlsOptions = {},
): Promise<TestServer<Socket>> {
  const peers = new Queue<Socket>();
  const server = createTlsServer({ ...certificate, ...options }, (peer) => {
    peer.on('error', () => {});
    onPeer?.(peer);
    peers.push(peer);
  });
  return serve(server, peers, port);
}

/** An HTTP server that knows no upgrade: it answers one as it answers any request. */
export function httpServer(onRequest: RequestListener): Promise<TestServer<Socket>> {
  const peers = new Queue<Socket>();
  const server = createHttpServer(onRequest);
  server.on('connection', (peer) => peers.push(peer));
  return serve(server, peers, 0);
}

/** A WebSocket server; `refuse` is an HTTP status to answer the upgrade with instead. */
export function webSocketServer(
  onPeer?: (peer: WebSocket, request: IncomingMessage) => void,
  { port = 0, refuse }: { port?: number; refuse?: number } = {},
): Promise<TestServer<WebSocket>> {
  const peers = new Queue<WebSocket>();
  const server = createHttpServer();
  const webSockets = new WebSocketServer({
    server,
    ...(refuse !== undefined && { verifyClient: (_, answer) => answer(false, refuse) }),
  });
  webSockets.on('connection', (peer, request) => {
    peer.on('error', () => {});
    onPeer?.(peer, request);
    peers.push(peer);
  });
  return serve(server, peers, port);
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const { port, kill } = await tcpServer();
  await kill();
  return port;
}

/** Resolves when the other side of `socket` is gone. */
export async function gone(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
}
