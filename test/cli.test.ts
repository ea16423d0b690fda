import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { buildCli } from './support/build';

let cli: string;
const cleanups: (() => unknown)[] = [];

beforeAll(() => {
  cli = buildCli();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Run {
  child: ChildProcess;
  out: string;
  err: string;
  exit: Promise<number | null>;
  /** The status objects of `--json`. */
  events(): Record<string, unknown>[];
}

function start(command: string, args: string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  const run: Run = {
    child,
    out: '',
    err: '',
    exit: new Promise((resolve) => child.once('close', resolve)),
    events: () => run.err.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])),
  };
  child.stdout?.on('data', (bytes) => {
    run.out += bytes;
  });
  child.stderr?.on('data', (bytes) => {
    run.err += bytes;
  });
  child.stdin?.on('error', () => {});
  cleanups.push(() => child.kill('SIGKILL'));
  return run;
}

const QUICK = ['--backoff-initial', '20ms', '--backoff-max', '100ms'];
const program = (args: string[], env?: NodeJS.ProcessEnv): Run => start(process.execPath, [cli, ...args], env);
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 10 });

interface Peer {
  port: number;
  received: string;
  sockets: net.Socket[];
  stop(): Promise<void>;
}

/** A server that says back what it hears, in capitals, and ends when the other end does. */
async function listen(port = 0, server: net.Server = net.createServer(), event = 'connection'): Promise<Peer> {
  const peer: Peer = {
    port,
    received: '',
    sockets: [],
    stop: () =>
      new Promise((resolve) => {
        for (const socket of peer.sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  server.on(event, (socket: net.Socket) => {
    peer.sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      peer.received += bytes;
      socket.write(String(bytes).toUpperCase());
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  peer.port = (server.address() as net.AddressInfo).port;
  cleanups.push(peer.stop);
  return peer;
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const peer = await listen();
  await peer.stop();
  return peer.port;
}

describe('bad usage: 2, in words', () => {
  it.each([
    [['connect'], "missing required argument 'url'"],
    [['connect', 'host'], 'has no scheme'],
    [['connect', 'http://host'], 'unknown scheme "http:"'],
    [['connect', 'tcp://host'], 'has no port'],
    [['connect', 'tcp://host:99999'], 'bad port "99999"'],
    [['connect', 'tcp://host:0'], 'bad port "0"'],
    [['connect', 'tcp://host:http'], 'bad port "http"'],
    [['connect', 'ws://host:0/path'], 'bad port "0"'],
    [['connect', 'ws://host/#part'], 'fragment'],
    [['connect', 'tcp://host:1/path'], 'more than a host and a port'],
    [['connect', 'tcp://host:1', '--backoff-initial', 'fast'], '--backoff-initial: expected a duration'],
    [['connect', 'tcp://host:1', '--backoff-multiplier', '-1'], '--backoff-multiplier: expected a whole number'],
    [['connect', 'tcp://host:1', '--backoff-max', '1s', '--backoff-max', '1s'], 'only once'],
    [['connect', 'tcp://host:1', '--backoff-max'], 'argument missing'],
    [['connect', 'tcp://host:1', '--backoff-jitter', 'some'], '--backoff-jitter: expected one of none, equal, full'],
    [['connect', 'tcp://host:1', '--backoff-attempt-timeout', '10'], '--backoff-attempt-timeout: expected a duration'],
    [['connect', 'tcp://host:1', '--backoff-max-attempts', '1.5'], '--backoff-max-attempts: expected a whole number'],
    [['connect', 'tcp://host:1', '--backoff-deadline', 'hard'], '--backoff-deadline: expected one of between-attempts'],
    [['connect', 'tcp://host:1', '--backoff-preset', 'fast'], '--backoff-preset: expected one of origin, default'],
    [['connect', 'tcp://host:1', '--wait', '5'], '--wait: expected a duration'],
    [['connect', 'tcp://host:1', '--frob'], "unknown option '--frob'"],
    [['connect', 'tcp://host:1', '--json', '--quiet'], 'cannot be used with'],
    [['frob'], "unknown command 'frob'"],
    [[], 'Usage:'],
  ])('%j', async (args, words) => {
    const run = program(args);
    expect([await run.exit, run.err, run.out]).toEqual([2, expect.stringContaining(words), '']);
  });

  it.each([
    ['MOQ_BACKOFF_MAX', '5', 'MOQ_BACKOFF_MAX: expected a duration'],
    ['MOQ_BACKOFF_PRESET', 'fast', 'MOQ_BACKOFF_PRESET: expected one of origin, default, resilient, got "fast"'],
  ])('names the variable %s', async (variable, value, words) => {
    const run = program(['connect', 'tcp://host:1'], { [variable]: value });
    expect([await run.exit, run.err]).toEqual([2, expect.stringContaining(words)]);
  });
});

describe('help', () => {
  it('tells flags, defaults and variables', async () => {
    const run = program(['connect', '--help']);
    expect(await run.exit).toBe(0);
    const words = run.out.replace(/\s+/gu, ' ');
    expect(words).toContain('(default: 5m, env: MOQ_BACKOFF_TIMEOUT)');
    expect(words).toContain('--backoff-min-uptime');
    expect(words).toMatch(
      /--backoff-jitter <kind> .*none, equal, full or decorrelated \(default: none, env: \w+_JITTER\)/u,
    );
    expect(words).toMatch(/--backoff-attempt-timeout <duration> .* \(default: 0s, env: MOQ_BACKOFF_ATTEMPT_TIMEOUT\)/u);
    expect(words).toMatch(/--backoff-max-attempts <number> .* \(default: 0, env: MOQ_BACKOFF_MAX_ATTEMPTS\)/u);
    expect(words).toMatch(/--backoff-deadline <kind> .* \(default: between-attempts, env: MOQ_BACKOFF_DEADLINE\)/u);
    expect(words).toMatch(/--backoff-preset <name> .*origin, default or resilient .*env: MOQ_BACKOFF_PRESET\)/u);
  });

  it('tells the version', async () => {
    const run = program(['--version']);
    expect(await run.exit).toBe(0);
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(run.out).toBe(`${version}\n`);
  });

  it.each([
    [[], /connecting --> connected: connect done/u],
    [['--format', 'dot'], /"connecting" -> "connected" \[/u],
    [['--format', 'svg'], /^<svg [^>]*>.*<g id="state-backingOff" class="node state">.*<\/svg>\n$/su],
  ])('draws the chart: diagram %j', async (args, drawing) => {
    const run = program(['diagram', ...args]);
    expect([await run.exit, run.err]).toEqual([0, '']);
    expect(run.out).toMatch(drawing);
  });

  it('refuses a format that it does not know', async () => {
    const run = program(['diagram', '--format', 'png']);
    expect(await run.exit).toBe(2);
    expect(run.err).toContain("argument 'png' is invalid. Allowed choices are mermaid, svg, dot.");
  });
});

describe('tcp', () => {
  it('sends all the input and prints the answer, then ends with 0', async () => {
    const peer = await listen();
    const run = program(['connect', `tcp://127.0.0.1:${peer.port}`]);
    run.child.stdin?.end('hello\n');
    expect([await run.exit, run.out, peer.received]).toEqual([0, 'HELLO\n', 'hello\n']);
  });

  it('keeps the input for a listener that starts only later', async () => {
    const port = await freePort();
    const run = program(['connect', `tcp://127.0.0.1:${port}`, ...QUICK]);
    run.child.stdin?.end('hi\n');
    await until(() => expect(run.err).toContain('ECONNREFUSED'));
    const peer = await listen(port);
    expect([await run.exit, run.out, peer.received]).toEqual([0, 'HI\n', 'hi\n']);
  });

  it('loses nothing of a large input', async () => {
    const text = Array.from({ length: 300_000 }, (_, at) => `line ${at}\n`).join('');
    const port = await freePort();
    const run = program(['connect', `tcp://127.0.0.1:${port}`, ...QUICK]);
    run.child.stdin?.end(text);
    await until(() => expect(run.err).toContain('ECONNREFUSED'));
    const peer = await listen(port);
    expect(await run.exit).toBe(0);
    expect(peer.received === text).toBe(true);
    expect(run.out === text.toUpperCase()).toBe(true);
  });

  it('goes on with a server that was killed and restarted', async () => {
    const first = await listen();
    const run = program(['connect', `tcp://127.0.0.1:${first.port}`, ...QUICK]);
    run.child.stdin?.write('one\n');
    await until(() => expect(run.out).toBe('ONE\n'));
    await first.stop();
    await until(() => expect(run.err).toContain('ECONNREFUSED'));
    run.child.stdin?.write('two\n');
    const second = await listen(first.port);
    await until(() => expect(run.out).toBe('ONE\nTWO\n'));
    second.sockets[0]?.write('unasked\n');
    await until(() => expect(run.out).toBe('ONE\nTWO\nunasked\n'));
    run.child.stdin?.end('three');
    expect([await run.exit, second.received]).toEqual([0, 'two\nthree']);
  });

  it('follows a preset: origin reconnects at once to a server that accepts and closes, default backs off', async () => {
    const server = net.createServer((socket) => socket.end());
    const { port } = await listen(0, server);
    const flapping = ['connect', `tcp://127.0.0.1:${port}`, '--json', ...QUICK];
    const origin = program([...flapping, '--backoff-preset', 'origin']);
    await until(() => expect(origin.events().filter(({ type }) => type === 'connected').length).toBeGreaterThan(5));
    origin.child.kill('SIGINT');
    expect(await origin.exit).toBe(0);
    expect(origin.events().map(({ type }) => type)).not.toContain('retrying');

    const backedOff = program(flapping, { MOQ_BACKOFF_PRESET: 'default' });
    await until(() => expect(backedOff.err).toContain('retrying'));
    backedOff.child.kill('SIGINT');
    expect(await backedOff.exit).toBe(0);
  });

  it('gives up with 1 and says why', async () => {
    const port = await freePort();
    const run = program(['connect', `tcp://127.0.0.1:${port}`, ...QUICK, '--backoff-timeout', '50ms']);
    expect(await run.exit).toBe(1);
    expect(run.err).toMatch(/gave up: reconnect timed out after 50ms: .*ECONNREFUSED/u);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends it with 0, connected or not', async (signal) => {
    const peer = await listen();
    const connected = program(['connect', `tcp://127.0.0.1:${peer.port}`]);
    const refused = program(['connect', `tcp://127.0.0.1:${await freePort()}`]);
    await until(() => expect(connected.err).toContain('connected to'));
    await until(() => expect(refused.err).toContain('ECONNREFUSED'));
    connected.child.kill(signal);
    refused.child.kill(signal);
    expect([await connected.exit, await refused.exit]).toEqual([0, 0]);
    expect(connected.err).toContain(`stopped: ${signal}`);
  });

  it('tells a signal how much input was not sent', async () => {
    const run = program(['connect', `tcp://127.0.0.1:${await freePort()}`, '--json']);
    run.child.stdin?.write('12345');
    await until(() => expect(run.err).toContain('ECONNREFUSED'));
    await until(() => expect(run.child.stdin?.writableLength).toBe(0));
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
    expect(run.events().at(-1)).toMatchObject({ type: 'stopped', reason: 'SIGINT', undelivered: 5 });
  });

  it('ends quietly with 0 when nobody reads the output any more', async () => {
    const peer = await listen();
    const run = program(['connect', `tcp://127.0.0.1:${peer.port}`]);
    await until(() => expect(peer.sockets).toHaveLength(1));
    run.child.stdout?.destroy();
    const talk = setInterval(() => peer.sockets[0]?.write('anybody?\n'), 5);
    cleanups.push(() => clearInterval(talk));
    expect(await run.exit).toBe(0);
    expect(run.err).not.toMatch(/EPIPE|gave up/u);
  });

  it('fails when the connection breaks after the input was sent', async () => {
    const server = net.createServer({ allowHalfOpen: true });
    const peer = await listen(0, server);
    const ended = new Promise<net.Socket>((resolve) => {
      server.on('connection', (socket) => socket.once('end', () => resolve(socket)));
    });
    const run = program(['connect', `tcp://127.0.0.1:${peer.port}`, '--wait', '1h']);
    run.child.stdin?.end('hello');
    const socket = await ended;
    await until(() => expect(run.out).toBe('HELLO'));
    socket.resetAndDestroy();
    expect([await run.exit, run.err]).toEqual([1, expect.stringContaining('broke after the input was sent')]);
  });
});

describe('status', () => {
  it('is JSON, an object a line', async () => {
    const port = await freePort();
    const run = program(['connect', `tcp://127.0.0.1:${port}`, '--json', ...QUICK]);
    run.child.stdin?.end('hi');
    await until(() => expect(run.err).toContain('ECONNREFUSED'));
    await listen(port);
    expect(await run.exit).toBe(0);
    const events = run.events();
    expect(events[0]).toMatchObject({ type: 'connecting', attempt: 1, address: `tcp://127.0.0.1:${port}` });
    expect(events[1]).toMatchObject({ type: 'retrying', attempt: 1, delay: 20 });
    expect(events.slice(-3).map(({ type }) => type)).toEqual(['connected', 'disconnected', 'stopped']);
    for (const { time } of events) expect(new Date(time as string).toISOString()).toBe(time);
  });

  it('is silent when asked to be', async () => {
    const run = program(['connect', `tcp://127.0.0.1:${await freePort()}`, '--quiet', '--backoff-timeout', '1ms']);
    expect([await run.exit, run.err]).toEqual([1, '']);
  });

  it('does not show what may be secret, nor what steers a terminal', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    server.on('connection', (socket) => socket.close(4000, 'red \u001b[31malert'));
    const { port } = server.address() as net.AddressInfo;
    const run = program(['connect', `ws://me:secret@127.0.0.1:${port}/path?token=secret`, ...QUICK]);
    await until(() => expect(run.err).toContain('alert'));
    expect(run.err).not.toContain('secret');
    expect(run.err).not.toContain('\u001b');
  });

  it('is one line that counts down on a terminal', async () => {
    // `script` of util-linux gives the program a terminal; on Debian it is in the package bsdutils.
    expect(existsSync('/usr/bin/script'), 'install the Debian package bsdutils').toBe(true);
    const url = `tcp://127.0.0.1:${await freePort()}`;
    const run = start('script', [
      '-qefc',
      `${process.execPath} ${cli} connect ${url} --backoff-initial 3s`,
      '/dev/null',
    ]);
    await until(() => expect(run.out).toContain('next attempt in 2s'));
    expect(run.out).toContain('\r\u001b[2Knext attempt in 3s: attempt 1 failed');
    expect(run.out).not.toContain('\n');
  });
});

describe('ws', () => {
  async function serve(
    port = 0,
  ): Promise<{ port: number; lines: string[]; sockets: WebSocket[]; stop(): Promise<void> }> {
    const server = new WebSocketServer({ port, host: '127.0.0.1' });
    const lines: string[] = [];
    const sockets: WebSocket[] = [];
    server.on('connection', (socket) => {
      sockets.push(socket);
      socket.on('message', (data, isBinary) => {
        lines.push(`${isBinary ? 'binary ' : ''}${data}`);
        socket.send(`got ${data}`);
      });
    });
    const stop = (): Promise<void> =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.terminate();
        server.close(() => resolve());
      });
    cleanups.push(stop);
    await new Promise((resolve) => server.once('listening', resolve));
    return { port: (server.address() as net.AddressInfo).port, lines, sockets, stop };
  }

  it('sends each line as a message and writes each message as a line', async () => {
    const server = await serve();
    const run = program(['connect', `ws://127.0.0.1:${server.port}`, '--wait', '300ms']);
    run.child.stdin?.write('one\n\ntw');
    run.child.stdin?.end('o €\nrest');
    expect(await run.exit).toBe(0);
    expect(server.lines).toEqual(['one', '', 'two €', 'rest']);
    expect(run.out).toBe('got one\ngot \ngot two €\ngot rest\n');
  });

  it('writes binary messages as they are', async () => {
    const server = await serve();
    const run = program(['connect', `ws://127.0.0.1:${server.port}`]);
    await until(() => expect(server.sockets).toHaveLength(1));
    server.sockets[0]?.send(Buffer.from('a'));
    server.sockets[0]?.send(Buffer.from('b'));
    await until(() => expect(run.out).toBe('ab'));
  });

  it('goes on with a server that was killed and restarted', async () => {
    const first = await serve();
    const run = program(['connect', `ws://127.0.0.1:${first.port}`, ...QUICK]);
    run.child.stdin?.write('one\n');
    await until(() => expect(run.out).toBe('got one\n'));
    await first.stop();
    await until(() => expect(run.err).toContain('ECONNREFUSED'));
    run.child.stdin?.write('two\n');
    const second = await serve(first.port);
    await until(() => expect(run.out).toBe('got one\ngot two\n'));
    run.child.stdin?.end('three\n');
    expect([await run.exit, second.lines]).toEqual([0, ['two', 'three']]);
  });
});

describe('tls', () => {
  it('trusts the certificates in NODE_EXTRA_CA_CERTS, and no others', async () => {
    const file = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));
    const cert = file('tls-cert.pem');
    const server = tls.createServer({ key: readFileSync(file('tls-key.pem')), cert: readFileSync(cert) });
    const peer = await listen(0, server, 'secureConnection');
    const url = `tls://127.0.0.1:${peer.port}`;

    const trusting = program(['connect', url], { NODE_EXTRA_CA_CERTS: cert });
    trusting.child.stdin?.end('hello');
    expect([await trusting.exit, trusting.out]).toEqual([0, 'HELLO']);

    const wary = program(['connect', url, '--backoff-initial', '1ms', '--backoff-timeout', '1ms']);
    expect([await wary.exit, wary.err]).toEqual([1, expect.stringMatching(/gave up: .*self-signed certificate/u)]);
  });
});
