import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createReconnectMachine, type ReconnectHandleOptions, reconnect } from '../src/index';
import { WebSocketClosed, WebSocketConnectError, type WebSocketSession, websocket } from '../src/websocket';
import { attempt, rejection } from './support/attempts';
import { afterTest, closedPort, faultServer, gone, httpServer, tcpServer, webSocketServer } from './support/servers';
import './support/unhandled';
import { createActor } from 'xstate';

const backoff = { initial: 20, max: 100 };
const at = (port: number): string => `ws://127.0.0.1:${port}/feed`;

/** Opens one session, which is gone after the test. */
async function open(port: number): Promise<WebSocketSession<WebSocket>> {
  const session = await websocket(at(port), { WebSocket })(attempt());
  afterTest(() => session.socket.terminate());
  return session;
}

/** A connection that is stopped after the test, and what its chart emitted. */
function keep(options: ReconnectHandleOptions<WebSocketSession<WebSocket>>) {
  const connection = reconnect({ backoff, ...options });
  afterTest(() => connection.stop());
  const errors: unknown[] = [];
  connection.actor.on('retrying', ({ error }) => errors.push(error));
  const retried = (): Promise<unknown> =>
    new Promise((resolve) => connection.actor.on('retrying', ({ error }) => resolve(error)));
  return { connection, errors, retried };
}

/** Holds the request of a raw TCP connection to a server that never answers it. */
async function requested(peer: Socket): Promise<Socket> {
  await new Promise((resolve) => peer.once('data', resolve));
  return peer;
}

describe('opening', () => {
  it('resolves with an open socket, whose class is the one that was given', async () => {
    const server = await webSocketServer();
    const { socket } = await open(server.port);
    expect(socket).toBeInstanceOf(WebSocket);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it('asks for the protocols', async () => {
    const server = await webSocketServer();
    const session = await websocket(at(server.port), { WebSocket, protocols: ['chat'] })(attempt());
    afterTest(() => session.socket.terminate());
    expect(session.socket.protocol).toBe('chat');
  });

  it('takes a URL object', async () => {
    const server = await webSocketServer();
    const session = await websocket(new URL(at(server.port)), { WebSocket })(attempt());
    session.close();
    expect((await session.closed).wasClean).toBe(true);
  });

  it('asks a url function before each attempt, with what the attempt knows', async () => {
    const urls: (string | undefined)[] = [];
    const server = await webSocketServer((peer, { url }) => {
      urls.push(url);
      if (urls.length < 3) peer.close(1013);
    });
    const { connection } = keep({
      connect: websocket(async ({ attempt }) => `${at(server.port)}?token=${attempt}-${urls.length}`, { WebSocket }),
      // On a slow machine a session that is ended at once may live longer than the first delay.
      backoff: { ...backoff, minUptime: 60_000 },
    });
    while (urls.length < 3) await server.peers.next();
    expect(urls).toEqual(['/feed?token=1-0', '/feed?token=2-1', '/feed?token=3-2']);
    await connection.connected();
  });

  it('without a global WebSocket says what to pass', () => {
    const { WebSocket: own } = globalThis;
    Reflect.deleteProperty(globalThis, 'WebSocket');
    try {
      expect(() => websocket('ws://127.0.0.1')).toThrow(/no global WebSocket.*pass the class of the `ws` package/u);
    } finally {
      if (own !== undefined) globalThis.WebSocket = own;
    }
  });

  it('defaults to the global WebSocket', async () => {
    const { WebSocket: own } = globalThis;
    Object.assign(globalThis, { WebSocket });
    try {
      const server = await webSocketServer();
      const session = await websocket(at(server.port))(attempt());
      expect(session.socket).toBeInstanceOf(WebSocket);
      session.close();
      await session.closed;
    } finally {
      if (own === undefined) Reflect.deleteProperty(globalThis, 'WebSocket');
      else globalThis.WebSocket = own;
    }
  });
});

describe('a handshake that fails', () => {
  it('refused: says where and why', async () => {
    const port = await closedPort();
    const error = await rejection(websocket(at(port), { WebSocket })(attempt()));
    expect(error).toBeInstanceOf(WebSocketConnectError);
    expect(error).toMatchObject({
      name: 'WebSocketConnectError',
      url: at(port),
      message: `could not connect to ${at(port)}: connect ECONNREFUSED 127.0.0.1:${port}`,
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('keeps credentials and tokens out of the message', async () => {
    const port = await closedPort();
    const connect = websocket(`ws://user:secret@127.0.0.1:${port}/feed?token=secret#secret`, { WebSocket });
    expect(String(await rejection(connect(attempt())))).not.toContain('secret');
    const relative = websocket('/feed?token=secret', { WebSocket });
    expect(await rejection(relative(attempt()))).toMatchObject({ name: 'WebSocketConnectError', url: '/feed' });
  });

  it('names every address of a host that has several', async () => {
    const port = await closedPort();
    const error = await rejection(websocket(`ws://localhost:${port}`, { WebSocket })(attempt()));
    expect(String(error)).toContain('ECONNREFUSED');
  });

  it('answered with HTTP 401', async () => {
    const server = await faultServer({ behaviour: { kind: 'refuse', status: 401 } });
    const error = await rejection(websocket(at(server.port), { WebSocket })(attempt()));
    expect(error).toBeInstanceOf(WebSocketConnectError);
    expect(error).toMatchObject({
      name: 'WebSocketConnectError',
      message: `could not connect to ${at(server.port)}: Unexpected server response: 401`,
      status: 401,
      retryAfter: undefined,
      code: undefined,
    });
  });

  it.each([
    [401, undefined, undefined],
    [429, '120', 120_000],
    [503, '0', 0],
    [503, 'soon', undefined],
  ])('answered with HTTP %i and Retry-After %j', async (status, header, retryAfter) => {
    const server = await httpServer((_, response) => {
      response.writeHead(status, header === undefined ? {} : { 'retry-after': header }).end('not now');
    });
    expect(await rejection(websocket(at(server.port), { WebSocket })(attempt()))).toMatchObject({ status, retryAfter });
    await gone(await server.peers.next());
  });

  it('answered with a Retry-After that is a date, which counts from now', async () => {
    const seconds = (ms: number): number => Math.floor(ms / 1_000) * 1_000;
    const date = seconds(Date.now()) + 3_600_000;
    const server = await httpServer((_, response) => {
      response.writeHead(503, { 'retry-after': new Date(date).toUTCString() }).end();
    });
    const before = Date.now();
    const error = await rejection(websocket(at(server.port), { WebSocket })(attempt()));
    const after = Date.now();
    expect(error).toMatchObject({ status: 503 });
    const { retryAfter } = error as WebSocketConnectError;
    expect(retryAfter).toBeLessThanOrEqual(date - before);
    expect(retryAfter).toBeGreaterThanOrEqual(date - after);
  });

  it('O5 answered without an end: the answer is not waited for, and the connection is let go', async () => {
    const server = await httpServer(
      (_, response) => void response.writeHead(429, { 'retry-after': '7' }).write('busy'),
    );
    const { signal } = new AbortController();
    const error = await rejection(websocket(at(server.port), { WebSocket })(attempt(signal)));
    expect(error).toMatchObject({ status: 429, retryAfter: 7_000 });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await gone(await server.peers.next());
  });

  it('answered with a redirect: its status, or where the class follows it, what is there', async () => {
    class Following extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols, { followRedirects: true });
      }
    }
    const refusing = await httpServer((_, response) => void response.writeHead(403).end());
    const accepting = await webSocketServer();
    const redirecting = await httpServer(({ url }, response) => {
      const { port } = url === '/refused' ? refusing : accepting;
      response.writeHead(307, { location: at(port) }).end();
    });
    const start = (path: string): string => `ws://127.0.0.1:${redirecting.port}${path}`;
    expect(await rejection(websocket(start('/'), { WebSocket })(attempt()))).toMatchObject({ status: 307 });
    const refused = websocket(start('/refused'), { WebSocket: Following })(attempt());
    expect(await rejection(refused)).toMatchObject({ status: 403 });
    const session = await websocket(start('/'), { WebSocket: Following })(attempt());
    session.close();
    expect(await session.closed).toMatchObject({ wasClean: true });
    for (let connections = 0; connections < 3; connections += 1) await gone(await redirecting.peers.next());
    await gone(await refusing.peers.next());
  });

  it('accepted, then closed or reset', async () => {
    const closing = await tcpServer((peer) => peer.destroy());
    const resetting = await tcpServer((peer) => peer.resetAndDestroy());
    for (const { port } of [closing, resetting]) {
      expect(await rejection(websocket(at(port), { WebSocket })(attempt()))).toMatchObject({
        name: 'WebSocketConnectError',
        cause: { code: 'ECONNRESET' },
      });
    }
  });

  it('a url function that throws fails the attempt with what it threw', async () => {
    const reason = new Error('no token');
    const connect = websocket(() => Promise.reject(reason), { WebSocket });
    expect(await rejection(connect(attempt()))).toBe(reason);
  });

  it('an address that is none fails the attempt', async () => {
    const error = await rejection(websocket('http//nowhere', { WebSocket })(attempt()));
    expect(error).toMatchObject({ name: 'WebSocketConnectError', cause: { name: 'SyntaxError' } });
  });
});

describe('O3 an aborted attempt', () => {
  it('O3 opens nothing when aborted before', async () => {
    const server = await tcpServer();
    let asked = false;
    const url = (): string => {
      asked = true;
      return at(server.port);
    };
    const reason = new Error('not wanted');
    expect(await rejection(websocket(url, { WebSocket })(attempt(AbortSignal.abort(reason))))).toBe(reason);
    await wait(20);
    expect(asked).toBe(false);
    expect(server.peers.length).toBe(0);
  });

  it('O3 opens nothing when aborted while its url is made', async () => {
    const server = await tcpServer();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const url = async (): Promise<string> => {
      controller.abort(reason);
      return at(server.port);
    };
    expect(await rejection(websocket(url, { WebSocket })(attempt(controller.signal)))).toBe(reason);
    await wait(20);
    expect(server.peers.length).toBe(0);
  });

  it('O3 before the connection is made: nothing uncaught', async () => {
    const server = await tcpServer();
    const controller = new AbortController();
    const opening = websocket(at(server.port), { WebSocket })(attempt(controller.signal));
    controller.abort();
    expect(await rejection(opening)).toMatchObject({ name: 'AbortError' });
  });

  it('O3 in the handshake: the server sees the socket go away', async () => {
    const server = await tcpServer();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const opening = websocket(at(server.port), { WebSocket })(attempt(controller.signal));
    const peer = await requested(await server.peers.next());
    controller.abort(reason);
    expect(await rejection(opening)).toBe(reason);
    await gone(peer);
  });

  it('O3 as the server refuses: nothing uncaught', async () => {
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const server = await httpServer((_, response) => {
      response.writeHead(401).write('no');
      controller.abort(reason);
    });
    const opening = websocket(at(server.port), { WebSocket })(attempt(controller.signal));
    expect(await rejection(opening)).toBe(reason);
    await gone(await server.peers.next());
  });

  it("O3 the reason is the signal's, though the socket reports an error in the act, as Node's own does", async () => {
    class Loud extends WebSocket {
      override terminate(): void {
        this.emit('error', new Error('closed before it was established'));
        super.terminate();
      }
    }
    const server = await tcpServer();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const opening = websocket(at(server.port), { WebSocket: Loud })(attempt(controller.signal));
    const peer = await requested(await server.peers.next());
    controller.abort(reason);
    expect(await rejection(opening)).toBe(reason);
    await gone(peer);
  });

  it('O3 by stop, through the chart', async () => {
    const server = await tcpServer();
    const { connection, errors } = keep({ connect: websocket(at(server.port), { WebSocket }) });
    const peer = await requested(await server.peers.next());
    connection.stop();
    await gone(peer);
    expect(errors).toEqual([]);
  });

  it('O2 a socket that opens after the abort is closed and never seen', async () => {
    const server = await webSocketServer();
    const connect = websocket(at(server.port), { WebSocket });
    const opened: WebSocketSession<WebSocket>[] = [];
    const { connection } = keep({
      connect: async (args) => {
        const late = await connect(args);
        opened.push(late);
        connection.stop();
        return late;
      },
    });
    await rejection(connection.connected());
    while (opened.length === 0) await wait(1);
    expect((await opened[0]!.closed).wasClean).toBe(true);
    expect(connection.session).toBeUndefined();
  });

  it('O5 nothing listens to the signal once open, refused or aborted', async () => {
    const server = await webSocketServer();
    const { signal } = new AbortController();
    const listeners = (): number => getEventListeners(signal, 'abort').length;
    const session = await websocket(at(server.port), { WebSocket })(attempt(signal));
    expect(listeners()).toBe(0);
    session.close();
    await session.closed;
    await rejection(websocket(at(await closedPort()), { WebSocket })(attempt(signal)));
    await rejection(websocket('http//nowhere', { WebSocket })(attempt(signal)));
    expect(listeners()).toBe(0);
  });
});

describe('closed', () => {
  it('tells the code and the reason the server gave', async () => {
    const server = await webSocketServer((peer) => peer.close(4001, 'token expired'));
    const closed = await (await open(server.port)).closed;
    expect(closed).toBeInstanceOf(WebSocketClosed);
    expect(closed).toMatchObject({ code: 4001, reason: 'token expired', wasClean: true });
    expect(String(closed)).toBe('closed with code 4001: token expired');
  });

  it('tells a connection that was lost', async () => {
    const server = await webSocketServer((peer) => peer.terminate());
    const closed = await (await open(server.port)).closed;
    expect(closed).toMatchObject({ code: 1006, reason: '', wasClean: false });
    expect(closed.message).toBe('closed with code 1006 (abnormal closure)');
  });

  it('tells one that was reset, where error and close both come, and leaves nothing uncaught', async () => {
    const server = await webSocketServer((_, { socket }) => void setImmediate(() => socket.resetAndDestroy()));
    expect(await (await open(server.port)).closed).toMatchObject({ code: 1006, wasClean: false });
  });

  it('tells a frame that is none', async () => {
    const server = await webSocketServer((_, { socket }) => void socket.write(Buffer.from([0xff, 0xff])));
    expect(await (await open(server.port)).closed).toMatchObject({ code: 1006 });
  });

  it('reads well in the give-up error', async () => {
    const server = await webSocketServer((peer) => peer.close(1008, 'no'));
    const { connection } = keep({
      connect: websocket(at(server.port), { WebSocket }),
      backoff: { ...backoff, minUptime: 60_000, timeout: 50 },
    });
    expect(await rejection(connection.closed())).toMatchObject({
      message: 'reconnect timed out after 50ms: closed with code 1008 (policy violation): no',
      cause: { code: 1008 },
    });
  });
});

describe('close', () => {
  it('closes in order, with the code and the reason given', async () => {
    const server = await webSocketServer();
    const session = await open(server.port);
    const peer = await server.peers.next();
    const seen = new Promise((resolve) => peer.once('close', (code, reason) => resolve([code, reason.toString()])));
    session.close(4000, 'bye');
    expect(await seen).toEqual([4000, 'bye']);
    expect(await session.closed).toMatchObject({ code: 4000, wasClean: true });
  });

  it('is safe any number of times, also after the end', async () => {
    const server = await webSocketServer();
    const session = await open(server.port);
    session.close();
    session.close(4000, 'again');
    expect(await session.closed).toMatchObject({ code: 1005, wasClean: true });
    session.close();
    const ended = await open(server.port);
    ended.socket.terminate();
    await ended.closed;
    ended.close();
  });

  it('is not used up by a code that is out of range', async () => {
    const server = await webSocketServer();
    const session = await open(server.port);
    expect(() => session.close(1)).toThrow(TypeError);
    session.close();
    expect(await session.closed).toMatchObject({ wasClean: true });
  });

  it('O5 lets go of a peer that never answers', async () => {
    const server = await webSocketServer((_, { socket }) => void socket.pause());
    const session = await open(server.port);
    const peer = await server.peers.next();
    peer.pause();
    session.close();
    expect(await session.closed).toMatchObject({ code: 1006, wasClean: false });
    peer.resume();
    await new Promise((resolve) => peer.once('close', resolve));
    expect(session.socket.readyState).toBeGreaterThanOrEqual(WebSocket.CLOSING);
  });

  it('delivers what was sent before', async () => {
    const server = await webSocketServer();
    const session = await open(server.port);
    const peer = await server.peers.next();
    let bytes = 0;
    peer.on('message', (data) => {
      bytes += (data as Buffer).length;
    });
    for (let index = 0; index < 100; index += 1) session.socket.send(Buffer.alloc(100_000));
    session.close();
    await session.closed;
    expect(bytes).toBe(10_000_000);
  });

  it('O1 is called by the chart when stopped', async () => {
    const server = await webSocketServer();
    const { connection } = keep({ connect: websocket(at(server.port), { WebSocket }) });
    const { closed } = await connection.connected();
    connection.stop();
    expect(await closed).toMatchObject({ code: 1005, wasClean: true });
  });
});

describe('messages that come with the handshake', () => {
  const greeting = ['one', 'two', 'three'];

  /** Answers the upgrade and greets in one packet, so that the messages are there as soon as the socket is open. */
  const greetingServer = () =>
    webSocketServer((peer, { socket }) => {
      socket.cork();
      for (const word of greeting) peer.send(word);
      socket.uncork();
    });

  function collect(socket: WebSocket): Promise<string[]> {
    const words: string[] = [];
    return new Promise((resolve) => {
      socket.on('message', (data) => {
        if (words.push(String(data)) === greeting.length) resolve(words);
      });
      socket.on('close', () => resolve(words));
    });
  }

  it('reach a listener added after connect', async () => {
    const server = await greetingServer();
    const { socket } = await open(server.port);
    expect(await collect(socket)).toEqual(greeting);
  });

  it('reach a listener added after `await connection.connected()`', async () => {
    const server = await greetingServer();
    const { connection } = keep({ connect: websocket(at(server.port), { WebSocket }) });
    expect(await collect((await connection.connected()).socket)).toEqual(greeting);
  });

  it('reach a listener added in the event `connected`', async () => {
    const server = await greetingServer();
    const machine = createReconnectMachine({ connect: websocket(at(server.port), { WebSocket }) });
    const actor = createActor(machine);
    afterTest(() => actor.stop());
    const words = new Promise((resolve) => {
      actor.on('connected', () => resolve(collect(actor.getSnapshot().context.session!.socket)));
    });
    actor.start();
    expect(await words).toEqual(greeting);
  });

  it('reach a listener though the server closes at once', async () => {
    const server = await webSocketServer((peer) => {
      for (const word of greeting) peer.send(word);
      peer.close();
    });
    const { socket } = await open(server.port);
    expect(await collect(socket)).toEqual(greeting);
  });
});

describe('through reconnect()', () => {
  it('connects again when the server was killed and is back', async () => {
    const server = await webSocketServer();
    const { connection } = keep({
      connect: websocket(at(server.port), { WebSocket }),
      backoff: { ...backoff, minUptime: 0 },
    });
    const first = await connection.connected();
    await connection.status();
    await server.kill();
    expect(await first.closed).toMatchObject({ code: 1006 });
    expect(await connection.status()).toBe('disconnected');
    await webSocketServer(undefined, { port: server.port });
    const second = await connection.connected();
    expect(second).not.toBe(first);
    expect(second.socket.readyState).toBe(WebSocket.OPEN);
  });

  it.each([
    ['refuses', async () => closedPort(), 'ECONNREFUSED'],
    ['answers 401', async () => (await faultServer({ behaviour: { kind: 'refuse', status: 401 } })).port, '401'],
    ['resets', async () => (await tcpServer((peer) => peer.resetAndDestroy())).port, 'ECONNRESET'],
    ['accepts and closes the connection', async () => (await tcpServer((peer) => peer.destroy())).port, 'hang up'],
  ])('backs off from a server that %s', async (_, serve, why) => {
    const { retried } = keep({ connect: websocket(at(await serve()), { WebSocket }) });
    for (let count = 0; count < 3; count += 1) {
      const error = await retried();
      expect(error).toBeInstanceOf(WebSocketConnectError);
      expect(String(error)).toContain(why);
    }
  });

  it('backs off from a server that accepts and closes at once', async () => {
    const server = await webSocketServer((peer) => peer.close(1013));
    const { retried } = keep({
      connect: websocket(at(server.port), { WebSocket }),
      backoff: { ...backoff, minUptime: 60_000 },
    });
    expect(String(await retried())).toBe('closed with code 1013 (try again later)');
    expect(await retried()).toMatchObject({ code: 1013 });
  });
});
