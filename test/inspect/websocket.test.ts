/** The inspector in Node, and `@xstate/inspect`'s own receiver of XState 4 as its viewer, over a real WebSocket. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { assign, createActor, fromCallback, setup } from 'xstate';
import { reconnect } from '../../src/index';
import { type DecodedMessage, decodeMessage } from '../../src/inspect';
import { inspectOverWebSocket, type WebSocketInspector, type WebSocketInspectorOptions } from '../../src/inspect/node';
import { websocket } from '../../src/websocket';
import { afterTest, closedPort, webSocketServer } from '../support/servers';
import '../support/unhandled';
import { type AnyState, type AnyStateMachine, createWebSocketReceiver, type ParsedReceiverEvent } from '../xstate4';

const before = globalThis.WebSocket;
beforeAll(() => {
  // The receiver takes the browser's, which Node 20 does not have.
  globalThis.WebSocket = WebSocket as unknown as typeof globalThis.WebSocket;
});
afterAll(() => {
  globalThis.WebSocket = before;
});

/** What was heard, for tests that wait for something. */
class Heard<T> {
  readonly all: T[] = [];
  readonly #waiters = new Set<() => void>();

  push(item: T): void {
    this.all.push(item);
    for (const look of [...this.#waiters]) look();
  }

  /** Resolves with the first, of those after `from`, that `matches`. */
  until<TFound extends T>(matches: (item: T) => item is TFound, from?: number): Promise<TFound>;
  until(matches: (item: T) => boolean, from?: number): Promise<T>;
  until(matches: (item: T) => boolean, from = 0): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.all.slice(from).find(matches);
        if (found === undefined) return;
        this.#waiters.delete(look);
        resolve(found);
      };
      this.#waiters.add(look);
      look();
    });
  }
}

interface Inspected {
  inspector: WebSocketInspector;
  errors: Heard<Error>;
}

async function inspected(options: WebSocketInspectorOptions = {}): Promise<Inspected> {
  const errors = new Heard<Error>();
  const inspector = await inspectOverWebSocket({ onError: (error) => errors.push(error), ...options });
  afterTest(() => inspector.stop());
  return { inspector, errors };
}

/** XState 4's own receiver. */
function receive({ inspector }: Inspected) {
  const heard = new Heard<ParsedReceiverEvent>();
  const receiver = createWebSocketReceiver({ server: inspector.url.replace('ws://', ''), serialize: undefined });
  receiver.subscribe((message) => heard.push(message));
  return { receiver, heard };
}

/** A viewer that is no more than a socket. */
async function look(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { headers });
  afterTest(() => socket.terminate());
  const heard = new Heard<DecodedMessage>();
  socket.on('message', (data) => {
    const message = decodeMessage(String(data));
    if (message !== undefined) heard.push(message);
  });
  await once(socket, 'open');
  socket.send('{"type":"xstate.inspecting"}');
  return { socket, heard };
}

/** The status that a handshake is refused with. */
async function refusal(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, { headers });
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  socket.terminate();
  return response.statusCode;
}

type Registered = ParsedReceiverEvent & { type: 'service.register' };
type Shown = ParsedReceiverEvent & { type: 'service.register' | 'service.state' };
const registers =
  (id: string) =>
  (message: ParsedReceiverEvent): message is Registered =>
    message.type === 'service.register' && message.id === id;
const shows =
  (sessionId: string, value: unknown) =>
  (message: ParsedReceiverEvent): message is Shown =>
    'state' in message && message.sessionId === sessionId && message.state.value === value;

const light = setup({ types: {} as { events: { type: 'flip' } } }).createMachine({
  id: 'light',
  initial: 'off',
  states: { off: { on: { flip: 'on' } }, on: { on: { flip: 'off' }, tags: 'bright' } },
});

describe("@xstate/inspect's own receiver", () => {
  test('shows a connection through an outage, and makes it dial and stop', async () => {
    const server = await webSocketServer();
    const dead = await closedPort();
    let port = dead;
    const watched = await inspected();
    const { receiver, heard } = receive(watched);
    const connection = reconnect({
      connect: websocket(() => `ws://127.0.0.1:${port}`, { WebSocket }),
      backoff: { initial: '1h', max: '1h', timeout: 0 },
      inspect: watched.inspector.inspect,
    });
    const { sessionId, machine } = await heard.until(registers('reconnect'));
    const backingOff = await heard.until(shows(sessionId, 'backingOff'));
    expect(backingOff.state.context).toMatchObject({
      attempt: 1,
      failure: { name: 'WebSocketConnectError', message: expect.stringContaining('ECONNREFUSED') },
    });
    // Stately's visualizer resolves every state that it is told.
    const shown = (machine as AnyStateMachine).resolveState(backingOff.state as AnyState);
    expect(shown.nextEvents).toEqual(expect.arrayContaining(['retry', 'stop', 'done.invoke.wait']));
    expect(shown.matches('backingOff')).toBe(true);

    // Nothing else would make it dial within the hour.
    port = server.port;
    receiver.send({ type: 'xstate.event', event: JSON.stringify({ type: 'retry' }), service: sessionId });
    const peer = await server.peers.next();
    await heard.until(shows(sessionId, 'connected'));
    const { event } = await heard.until(
      (message): message is ParsedReceiverEvent & { type: 'service.event' } =>
        message.type === 'service.event' && message.sessionId === sessionId && message.event.name === 'retry',
    );
    expect(event).toMatchObject({ $$type: 'scxml', type: 'external', data: { type: 'retry' } });

    const closed = once(peer, 'close');
    receiver.send({ type: 'xstate.event', event: JSON.stringify({ type: 'stop' }), service: sessionId });
    await heard.until(shows(sessionId, 'idle'));
    await closed;
    connection.stop();
    await heard.until((message) => message.type === 'service.stop' && message.sessionId === sessionId);
  });

  test('resolves every state of every actor that it is told of', async () => {
    const watched = await inspected();
    const { heard } = receive(watched);
    const parent = setup({ actors: { light, call: fromCallback(() => {}) } }).createMachine({
      id: 'parent',
      initial: 'open',
      states: {
        open: {
          type: 'parallel',
          invoke: { src: 'call', id: 'call' },
          states: { a: { invoke: { src: 'light', id: 'lamp' } }, b: { initial: 'one', states: { one: {} } } },
          on: { shut: 'shut' },
        },
        shut: { type: 'final' },
      },
    });
    const actor = createActor(parent, { inspect: watched.inspector.inspect }).start();
    await heard.until(registers('lamp'));
    actor.send({ type: 'shut' });
    await heard.until((message) => message.type === 'service.stop' && message.sessionId === actor.sessionId);
    const machines = new Map<string, AnyStateMachine>();
    for (const message of heard.all) {
      if (message.type === 'service.register') machines.set(message.sessionId, message.machine);
      if (message.type !== 'service.register' && message.type !== 'service.state') continue;
      const shown = machines.get(message.sessionId)?.resolveState(message.state);
      expect(shown?.value).toEqual(message.state.value);
    }
    expect(machines.size).toBe(3);
  });

  test('that comes late sees how things are, and each of several sees all', async () => {
    const watched = await inspected();
    const actor = createActor(light, { inspect: watched.inspector.inspect }).start();
    actor.send({ type: 'flip' });
    const first = receive(watched);
    expect((await first.heard.until(registers('light'))).state.value).toBe('on');
    actor.send({ type: 'flip' });
    const second = receive(watched);
    expect((await second.heard.until(registers('light'))).state.value).toBe('off');
    actor.send({ type: 'flip' });
    await Promise.all([first, second].map(({ heard }) => heard.until(shows(actor.sessionId, 'on'))));
    // What one asks for is not told to the others.
    expect(first.heard.all.filter(registers('light'))).toHaveLength(1);
  });

  test('the viewer is away and comes back: it is told of what there is then', async () => {
    const { inspector } = await inspected();
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    const first = await look(inspector.url);
    await first.heard.until(({ type }) => type === 'service.register');
    first.socket.terminate();
    actor.send({ type: 'flip' });
    const { heard } = await look(inspector.url);
    expect(await heard.until(({ type }) => type === 'service.register')).toMatchObject({ state: { value: 'on' } });
  });
});

describe('who may connect', () => {
  const port = ({ inspector }: Inspected): string => new URL(inspector.url).port;

  test('only this machine, unless asked otherwise', async () => {
    const { inspector } = await inspected();
    expect(inspector.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/$/u);
  });

  test('pages of the same port, by any name of this machine', async () => {
    const watched = await inspected();
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      const { heard } = await look(watched.inspector.url, { origin: `http://${host}:${port(watched)}` });
      createActor(light, { inspect: watched.inspector.inspect }).start();
      await heard.until(({ type }) => type === 'service.register');
    }
  });

  test('no other page: the handshake is refused, and onError says what would let it in', async () => {
    const watched = await inspected();
    const rebound = `http://evil.example:${port(watched)}`;
    const strangers = [
      'http://evil.example',
      'http://localhost:1',
      'null',
      rebound,
      `https://127.0.0.1:${port(watched)}`,
    ];
    for (const origin of strangers) {
      // A name that a stranger has pointed here comes with that stranger's origin.
      const headers = { origin, ...(origin === rebound && { host: `evil.example:${port(watched)}` }) };
      expect(await refusal(watched.inspector.url, headers), origin).toBe(403);
    }
    expect(watched.errors.all.map(({ message }) => message)).toEqual(
      strangers.map(
        (origin) => `inspectOverWebSocket: refused a viewer of ${origin}: add that to origins to let it in`,
      ),
    );
  });

  test('pages that are listed', async () => {
    const watched = await inspected({ origins: ['https://stately.ai', 'http://localhost:5173'] });
    const { heard } = await look(watched.inspector.url, { origin: 'https://stately.ai' });
    createActor(light, { inspect: watched.inspector.inspect }).start();
    await heard.until(({ type }) => type === 'service.register');
    expect(await refusal(watched.inspector.url, { origin: 'https://stately.ai.evil.example' })).toBe(403);
  });

  test.each(['*', 'https://stately.ai/', 'stately.ai', ''])('%j is no origin', async (origin) => {
    await expect(inspectOverWebSocket({ origins: ['http://localhost', origin] })).rejects.toThrow(
      `origins[1]: expected an origin such as "http://localhost:5173", got ${JSON.stringify(origin)}`,
    );
  });
});

describe('a viewer that misbehaves does the app no harm', () => {
  test('says what is no JSON, or bytes', async () => {
    const { inspector, errors } = await inspected();
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    const { socket, heard } = await look(inspector.url);
    socket.send('{');
    socket.send(Buffer.from('{"type":"xstate.event"}'));
    socket.send('{"type":"xstate.event","event":"{","service":"x"}');
    socket.send(JSON.stringify({ type: 'xstate.event', event: '{"type":"flip"}', service: actor.sessionId }));
    await heard.until(({ type }) => type === 'service.state');
    expect(errors.all.map(({ message }) => message)).toEqual(['xstate.event: expected "event" to be JSON, got {']);
  });

  test('says too much at once', async () => {
    const { inspector, errors } = await inspected();
    const { socket } = await look(inspector.url);
    socket.send('x'.repeat(1_000_001));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1009);
    expect(errors.all[0]?.message).toContain('Max payload size exceeded');
  });

  test('reads too slowly: what waits for it is bounded, and once it reads it sees how things are', async () => {
    const { inspector } = await inspected();
    const big = setup({
      types: {} as { context: { count: number; ballast: string }; events: { type: 'count' } },
      actors: { light },
    }).createMachine({
      id: 'big',
      context: { count: 0, ballast: 'x'.repeat(1_000_000) },
      initial: 'lit',
      states: { lit: { invoke: { src: 'light', id: 'lamp' } }, dark: {} },
      on: { count: { target: '.dark', actions: assign({ count: ({ context }) => context.count + 1 }) } },
    });
    const { socket, heard } = await look(inspector.url);
    const actor = createActor(big, { inspect: inspector.inspect }).start();
    await heard.until(({ type }) => type === 'service.register');
    socket.pause();
    for (let i = 0; i < 300; i += 1) actor.send({ type: 'count' });
    socket.resume();
    const registered = await heard.until(
      (message) => message.type === 'service.register' && (message.state.context as { count?: number }).count === 300,
    );
    expect(registered).toMatchObject({ sessionId: actor.sessionId, state: { value: 'dark' } });
    // The end of the lamp was told even so.
    await heard.until(({ type }) => type === 'service.stop');
    expect(heard.all.filter(({ type }) => type === 'service.state').length).toBeLessThan(100);
  });
});

test('a slow viewer that gives up costs the app nothing more', async () => {
  const { inspector } = await inspected();
  let reads = 0;
  const big = setup({
    types: {} as { context: object; events: { type: 'tick' } },
  }).createMachine({
    id: 'big',
    context: {
      ballast: 'x'.repeat(1_000_000),
      get read() {
        reads += 1;
        return reads;
      },
    },
    on: { tick: { reenter: true } },
  });
  const { socket, heard } = await look(inspector.url);
  const actor = createActor(big, { inspect: inspector.inspect }).start();
  await heard.until(({ type }) => type === 'service.register');
  socket.pause();
  for (let i = 0; i < 50; i += 1) actor.send({ type: 'tick' });
  socket.terminate();
  // Until the server has noticed, it goes on telling.
  await expect
    .poll(
      () => {
        const before = reads;
        actor.send({ type: 'tick' });
        return reads - before;
      },
      { timeout: 20_000 },
    )
    .toBe(0);
  actor.stop();
});

describe('on a server of the app', () => {
  async function listening() {
    const server = createServer((_, response) => response.end('the app'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => {
      server.closeAllConnections();
      server.close();
    });
    return { server, port: (server.address() as AddressInfo).port };
  }

  test('viewers have a path of their own; the app and its own WebSockets go on beside it', async () => {
    const { server, port } = await listening();
    const sockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/live') sockets.handleUpgrade(request, socket, head, (peer) => peer.send('live'));
    });
    const { inspector } = await inspected({ server, path: '/inspect' });
    expect(inspector.url).toBe(`ws://127.0.0.1:${port}/inspect`);
    createActor(light, { inspect: inspector.inspect }).start();
    const { heard } = await look(`${inspector.url}?any`);
    await heard.until(({ type }) => type === 'service.register');
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('the app');
    const live = new WebSocket(`ws://127.0.0.1:${port}/live`);
    afterTest(() => live.terminate());
    expect(String((await once(live, 'message'))[0])).toBe('live');

    await inspector.stop();
    expect(server.listening).toBe(true);
    expect(live.readyState).toBe(WebSocket.OPEN);
  });

  test('a path that nobody serves is not found', async () => {
    const { server } = await listening();
    const { inspector } = await inspected({ server, path: '/inspect' });
    expect(await refusal(inspector.url.replace('/inspect', '/other'))).toBe(404);
  });

  test('one that does not listen on a port is refused', async () => {
    await expect(inspectOverWebSocket({ server: createServer() })).rejects.toThrow(
      'server: expected one that listens on a port',
    );
  });
});

describe('its end', () => {
  test('stop says goodbye, hangs up and frees the port', async () => {
    const { inspector } = await inspected();
    const { socket, heard } = await look(inspector.url);
    createActor(light, { inspect: inspector.inspect }).start();
    await heard.until(({ type }) => type === 'service.register');
    const closed = once(socket, 'close');
    await inspector.stop();
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([1001, 'the inspector was stopped']);
    expect(heard.all.at(-1)).toEqual({ type: 'xstate.disconnect' });
    await inspector.stop();
    await inspected({ port: Number(new URL(inspector.url).port) });
  });

  test('a viewer that does not answer the goodbye is dropped', async () => {
    const { inspector } = await inspected();
    const { socket } = await look(inspector.url);
    socket.pause();
    await inspector.stop();
  });

  test('a port in use is said', async () => {
    const { inspector } = await inspected();
    const port = Number(new URL(inspector.url).port);
    await expect(inspectOverWebSocket({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('plain HTTP is told what this is', async () => {
    const { inspector } = await inspected();
    const response = await fetch(inspector.url.replace('ws:', 'http:'));
    expect([response.status, await response.text()]).toEqual([426, 'WebSockets only\n']);
  });

  test('O5 a process that has nothing else to do ends, though somebody watches', async () => {
    const source = (path: string): string => new URL(`../../src/${path}`, import.meta.url).href;
    const program = `
      import { createActor, createMachine } from 'xstate';
      import { inspectOverWebSocket } from '${source('inspect/node.ts')}';
      const inspector = await inspectOverWebSocket();
      createActor(createMachine({ id: 'watched' }), { inspect: inspector.inspect }).start();
      console.log(inspector.url);
      process.stdin.once('data', () => process.stdin.destroy());
    `;
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { cwd: root });
    afterTest(() => child.kill());
    const exited = once(child, 'exit');
    const [url] = (await once(child.stdout, 'data')) as [Buffer];
    const { heard } = await look(String(url).trim());
    await heard.until(({ type }) => type === 'service.register');
    child.stdin.write('end\n');
    expect(await exited).toEqual([0, null]);
  });
});
