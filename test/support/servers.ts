/** Real servers on free ports of 127.0.0.1, for tests; each is gone after the test that made it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server as HttpServer, IncomingMessage, RequestListener } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterEach } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type FaultServer, type FaultServerOptions, startFaultServer } from './fault-server';
import { Queue } from './queue';
import { ServerProcess } from './server-process';

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

/** A WebSocket server. */
export function webSocketServer(
  onPeer?: (peer: WebSocket, request: IncomingMessage) => void,
  { port = 0 }: { port?: number } = {},
): Promise<TestServer<WebSocket>> {
  const peers = new Queue<WebSocket>();
  const server = createHttpServer();
  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (peer, request) => {
    peer.on('error', () => {});
    onPeer?.(peer, request);
    peers.push(peer);
  });
  return serve(server, peers, port);
}

/** A server that misbehaves as it is told. */
export async function faultServer(options?: FaultServerOptions): Promise<FaultServer> {
  const server = await startFaultServer(options);
  afterTest(() => server.close());
  return server;
}

/** A fault server in a process of its own, for kill -9. */
export async function serverProcess(): Promise<ServerProcess> {
  const server = new ServerProcess();
  afterTest(() => server.kill());
  await server.start();
  return server;
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
