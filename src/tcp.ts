/** TCP and TLS sessions, for Node. */
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { ConnectArgs } from '../machines/vocabulary';
import { CLOSE_GRACE_MS, describeCause, handshake } from './session';

/** Where to connect to: what `net.connect` takes, and whether to speak TLS. */
export interface TcpOptions extends Omit<net.TcpNetConnectOpts, 'signal'> {
  /** Speak TLS: true, or what `tls.connect` takes. `servername` is by default the host, if that is a name. Default false. */
  tls?: boolean | tls.ConnectionOptions;
}

/** An open TCP or TLS connection. */
export interface TcpSession {
  /** A `tls.TLSSocket` if `tls` was asked for. */
  readonly socket: net.Socket;
  /** Resolves once, when the socket has closed. Never rejects. Node notices the peer's end after its data was read. */
  readonly closed: Promise<TcpClosed>;
  /**
   * Writes out what is left, ends the connection, and releases the socket when the peer has ended it too. A peer that stops
   * reading for a second, or takes longer than a second to end its side, is not waited for. Further calls do nothing.
   */
  close(): void;
}

/** How a TCP session ended: what its `closed` resolves with. */
export class TcpClosed {
  constructor(
    /** The socket's error, such as `ECONNRESET`; undefined if it ended in order. */
    readonly error: Error | undefined,
    /** Whether the socket closed because of an error. */
    readonly hadError: boolean,
  ) {}

  /** In words, such as `closed: read ECONNRESET`. */
  get message(): string {
    const why = describeCause(this.error);
    return `closed${why && `: ${why}`}`;
  }

  toString(): string {
    return this.message;
  }
}

/** A connection that was not established. `cause` is the socket's error. */
export class TcpConnectError extends Error {
  override readonly name = 'TcpConnectError';
  /** The error's code, such as `ECONNREFUSED` or `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly code: string | undefined;

  constructor(
    /** Where to, as `host:port`. */
    readonly address: string,
    cause: Error | undefined,
  ) {
    const why = cause === undefined ? 'closed before it was open' : describeCause(cause);
    super(`could not connect to ${address}: ${why}`, cause && { cause });
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code;
  }
}

/**
 * Makes a `connect` for `reconnect` or `createReconnectMachine` that opens a TCP connection, or a TLS one.
 *
 * `connect` rejects with a {@link TcpConnectError} when the connection or the TLS handshake fails, with the signal's reason when
 * aborted, with Node's own error for options it refuses, and with whatever an options function throws.
 *
 * @param options where to, or a function that is asked before each attempt.
 */
export function tcp<TInput = void>(
  options: TcpOptions | ((args: ConnectArgs<TInput>) => TcpOptions | PromiseLike<TcpOptions>),
): (args: ConnectArgs<TInput>) => Promise<TcpSession> {
  return async (args) => {
    const { signal } = args;
    signal.throwIfAborted();
    const target = typeof options === 'function' ? await options(args) : options;
    return handshake(signal, (resolve, reject) => {
      const socket = open(target);
      let error: Error | undefined;
      // This one stays: Node throws an `error` that nobody listens to.
      socket.on('error', (reason) => {
        error ??= reason;
      });
      const closed = new Promise<TcpClosed>((settle) => {
        socket.once('close', (hadError) => {
          settle(new TcpClosed(error, hadError));
          reject(new TcpConnectError(`${target.host ?? 'localhost'}:${target.port}`, error));
        });
      });
      socket.once(target.tls ? 'secureConnect' : 'connect', () => resolve(createSession(socket, closed)));
      return () => socket.destroy();
    });
  };
}

function open({ tls: secure, ...options }: TcpOptions): net.Socket {
  if (!secure) return net.connect(options);
  // Unlike https, `tls.connect` names no server by itself, and one that serves several would not know which is meant.
  const servername = options.host !== undefined && net.isIP(options.host) === 0 ? { servername: options.host } : {};
  return tls.connect({ ...options, ...servername, ...(secure === true ? {} : secure) });
}

function createSession(socket: net.Socket, closed: Promise<TcpClosed>): TcpSession {
  let closing = false;
  return {
    socket,
    closed,
    close() {
      if (closing || socket.destroyed) return;
      closing = true;
      // A socket closed with unread data in it is reset, and the peer may lose what it has not read: so read to the end.
      socket.end();
      socket.resume();
      // The socket's own timeout starts anew whenever the peer takes data: a slow reader gets everything.
      socket.setTimeout(CLOSE_GRACE_MS, () => socket.destroy());
      const expire = (): void => {
        const timer = setTimeout(() => socket.destroy(), CLOSE_GRACE_MS);
        socket.once('close', () => clearTimeout(timer));
      };
      if (socket.writableFinished) expire();
      else socket.once('finish', expire);
    },
  };
}
