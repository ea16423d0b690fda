/** Shows actors of a Node process to viewers that connect over a WebSocket. */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { CLOSE_GRACE_MS } from '../session';
import { createInspector, createReport, type Inspector, type InspectorOptions } from './inspector';
import type { AppMessage } from './protocol';

export interface WebSocketInspectorOptions extends InspectorOptions {
  /** The port to listen on. Default: a free one. */
  port?: number;
  /** The address to listen on: whoever reaches it sees and controls the app. Default `127.0.0.1`, this machine alone. */
  host?: string;
  /** A server that listens already, http or https, in place of `port` and `host`. */
  server?: Server;
  /** The path that viewers connect to. Default `/`. */
  path?: string;
  /**
   * Origins of pages that may connect, such as `http://localhost:5173`. Any page in the browser may try. Default: only pages of
   * the same port, as `localhost` or by the loopback address. What is no browser sends no origin, and may connect.
   */
  origins?: readonly string[];
}

export interface WebSocketInspector extends Inspector {
  /** Where viewers connect to, such as `ws://127.0.0.1:8888/`. */
  readonly url: string;
  /** Says goodbye to the viewers and hangs up. Resolves when that is done, and when the port is free if it was opened here. */
  stop(): Promise<void>;
}

/** The most bytes that a viewer may say at once. */
const MAX_REQUEST_BYTES = 1_000_000;
/** A viewer for whom more than this waits to be sent is too slow: it is told no news until all of that is gone. */
const MAX_WAITING_BYTES = 16_000_000;

/**
 * Lets viewers connect over a WebSocket, from when it resolves. It does not keep the process running.
 *
 * Rejects with Node's own error when it cannot listen, and with a TypeError that names it when an origin is none.
 */
export async function inspectOverWebSocket(options: WebSocketInspectorOptions = {}): Promise<WebSocketInspector> {
  const { host = '127.0.0.1', port = 0, path = '/', origins = [] } = options;
  origins.forEach(checkOrigin);
  const report = createReport(options.onError);
  const inspector = createInspector(options);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_BYTES });
  const own = options.server === undefined;
  const server = options.server ?? createServer((_, response) => response.writeHead(426).end('WebSockets only\n'));
  if (own) await listen(server, port, host, report);
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new TypeError('inspectOverWebSocket: server: expected one that listens on a port');
  }
  const secure = 'setSecureContext' in server;
  const allowed = new Set([...originsOf(address.port, secure), ...origins]);

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (request.url?.replace(/\?.*$/su, '') !== path) {
      // On a server of others it is for them to answer, if there are any.
      if (server.listenerCount('upgrade') === 1) refuse(socket, 404);
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && !allowed.has(origin)) {
      report(new Error(`inspectOverWebSocket: refused a viewer of ${origin}: add that to origins to let it in`));
      refuse(socket, 403);
      return;
    }
    if (own) request.socket.unref();
    sockets.handleUpgrade(request, socket, head, (viewer) => serve(inspector, viewer, report));
  };
  server.on('upgrade', upgrade);

  return {
    ...inspector,
    url: `${secure ? 'wss' : 'ws'}://${hostOf(address)}:${address.port}${path}`,
    async stop() {
      inspector.stop();
      server.off('upgrade', upgrade);
      await Promise.all([...sockets.clients].map(hangUp));
      if (!own) return;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function serve(inspector: Inspector, viewer: WebSocket, report: (error: unknown) => void): void {
  let lagging = false;
  let missed = false;
  const link = inspector.connect((message) => {
    if (viewer.readyState !== viewer.OPEN) return;
    if (lagging && isNews(message)) {
      missed = true;
      return;
    }
    viewer.send(JSON.stringify(message), (error) => {
      if (error || !lagging || viewer.bufferedAmount > 0) return;
      lagging = false;
      if (!missed) return;
      missed = false;
      // How things are by now makes up for all that it was not told.
      link.receive({ type: 'xstate.inspecting' });
    });
    lagging ||= viewer.bufferedAmount > MAX_WAITING_BYTES;
  });
  viewer.on('message', (data, isBinary) => {
    if (!isBinary) link.receive(String(data));
  });
  viewer.on('close', () => link.close());
  viewer.on('error', report);
}

/** Whether what a message says is made up for when all actors are registered anew. */
function isNews({ type }: AppMessage): boolean {
  return type === 'service.event' || type === 'service.state';
}

function hangUp(viewer: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => viewer.terminate(), CLOSE_GRACE_MS);
    viewer.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    viewer.close(1001, 'the inspector was stopped');
  });
}

function refuse(socket: Duplex, status: 403 | 404): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listen(server: Server, port: number, host: string, report: (error: unknown) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', report);
      // To be watched is no reason to go on.
      server.unref();
      resolve();
    });
  });
}

/** The origins of pages that a server on `port` serves to its own machine. */
function originsOf(port: number, secure: boolean): string[] {
  return ['127.0.0.1', 'localhost', '[::1]'].map(
    (name) => new URL(`http${secure ? 's' : ''}://${name}:${port}`).origin,
  );
}

function checkOrigin(text: string, index: number): void {
  try {
    if (new URL(text).origin === text) return;
  } catch {
    // Said below.
  }
  throw new TypeError(
    `inspectOverWebSocket: origins[${index}]: expected an origin such as "http://localhost:5173", got ${JSON.stringify(text)}`,
  );
}

function hostOf({ address, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]` : address;
}
