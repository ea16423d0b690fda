/** The viewer as people start it: from the command line, and with the demo. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { useChromium } from '../support/browser';
import { buildCli } from '../support/build';
import { afterTest, closedPort, tcpServer } from '../support/servers';
import { ACTIVE, becomes, press, showsState } from '../support/viewer';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const chromium = useChromium();
let cli: string;
beforeAll(() => {
  cli = buildCli();
});

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** The exit code. */
  readonly exit: Promise<number | null>;
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, args, { cwd: ROOT });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  child.stdin.on('error', () => {});
  const exit = once(child, 'close').then(([code]) => code as number | null);
  afterTest(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return { child, out: () => out, err: () => err, exit };
}

/** The first that `pattern` finds in what was said. */
function said(text: () => string, pattern: RegExp): Promise<string> {
  return vi.waitFor(() => pattern.exec(text())?.[1] ?? Promise.reject(new Error(`${pattern} in ${text()}`)), {
    timeout: 30_000,
    interval: 20,
  });
}

const VIEWER = /viewer at (http:\/\/127\.0\.0\.1:\d+\/)/u;
/** Of a browser whose app has ended. */
const GONE = { expected: [/ERR_CONNECTION/u] };

describe('connect --inspect', () => {
  test('tells where the connection is seen; there retry makes it dial, and stop ends the program', async () => {
    const port = await closedPort();
    const run = start(
      cli,
      'connect',
      `tcp://127.0.0.1:${port}`,
      '--inspect',
      '--backoff-initial',
      '1h',
      '--backoff-max',
      '1h',
    );
    const page = await chromium.open(await said(run.err, VIEWER), GONE);
    await showsState(page, 'backingOff');
    await becomes(page, ACTIVE, ['state-backingOff']);
    const server = await tcpServer(undefined, port);
    await press(page, 'retry');
    await showsState(page, 'connected');
    expect(server.peers.length).toBe(1);
    await press(page, 'retry');
    await expect.poll(() => server.peers.length).toBe(2);
    await showsState(page, 'connected');
    await press(page, 'stop');
    expect(await run.exit).toBe(0);
    expect(run.err()).toMatch(/disconnected after \S+: asked to by a viewer\n/u);
    expect(run.err()).toMatch(/stopped: asked to by a viewer\n$/u);
    await becomes(page, "document.querySelector('.link [role=status]').textContent", 'App not reachable');
  });

  test('with --json it is an object as the others are, and with a port of its own it is there', async () => {
    const port = await closedPort();
    const run = start(cli, 'connect', 'tcp://127.0.0.1:1', '--json', '--inspect-port', String(port));
    const line = await said(run.err, /^(.*"viewer".*)$/mu);
    expect(JSON.parse(line)).toEqual({ type: 'viewer', time: expect.any(String), url: `http://127.0.0.1:${port}/` });
  });
});

describe('inspect', () => {
  test('serves the page, says how an app is shown in it, and ends when interrupted', async () => {
    const run = start(cli, 'inspect', '--port', '0');
    const url = await said(run.out, VIEWER);
    const page = await chromium.open(url);
    await becomes(page, "document.querySelector('h2').textContent", 'Show an app here');
    expect(page.url()).toBe(`${url}?inspect`);
    expect(run.out()).toContain(`inspectInWindow({ url: '${url}?inspect' })`);
    expect(run.out()).toContain(`inspectOverWebSocket({ origins: ['${new URL(url).origin}'] })`);
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
    expect(run.err()).toBe('');
  });

  test('with --server it is led to that app', async () => {
    const port = await closedPort();
    const run = start(cli, 'inspect', '--port', '0', '--server', `ws://127.0.0.1:${port}`);
    const page = await chromium.open(await said(run.out, VIEWER), GONE);
    expect(new URL(page.url()).searchParams.get('server')).toBe(`ws://127.0.0.1:${port}/`);
    await becomes(page, "document.querySelector('.link .address').textContent", `ws://127.0.0.1:${port}/`);
  });
});

describe('bad usage: 2, in words', () => {
  test.each([
    [
      ['inspect', '--port', 'http'],
      '--port: expected a port, from 0 to 65535, where 0 is any that is free, got "http"',
    ],
    [['inspect', '--port', '65536'], '--port: expected a port, from 0 to 65535'],
    [['inspect', '--server', 'http://127.0.0.1:1'], '--server: expected the ws:// or wss:// address of an app'],
    [['inspect', '--frob'], "unknown option '--frob'"],
    [['connect', 'tcp://127.0.0.1:1', '--inspect-port', '-1'], '--inspect-port: expected a port'],
  ])('%j', async (args, words) => {
    const run = start(cli, ...args);
    expect(await run.exit).toBe(2);
    expect(run.err()).toContain(words);
    expect(run.out()).toBe('');
  });

  test.each(['inspect --port', 'connect tcp://127.0.0.1:1 --inspect-port'])(
    '%s of a port that is taken',
    async (args) => {
      const { port } = await tcpServer();
      const run = start(cli, ...args.split(' '), String(port));
      expect(await run.exit).toBe(2);
      const flag = args.split(' ').at(-1);
      expect(run.err()).toBe(`error: ${flag}: expected a port that nobody else listens on, got "${port}"\n`);
    },
  );
});

describe('npm start -- --inspect', () => {
  test('the chart lives through the outages of the demo, and its buttons work', async () => {
    const run = start('--import', 'tsx', 'examples/outages/main.ts', '--inspect', '--for', '20s');
    const page = await chromium.open(await said(run.out, /viewer +(http:\S+)/u), GONE);
    const states = new Set<string>();
    await expect
      .poll(
        async () => {
          states.add(String(await page.evaluate("document.querySelector('main h2')?.textContent")));
          return states.has('connected') && states.has('backingOff');
        },
        { timeout: 30_000, interval: 20 },
      )
      .toBe(true);
    await press(page, 'stop');
    await said(run.out, /idle +(stopped)/u);
    await showsState(page, 'idle');
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
    expect(run.err()).toBe('');
  });

  test('it ends when it should, watched or not', async () => {
    const run = start('--import', 'tsx', 'examples/outages/main.ts', '--inspect', '--for', '5s');
    const page = await chromium.open(await said(run.out, /viewer +(http:\S+)/u), GONE);
    await becomes(page, "document.querySelectorAll('.actor').length > 0", true);
    expect(await run.exit).toBe(0);
    expect(run.out()).toMatch(/^outages \d+, sessions opened/mu);
  });
});
