import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { FaultServer } from './fault-server';
import { afterTest, faultServer, gone, serverProcess } from './servers';
import './unhandled';

/** Nothing here takes that long, but a busy machine may. */
const PATIENCE = { timeout: 30_000 };

/** A plain TCP client, gone after the test. */
async function dialTcp({ port }: { port: number }): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  afterTest(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** A plain WebSocket client, gone after the test. What it sees is collected from the start. */
function dial({ url }: { url: string }) {
  const socket = new WebSocket(url);
  socket.on('error', () => {});
  afterTest(() => socket.terminate());
  const opened = once(socket, 'open');
  opened.catch(() => {});
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  const echo = async (text: string): Promise<string> => {
    const answer = once(socket, 'message');
    socket.send(text);
    return String((await answer)[0]);
  };
  return { socket, opened, failed, closed, echo };
}

/** A client whose session is up. */
async function open(server: { url: string }) {
  const client = dial(server);
  await client.opened;
  return client;
}

/** Nothing that is on its way through loopback takes as long as this round trip with somebody else. */
async function roundTrips(server: FaultServer): Promise<void> {
  server.treatNext({ kind: 'serve' });
  const { echo } = await open(server);
  for (let i = 0; i < 10; i += 1) expect(await echo(`${i}`)).toBe(`${i}`);
}

describe('a server that serves', () => {
  it('echoes, answers pings, and counts dials, handshakes and connections', async () => {
    const server = await faultServer();
    const before = performance.now();
    const { socket, echo } = await open(server);
    expect(await echo('hello')).toBe('hello');
    socket.ping('alive');
    expect(String((await once(socket, 'pong'))[0])).toBe('alive');
    await dialTcp(server);
    const [first, second] = [await server.nextDial(), await server.nextDial()];
    expect([first.at >= before, second.at >= first.at]).toEqual([true, true]);
    expect(server.dials).toEqual([first, second]);
    expect({ upgrades: server.upgrades, open: server.open }).toEqual({ upgrades: 1, open: [first, second] });
    socket.close(1000);
    await first.ended;
    await expect.poll(() => server.open, PATIENCE).toEqual([second]);
  });

  it('lets a test wait for the next dial, and talk from its side of the session', async () => {
    const server = await faultServer();
    const next = server.nextDial();
    const { socket, closed } = dial(server);
    const heard = once(socket, 'message');
    const session = await (await next).session;
    session.send('from the server');
    expect(String((await heard)[0])).toBe('from the server');
    session.close(1012, 'restarting');
    expect(await closed).toEqual({ code: 1012, reason: 'restarting' });
  });

  it('leaves a healthy line to the site, and only that', async () => {
    const site = createHttpServer();
    new WebSocketServer({ server: site }).on('connection', (peer) => peer.send('the site'));
    const server = await faultServer({ site });
    const { socket } = dial(server);
    expect(String((await once(socket, 'message'))[0])).toBe('the site');
    server.treat({ kind: 'refuse', status: 503 });
    expect((await dial(server).failed).message).toContain('503');
    expect(server.upgrades).toBe(2);
  });
});

describe('before the handshake', () => {
  it('hang-up: ends the connection without a word', async () => {
    const server = await faultServer({ behaviour: { kind: 'hang-up' } });
    const socket = await dialTcp(server);
    await once(socket.resume(), 'end');
    expect(socket.bytesRead).toBe(0);
    expect((await dial(server).closed).code).toBe(1006);
    expect(server.upgrades).toBe(0);
  });

  it('reset: the client sees ECONNRESET', async () => {
    const server = await faultServer({ behaviour: { kind: 'reset' } });
    expect((await dial(server).failed).code).toBe('ECONNRESET');
  });

  it.each([401, 429, 503])('refuse: answers %i with Retry-After', async (status) => {
    const server = await faultServer({ behaviour: { kind: 'refuse', status, headers: { 'Retry-After': '2' } } });
    const { socket } = dial(server);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect({ status: response.statusCode, after: response.headers['retry-after'] }).toEqual({ status, after: '2' });
    expect(server.upgrades).toBe(1);
  });

  it('silence after 0 bytes: the handshake stalls on a connection that is up', async () => {
    const server = await faultServer({ behaviour: { kind: 'silence', after: 0 } });
    const { socket } = dial(server);
    const stalled = await server.nextDial();
    await expect.poll(() => server.upgrades, PATIENCE).toBe(1);
    await roundTrips(server);
    expect(socket.readyState).toBe(WebSocket.CONNECTING);
    expect(stalled.open).toBe(true);
    socket.terminate();
    await stalled.ended;
  });

  it('silence after N bytes: the answer stops in the middle', async () => {
    const server = await faultServer({ behaviour: { kind: 'silence', after: 12 } });
    const socket = await dialTcp(server);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toBe('HTTP/1.1 404');
    await roundTrips(server);
    expect(socket.bytesRead).toBe(12);
    expect(server.open).toContain(server.dials[0]);
  });
});

describe('after the handshake', () => {
  it('accept-then-close: with a code and a reason, or with none', async () => {
    const server = await faultServer();
    server.treatNext({ kind: 'accept-then-close', code: 1013, reason: 'overloaded' }, { kind: 'accept-then-close' });
    const first = await open(server);
    expect(await first.closed).toEqual({ code: 1013, reason: 'overloaded' });
    const second = await open(server);
    expect(await second.closed).toEqual({ code: 1005, reason: '' });
  });

  it('silence after the handshake: open, and neither answers nor closes', async () => {
    const server = await faultServer({ behaviour: { kind: 'silence', after: 'handshake' } });
    const { socket } = await open(server);
    const seen: string[] = [];
    for (const event of ['message', 'pong', 'close']) socket.on(event, () => seen.push(event));
    socket.send('anybody there?');
    socket.ping();
    await roundTrips(server);
    expect(seen).toEqual([]);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    // A goodbye is not answered either, but the server knows.
    socket.close(1000);
    await roundTrips(server);
    expect(seen).toEqual([]);
    socket.terminate();
    await server.dials[0]?.ended;
  });

  it('a session that has worked goes silent when told to', async () => {
    const server = await faultServer();
    const { socket, echo } = await open(server);
    expect(await echo('hello')).toBe('hello');
    const line = await server.nextDial();
    line.silence();
    const seen: string[] = [];
    for (const event of ['message', 'close']) socket.on(event, () => seen.push(event));
    socket.send('hello?');
    (await line.session).close(1011);
    await roundTrips(server);
    expect(seen).toEqual([]);
    expect({ open: line.open, state: socket.readyState }).toEqual({ open: true, state: WebSocket.OPEN });
  });

  it('a line is cut: by a reset, or by an end', async () => {
    const server = await faultServer();
    const first = await dialTcp(server);
    const failed = once(first, 'error');
    (await server.nextDial()).reset();
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
    const second = await dialTcp(server);
    (await server.nextDial()).hangUp();
    await once(second.resume(), 'end');
    const third = await open(server);
    const fourth = await open(server);
    server.hangUp();
    expect([(await third.closed).code, (await fourth.closed).code]).toEqual([1006, 1006]);
    await expect.poll(() => server.open, PATIENCE).toEqual([]);
  });
});

it('slow: the answer comes, after its time', async () => {
  const server = await faultServer({ behaviour: { kind: 'slow', ms: 60 } });
  const start = performance.now();
  const { echo } = await open(server);
  expect(await echo('hello')).toBe('hello');
  // Two pieces, the handshake and the echo; a timer may be 1 ms early.
  expect(performance.now() - start).toBeGreaterThanOrEqual(118);
});

it('behaviours are switched for all, for the next dials, and never for a line that is up', async () => {
  const server = await faultServer();
  const { echo } = await open(server);
  server.treat({ kind: 'refuse', status: 503 });
  server.treatNext({ kind: 'reset' }, { kind: 'serve' });
  expect((await dial(server).failed).code).toBe('ECONNRESET');
  await open(server);
  expect((await dial(server).failed).message).toContain('503');
  expect(await echo('still here')).toBe('still here');
});

it('stops listening, and comes back on the same port; lines that are up stay up', async () => {
  const server = await faultServer();
  const { echo } = await open(server);
  const { url } = server;
  server.stopListening();
  expect((await dial(server).failed).code).toBe('ECONNREFUSED');
  expect(await echo('still here')).toBe('still here');
  await server.listen();
  expect(server.url).toBe(url);
  const back = await open(server);
  expect(await back.echo('back')).toBe('back');
  expect(server.dials).toHaveLength(2);
});

it('close() leaves nothing: no listener, no connection, however silent', async () => {
  const server = await faultServer({ behaviour: { kind: 'silence', after: 'handshake' } });
  const { socket, closed } = await open(server);
  const raw = await dialTcp(server);
  await server.close();
  expect((await closed).code).toBe(1006);
  await gone(raw);
  expect(server.open).toEqual([]);
  expect((await dial(server).failed).code).toBe('ECONNREFUSED');
  socket.terminate();
});

it('a server process: kill -9 cuts without a goodbye, and it comes back on the same port', async () => {
  const server = await serverProcess();
  const { pid, port } = server;
  const { echo, closed } = await open(server);
  expect(await echo('hello')).toBe('hello');
  await server.kill();
  expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
  expect((await closed).code).toBe(1006);
  expect((await dial(server).failed).code).toBe('ECONNREFUSED');
  await server.start();
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  const back = await open(server);
  expect(await back.echo('back')).toBe('back');
  await server.treat({ kind: 'accept-then-close', code: 1013 });
  expect((await dial(server).closed).code).toBe(1013);
});
