/** WebSocket sessions: the browser's, Node's own, or the `ws` package's. */
import type { ConnectArgs } from '../machines/vocabulary';
import { parseRetryAfter } from './retry-after';
import { CLOSE_GRACE_MS, describeCause, handshake } from './session';

/** What a WebSocket must be able to do here. The browser's, Node's and the `ws` package's all can. */
export interface WebSocketLike {
  addEventListener(type: 'open' | 'error', listener: (event: object) => void): void;
  addEventListener(type: 'close', listener: (event: WebSocketEnd) => void): void;
  close(code?: number, reason?: string): void;
  /** `ws` only: tells of an HTTP answer that is no upgrade. */
  on?(event: 'unexpected-response', listener: (request: unknown, response: HttpResponse) => void): unknown;
  /** `ws` only: ends the connection without a closing handshake. */
  terminate?(): void;
  /** `ws` only: stops reading. */
  pause?(): void;
  /** `ws` only: reads on. */
  resume?(): void;
}

/** The global `WebSocket` where its type is known. */
type GlobalWebSocket = typeof globalThis extends { WebSocket: { prototype: infer TSocket extends WebSocketLike } }
  ? TSocket
  : WebSocketLike;

/** What Node tells of an HTTP answer. */
interface HttpResponse {
  readonly statusCode?: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** How a WebSocket ended. */
interface WebSocketEnd {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export interface WebSocketOptions<TSocket extends WebSocketLike = GlobalWebSocket> {
  /** The class to use, such as the one the `ws` package exports. Default: the global `WebSocket`. */
  WebSocket?: new (
    url: string | URL,
    protocols?: string | string[],
  ) => TSocket;
  /** The subprotocols to ask for. Default: none. */
  protocols?: string | string[];
}

/** Where to connect to, or a function that is asked before each attempt, so that a token in it is fresh. */
export type WebSocketUrl<TInput = void> =
  | string
  | URL
  | ((args: ConnectArgs<TInput>) => string | URL | PromiseLike<string | URL>);

/** An open WebSocket. */
export interface WebSocketSession<TSocket extends WebSocketLike = GlobalWebSocket> {
  readonly socket: TSocket;
  /** Resolves once, when the socket has closed. Never rejects. */
  readonly closed: Promise<WebSocketClosed>;
  /**
   * Starts the closing handshake; further calls do nothing. A peer that has not answered within a second counts as gone:
   * `closed` resolves with code 1006, and a socket of `ws` is terminated.
   *
   * @param code 1000 or 3000 to 4999. Default: none, which the peer sees as 1005.
   * @param reason at most 123 bytes of UTF-8. Default: none.
   * @throws what the socket's own `close` throws for a code or a reason out of range; the session then stays open.
   */
  close(code?: number, reason?: string): void;
}

/** The names of the close codes (RFC 6455 section 7.4.1 and the IANA registry). */
const CODE_NAMES: Readonly<Record<number, string>> = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'no status received',
  1006: 'abnormal closure',
  1007: 'invalid payload data',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'mandatory extension',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
  1014: 'bad gateway',
  1015: 'TLS handshake failed',
  3000: 'unauthorized',
  3003: 'forbidden',
};

/** How a WebSocket session ended: what its `closed` resolves with. */
export class WebSocketClosed implements WebSocketEnd {
  constructor(
    /** The close code: 1005 when the peer gave none, 1006 when the connection was lost. */
    readonly code: number,
    /** The peer's words; may be empty. */
    readonly reason: string,
    /** Whether the closing handshake was completed. */
    readonly wasClean: boolean,
  ) {}

  /** In words, such as `closed with code 1008 (policy violation): token expired`. */
  get message(): string {
    const name = CODE_NAMES[this.code];
    return `closed with code ${this.code}${name === undefined ? '' : ` (${name})`}${this.reason && `: ${this.reason}`}`;
  }

  toString(): string {
    return this.message;
  }
}

/** What is known of a WebSocket that did not open. */
interface WebSocketFailure {
  /** What the platform said. */
  cause?: unknown;
  code?: number | undefined;
  status?: number | undefined;
  retryAfter?: number | undefined;
}

/** A WebSocket that did not open. `cause` is what the platform said, if it said anything: browsers do not. */
export class WebSocketConnectError extends Error {
  override readonly name = 'WebSocketConnectError';
  /** The close code, when the socket closed without an error. */
  readonly code: number | undefined;
  /** The HTTP status the server answered with instead of opening, such as 401. Only the `ws` package tells it. */
  readonly status: number | undefined;
  /** What the server asked to wait, in ms, in the header `Retry-After` of that answer. Only the `ws` package tells it. */
  readonly retryAfter: number | undefined;

  constructor(
    /** Where to, without credentials, query and fragment: those may be secrets, and errors end up in logs. */
    readonly url: string,
    why: string,
    { cause, code, status, retryAfter }: WebSocketFailure = {},
  ) {
    super(`could not connect to ${url}${why && `: ${why}`}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Makes a `connect` for `reconnect` or `createReconnectMachine` that opens a WebSocket.
 *
 * `connect` rejects with a {@link WebSocketConnectError} when the socket does not open, with the signal's reason when aborted,
 * and with whatever a `url` function throws. Messages that arrive right after opening wait until the socket's listeners can
 * have been added: in the chart's `connected` event, or right after `await connection.connected()`.
 *
 * @throws {TypeError} when no class is given and there is no global `WebSocket`, as in Node 20.
 */
export function websocket<TInput = void, TSocket extends WebSocketLike = GlobalWebSocket>(
  url: WebSocketUrl<TInput>,
  options: WebSocketOptions<TSocket> = {},
): (args: ConnectArgs<TInput>) => Promise<WebSocketSession<TSocket>> {
  const Socket = options.WebSocket ?? globalWebSocket<TSocket>();
  return async (args) => {
    const { signal } = args;
    signal.throwIfAborted();
    const address = typeof url === 'function' ? await url(args) : url;
    return handshake(signal, (resolve, reject) => {
      const failure = (why: string, known: WebSocketFailure): WebSocketConnectError =>
        new WebSocketConnectError(publicPart(address), why, known);
      let socket: TSocket;
      try {
        socket = new Socket(address, options.protocols);
      } catch (cause) {
        throw failure(describeCause(cause), { cause });
      }
      const closed = new Promise<WebSocketClosed>((settle) => {
        socket.addEventListener('close', ({ code, reason, wasClean }) => {
          const end = new WebSocketClosed(code, reason, wasClean);
          settle(end);
          reject(failure(end.message, { code }));
        });
      });
      // This one stays: `ws` throws an `error` that nobody listens to, and reports one even after an abort.
      socket.addEventListener('error', (event) => {
        const { error: cause, message } = event as { error?: unknown; message?: string };
        reject(failure(describeCause(cause) || (message ?? ''), { cause }));
      });
      socket.on?.('unexpected-response', (_request, { statusCode: status, headers }) => {
        const header = headers['retry-after'];
        const retryAfter = typeof header === 'string' ? parseRetryAfter(header) : undefined;
        reject(failure(`Unexpected server response: ${status}`, { status, retryAfter }));
        // `ws` leaves the request to whoever listens to this.
        abandon(socket);
      });
      socket.addEventListener('open', () => {
        holdMessages(socket);
        resolve(createSession(socket, closed));
      });
      return () => abandon(socket);
    });
  };
}

function globalWebSocket<TSocket>(): new (url: string | URL, protocols?: string | string[]) => TSocket {
  const { WebSocket } = globalThis as { WebSocket?: unknown };
  if (typeof WebSocket === 'function') return WebSocket as ReturnType<typeof globalWebSocket<TSocket>>;
  throw new TypeError(
    'websocket: there is no global WebSocket here (Node has one from version 22 on): ' +
      'pass the class of the `ws` package, as in websocket(url, { WebSocket })',
  );
}

/** The address without what may be secret. */
function publicPart(address: string | URL): string {
  try {
    const { protocol, host, pathname } = new URL(address);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return String(address).replace(/[?#].*$/su, '');
  }
}

/**
 * `ws` delivers what came along with the handshake before any promise callback can run, and nobody would be listening yet. So it
 * waits for one macrotask. The others deliver messages in tasks of their own.
 */
function holdMessages(socket: WebSocketLike): void {
  if (socket.pause === undefined) return;
  socket.pause();
  setTimeout(() => socket.resume?.(), 0);
}

/** Releases a socket without ceremony. */
function abandon(socket: WebSocketLike): void {
  if (socket.terminate === undefined) socket.close();
  else socket.terminate();
}

function createSession<TSocket extends WebSocketLike>(
  socket: TSocket,
  ended: Promise<WebSocketClosed>,
): WebSocketSession<TSocket> {
  let closing = false;
  let giveUp: (end: WebSocketClosed) => void;
  const givenUp = new Promise<WebSocketClosed>((resolve) => {
    giveUp = resolve;
  });
  return {
    socket,
    closed: Promise.race([ended, givenUp]),
    close(code, reason) {
      if (closing) return;
      socket.close(code, reason);
      closing = true;
      const timer = setTimeout(() => {
        giveUp(new WebSocketClosed(1006, '', false));
        abandon(socket);
      }, CLOSE_GRACE_MS);
      ended.then(() => clearTimeout(timer));
    },
  };
}
