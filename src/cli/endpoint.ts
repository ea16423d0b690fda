/** The other end: what a URL names, and how bytes get there and back whatever its kind. */
import type * as net from 'node:net';
import { WebSocket } from 'ws';
import type { ConnectArgs } from '../../machines/vocabulary';
import { tcp } from '../tcp';
import { websocket } from '../websocket';
import type { Send } from './outbox';

/** How a session ended. */
export interface SessionEnd {
  /** In words. */
  message: string;
  /** Whether it broke, rather than being ended in order. */
  broken: boolean;
}

/** One session, as the bridge needs it. */
export interface BridgedSession {
  readonly closed: Promise<SessionEnd>;
  close(): void;
  send: Send;
  /** Calls `take` with all that arrives. */
  receive(take: (bytes: Buffer) => void): void;
  pause(): void;
  resume(): void;
  /** There is nothing more to send. Calls back once the other end could know, if it can be told. */
  finish(done: () => void): void;
}

export interface Endpoint {
  /** Where to, without credentials, query and fragment: those may be secrets. */
  readonly address: string;
  /** Whether messages are sent, one for each line of input, rather than bytes. */
  readonly lines: boolean;
  connect(args: ConnectArgs<void>): Promise<BridgedSession>;
}

/** A URL that cannot be connected to. */
export class InvalidUrlError extends Error {
  override readonly name = 'InvalidUrlError';
}

/**
 * The endpoint that `text` names.
 *
 * @throws {InvalidUrlError} saying what is wrong with it.
 */
export function parseEndpoint(text: string): Endpoint {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/u.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new InvalidUrlError(`${quote(text)} has no scheme: ${EXPECTED}`);
  if (!['ws', 'wss', 'tcp', 'tls'].includes(scheme)) {
    throw new InvalidUrlError(`unknown scheme ${quote(`${scheme}:`)} in ${quote(text)}: ${EXPECTED}`);
  }
  const port = /:([^:/?#\]@]*)(?:[/?#].*)?$/u.exec(text.slice(scheme.length + 1))?.[1];
  if (port !== undefined && !isPort(port)) {
    throw new InvalidUrlError(`bad port ${quote(port)} in ${quote(text)}: expected a number from 1 to 65535`);
  }
  if (!URL.canParse(text)) throw new InvalidUrlError(`${quote(text)} is no URL: ${EXPECTED}`);
  const url = new URL(text);
  if (url.hostname === '') throw new InvalidUrlError(`${quote(text)} has no host: ${EXPECTED}`);
  return scheme === 'ws' || scheme === 'wss' ? webSocketEndpoint(text, url) : tcpEndpoint(text, url);
}

const EXPECTED = 'expected ws://host, wss://host, tcp://host:port or tls://host:port';

function quote(text: string): string {
  return JSON.stringify(text);
}

function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/u.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function tcpEndpoint(text: string, url: URL): Endpoint {
  const { protocol, hostname, port, pathname, search, hash, username, password } = url;
  if (port === '') throw new InvalidUrlError(`${quote(text)} has no port: ${EXPECTED}`);
  const rest = search + hash + username + password;
  if (rest !== '' || (pathname !== '' && pathname !== '/')) {
    throw new InvalidUrlError(`${quote(text)} has more than a host and a port: ${EXPECTED}`);
  }
  const host = hostname.replace(/^\[(.*)\]$/u, '$1');
  const open = tcp({ host, port: Number(port), tls: protocol === 'tls:' });
  return {
    address: `${protocol}//${hostname}:${port}`,
    lines: false,
    async connect(args) {
      const session = await open(args);
      return {
        closed: session.closed.then(({ message, hadError }) => ({ message, broken: hadError })),
        close: () => session.close(),
        ...bridgeSocket(session.socket),
      };
    },
  };
}

function bridgeSocket(socket: net.Socket): Omit<BridgedSession, 'closed' | 'close'> {
  return {
    send: (piece, done) => void socket.write(piece, done),
    receive: (take) => void socket.on('data', take),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    finish: (done) => void socket.end(done),
  };
}

function webSocketEndpoint(text: string, url: URL): Endpoint {
  if (url.hash !== '') throw new InvalidUrlError(`${quote(text)} has a fragment, which a WebSocket cannot have`);
  const open = websocket(text, { WebSocket });
  return {
    address: `${url.protocol}//${url.host}${url.pathname}`,
    lines: true,
    async connect(args) {
      const session = await open(args);
      return {
        closed: session.closed.then(({ message, wasClean }) => ({ message, broken: !wasClean })),
        close: () => session.close(1000),
        ...bridgeWebSocket(session.socket),
      };
    },
  };
}

function bridgeWebSocket(socket: WebSocket): Omit<BridgedSession, 'closed' | 'close'> {
  return {
    // As text, with what is no UTF-8 replaced: the other end would have to end the connection over it.
    send: (piece, done) => socket.send(piece.toString('utf8'), done),
    receive(take) {
      socket.on('message', (data, isBinary) => {
        const bytes = data as Buffer;
        take(isBinary ? bytes : Buffer.concat([bytes, Buffer.from('\n')]));
      });
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    // A WebSocket has no half-close: a closing handshake would cut the answer off.
    finish: (done) => done(),
  };
}
