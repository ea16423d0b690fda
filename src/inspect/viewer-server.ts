/** Serves our own viewer to the browsers of this machine, alone or together with what it shows. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createReport, type Inspector, type InspectorOptions } from './inspector';
import { inspectOverWebSocket } from './websocket';

export interface ViewerServerOptions extends InspectorOptions {
  /** The port to listen on, of 127.0.0.1. Default: a free one. */
  port?: number;
}

export interface ViewerServer extends Inspector {
  /** Where the viewer is, such as `http://127.0.0.1:8889/`: for a browser on this machine. */
  readonly url: string;
  /** Says goodbye to the viewers and hangs up. Resolves when that is done and the port is free. */
  stop(): Promise<void>;
}

/** A viewer's page and nothing more: what it shows connects to it, or is connected to by it. */
export interface ViewerPage {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves the viewer and what it shows, on one port of 127.0.0.1, from when it resolves. It does not keep the process running.
 *
 * Rejects with Node's own error when it cannot listen, and with an Error that says so when the package was not built.
 */
export async function serveViewer(options: ViewerServerOptions = {}): Promise<ViewerServer> {
  const { server, url, stop } = await servePage(options.port, createReport(options.onError), LOCKED_OUT);
  // To be watched is no reason to go on.
  server.on('connection', (socket) => socket.unref());
  server.unref();
  const inspector = await inspectOverWebSocket({ ...options, server });
  return {
    ...inspector,
    url,
    async stop() {
      await inspector.stop();
      await stop();
    },
  };
}

/**
 * Serves the viewer alone, until it is stopped. Rejects as {@link serveViewer} does.
 *
 * @param app the WebSocket that the page connects to, such as `ws://127.0.0.1:8888/`; undefined waits for an app whose page opens it.
 */
export async function serveViewerPage(app: string | undefined, port?: number): Promise<ViewerPage> {
  const query = app === undefined ? '?inspect' : `?server=${encodeURIComponent(app)}`;
  const { server, url, stop } = await servePage(port, createReport(undefined), '', query);
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n'));
  return { url, stop };
}

/** A page that shows an app of its own server is nobody's frame: what looks like a harmless button there must not be one of ours. */
const LOCKED_OUT = "frame-ancestors 'none'";

interface PageServer extends ViewerPage {
  readonly server: Server;
}

/** @param query what the page is to be opened with; it is led there when it was opened without. */
async function servePage(port = 0, report: (error: unknown) => void, policy: string, query = ''): Promise<PageServer> {
  const page = await readPage();
  const server = createServer(answerWith(page, policy, query));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      server.on('error', report);
      resolve();
    });
  });
  return {
    server,
    url: `http://127.0.0.1:${portOf(server)}/`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answerWith(page: Buffer, policy: string, query: string): RequestListener {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-length': page.byteLength,
    // The page has its own policy in it, for wherever it is served from; this is what only a header can say.
    ...(policy !== '' && { 'content-security-policy': policy }),
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  return (request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (!isForUs(request)) return refuse(response, 421, 'This viewer is for 127.0.0.1 and localhost alone.');
    if (pathname !== '/') return refuse(response, 404, 'There is nothing here but the viewer, at /.');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return refuse(response, 405, 'GET only.');
    }
    if (query !== '' && search === '') return void response.writeHead(302, { location: `/${query}` }).end();
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : page);
  };
}

/** A page of a name that its owner has led to this address (DNS rebinding) would be allowed to read what it gets here. */
function isForUs({ headers: { host = '' }, socket }: IncomingMessage): boolean {
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  return names.some((name) => host === `${name}:${socket.localPort}` || (socket.localPort === 80 && host === name));
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** By the package's name: that is found wherever this code was bundled to. */
async function readPage(): Promise<Buffer> {
  try {
    return await readFile(createRequire(import.meta.url).resolve('xstate-reconnect/viewer.html'));
  } catch (cause) {
    throw new Error('the page of the viewer, dist/viewer.html, is not there: npm run build makes it', { cause });
  }
}
