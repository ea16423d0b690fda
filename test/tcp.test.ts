import { getEventListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type ReconnectHandleOptions, reconnect } from '../src/index';
import { TcpClosed, TcpConnectError, type TcpOptions, type TcpSession, tcp } from '../src/tcp';
import { attempt, rejection } from './support/attempts';
import { afterTest, certificate, closedPort, gone, tcpServer, tlsServer } from './support/servers';
import './support/unhandled';

const backoff = { initial: 20, max: 100 };
const at = (port: number): TcpOptions => ({ host: '127.0.0.1', port });
const securely = (port: number): TcpOptions => ({ ...at(port), tls: { ca: certificate.cert } });

/** Opens one session, which is gone after the test. */
async function open(options: TcpOptions): Promise<TcpSession> {
  const session = await tcp(options)(attempt());
  afterTest(() => session.socket.destroy());
  return session;
}

/** A connection that is stopped after the test, and a way to wait for its next failure. */
function keep(options: ReconnectHandleOptions<TcpSession>) {
  const connection = reconnect({ backoff, ...options });
  afterTest(() => connection.stop());
  const retried = (): Promise<unknown> =>
    new Promise((resolve) => connection.actor.on('retrying', ({ error }) => resolve(error)));
  return { connection, retried };
}

const kinds = [
  { kind: 'tcp', serve: tcpServer, to: at },
  { kind: 'tls', serve: tlsServer, to: securely },
];

describe.each(kinds)('$kind', ({ kind, serve, to }) => {
  it('resolves with an open socket', async () => {
    const server = await serve((peer) => peer.end('hello'));
    const { socket, closed } = await open(to(server.port));
    expect(socket instanceof TLSSocket).toBe(kind === 'tls');
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toBe('hello');
    expect(await closed).toEqual(new TcpClosed(undefined, false));
    expect(String(await closed)).toBe('closed');
  });

  it('asks an options function before each attempt', async () => {
    const server = await serve();
    const attempts: number[] = [];
    const refusing = await closedPort();
    const { connection } = keep({
      connect: tcp(async ({ attempt }) => {
        attempts.push(attempt);
        return to(attempt < 3 ? refusing : server.port);
      }),
    });
    await connection.connected();
    expect(attempts).toEqual([1, 2, 3]);
  });

  it('refused: says where and why', async () => {
    const port = await closedPort();
    const error = await rejection(tcp(to(port))(attempt()));
    expect(error).toBeInstanceOf(TcpConnectError);
    expect(error).toMatchObject({
      name: 'TcpConnectError',
      address: `127.0.0.1:${port}`,
      message: `could not connect to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
      code: 'ECONNREFUSED',
      cause: { syscall: 'connect' },
    });
  });

  it('O3 opens nothing when aborted before', async () => {
    const server = await tcpServer();
    const reason = new Error('not wanted');
    expect(await rejection(tcp(to(server.port))(attempt(AbortSignal.abort(reason))))).toBe(reason);
    await wait(20);
    expect(server.peers.length).toBe(0);
  });

  it('O3 aborted while the connection is made', async () => {
    const server = await tcpServer();
    const controller = new AbortController();
    const opening = tcp(to(server.port))(attempt(controller.signal));
    controller.abort();
    expect(await rejection(opening)).toMatchObject({ name: 'AbortError' });
  });

  it('O2 a session that comes after the abort is closed and never seen', async () => {
    const server = await serve();
    const connect = tcp(to(server.port));
    const { connection } = keep({
      connect: async (args) => {
        const session = await connect(args);
        connection.stop();
        return session;
      },
    });
    await rejection(connection.connected());
    await gone(await server.peers.next());
    expect(connection.session).toBeUndefined();
  });

  it('O5 nothing listens to the signal once open or refused', async () => {
    const server = await serve();
    const { signal } = new AbortController();
    const session = await tcp(to(server.port))(attempt(signal));
    afterTest(() => session.socket.destroy());
    await rejection(tcp(to(await closedPort()))(attempt(signal)));
    await rejection(tcp(to(-1))(attempt(signal)));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('closed tells a reset', async () => {
    const server = await tcpServer();
    const plain = await open(at(server.port));
    (await server.peers.next()).resetAndDestroy();
    expect(await plain.closed).toMatchObject({ hadError: true, error: { code: 'ECONNRESET' } });
    expect((await plain.closed).message).toBe('closed: read ECONNRESET');
  });

  it('close delivers everything written before, also to a slow reader', async () => {
    const server = await serve((peer) => peer.pause());
    const session = await open(to(server.port));
    const peer = await server.peers.next();
    // What the peer writes and we never read must not turn the end into a reset.
    peer.write('unread');
    session.socket.write(Buffer.alloc(8_000_000));
    session.close();
    let bytes = 0;
    for await (const chunk of peer) {
      bytes += (chunk as Buffer).length;
      if (bytes % 10 === 0) await wait(1);
    }
    expect(bytes).toBe(8_000_000);
    expect(await session.closed).toMatchObject({ hadError: false });
  });

  it('close is safe any number of times, also after the end', async () => {
    const server = await serve();
    const session = await open(to(server.port));
    session.close();
    session.close();
    await session.closed;
    session.close();
    const ended = await open(to(server.port));
    ended.socket.destroy();
    ended.close();
    expect(await ended.closed).toMatchObject({ hadError: false });
  });

  it('O5 close lets go of a peer that stops reading', async () => {
    const server = await serve((peer) => peer.pause());
    const session = await open(to(server.port));
    session.socket.write(Buffer.alloc(50_000_000));
    session.close();
    expect(await session.closed).toMatchObject({ hadError: false });
    expect(session.socket.destroyed).toBe(true);
  });

  it('O5 close lets go of a peer that goes on talking', async () => {
    const server = await tcpServer();
    const session = await open({ ...at(server.port), allowHalfOpen: true });
    const peer = await server.peers.next();
    peer.allowHalfOpen = true;
    const talk = setInterval(() => peer.write('and another thing'), 5);
    afterTest(() => clearInterval(talk));
    session.close();
    await session.closed;
    expect(session.socket.destroyed).toBe(true);
  });

  it('O1 is closed by the chart when stopped', async () => {
    const server = await serve();
    const { connection } = keep({ connect: tcp(to(server.port)) });
    const { closed } = await connection.connected();
    connection.stop();
    expect(await closed).toMatchObject({ hadError: false });
  });

  it('connects again when the server was killed and is back', async () => {
    const server = await serve((peer) => peer.resume());
    const { connection } = keep({ connect: tcp(to(server.port)), backoff: { ...backoff, minUptime: 0 } });
    const first = await connection.connected();
    first.socket.resume();
    await connection.status();
    await server.kill();
    await first.closed;
    expect(await connection.status()).toBe('disconnected');
    await serve(undefined, server.port);
    const second = await connection.connected();
    expect(second).not.toBe(first);
  });

  it('backs off from a server that refuses', async () => {
    const { retried } = keep({ connect: tcp(to(await closedPort())) });
    for (let count = 0; count < 3; count += 1) expect(await retried()).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('backs off from a server that accepts and closes at once', async () => {
    const server = await serve((peer) => peer.end());
    const { connection, retried } = keep({ connect: tcp(to(server.port)), backoff: { ...backoff, minUptime: 60_000 } });
    connection.actor.on('connected', () => connection.session?.socket.resume());
    for (let count = 0; count < 3; count += 1) expect(await retried()).toBeInstanceOf(TcpClosed);
  });
});

describe('tcp', () => {
  it('names every address of a host that has several', async () => {
    const port = await closedPort();
    const error = await rejection(tcp({ host: 'localhost', port })(attempt()));
    expect(String(error)).toContain('ECONNREFUSED');
  });
});

describe('tls', () => {
  it('refuses a certificate that nobody vouches for, and says so', async () => {
    const server = await tlsServer();
    const error = await rejection(tcp({ ...at(server.port), tls: true })(attempt()));
    expect(error).toMatchObject({ name: 'TcpConnectError', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  it('names the server it means', async () => {
    const server = await tlsServer();
    await open({ ...securely(server.port), host: 'localhost', family: 4 });
    expect(((await server.peers.next()) as TLSSocket & { servername: unknown }).servername).toBe('localhost');
  });

  it('fails when the server closes or resets in the handshake', async () => {
    const closing = await tcpServer((peer) => peer.end());
    const resetting = await tcpServer((peer) => peer.resetAndDestroy());
    for (const { port } of [closing, resetting]) {
      const error = await rejection(tcp(securely(port))(attempt()));
      expect(error).toMatchObject({ name: 'TcpConnectError', code: 'ECONNRESET' });
    }
  });

  it('O3 aborted in the handshake: the server sees the socket go away', async () => {
    const server = await tcpServer();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const opening = tcp(securely(server.port))(attempt(controller.signal));
    const peer = await server.peers.next();
    await new Promise((resolve) => peer.once('data', resolve));
    controller.abort(reason);
    expect(await rejection(opening)).toBe(reason);
    await gone(peer);
  });

  it('O3 aborted in the handshake by stop', async () => {
    const server = await tcpServer();
    const { connection } = keep({ connect: tcp(securely(server.port)) });
    const peer = await server.peers.next();
    connection.stop();
    await gone(peer);
  });
});
