/** `xstate-reconnect/react`, in a real Chromium, in StrictMode; and on a server. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundle, serve, useChromium } from './support/browser';
import type { FaultServer } from './support/fault-server';
import { afterTest, faultServer, webSocketServer } from './support/servers';

const root = fileURLToPath(new URL('..', import.meta.url));
const chromium = useChromium();
let app: string;
beforeAll(async () => {
  app = await bundle('test/pages/react.tsx');
});

const PATIENCE = { timeout: 20_000 };
/** A wait that no test sits through. */
const HOUR = '1h';

interface View {
  status: string;
  notice: string;
  countdown?: number;
}

/** Opens the page; nothing is mounted yet. */
async function open(...expected: RegExp[]): Promise<Page> {
  const origin = await serve({ '/app.js': app });
  // Chromium puts each connection that fails on the console.
  return chromium.open(origin, { expected: [/^WebSocket connection to /u, ...expected] });
}

/** Mounts the component, or renders it again with other properties. */
async function render(page: Page, props: object): Promise<void> {
  await page.evaluate(`render(${JSON.stringify(props)})`);
}

/** A page with the component mounted. */
async function mount(props: object): Promise<Page> {
  const page = await open();
  await render(page, props);
  return page;
}

const viewsOf = (page: Page): Promise<View[]> => page.evaluate('views') as Promise<View[]>;

/** Waits until the component shows this, now and not only at some time. */
async function shows(page: Page, expected: Partial<View>): Promise<void> {
  await expect.poll(async () => (await viewsOf(page)).at(-1), PATIENCE).toMatchObject(expected);
}

/** Waits until so many connections are up on the server. */
async function openOn(server: FaultServer, count: number): Promise<void> {
  await expect.poll(() => server.open.length, PATIENCE).toBe(count);
}

/** Lets a server say something over the live session, and waits until the component has heard it. */
async function hears(page: Page, server: FaultServer, text: string): Promise<void> {
  const [dial] = server.open;
  (await dial!.session).send(text);
  await expect.poll(() => page.evaluate('heard.at(-1)'), PATIENCE).toBe(text);
}

const press = (page: Page): Promise<void> => page.click('.banner button');

describe('mounted and unmounted', () => {
  it('O1 StrictMode costs no attempt of its own, and an effect hears what a session says at once', async () => {
    const { port, peers } = await webSocketServer((peer) => peer.send('hello'));
    const page = await mount({ url: `ws://127.0.0.1:${port}` });
    await expect.poll(() => page.evaluate('heard'), PATIENCE).toEqual(['hello']);
    expect(peers.length).toBe(1);
    expect(await viewsOf(page)).toMatchObject([
      { status: 'connecting', notice: 'quiet' },
      { status: 'connected', notice: 'quiet' },
    ]);
  });

  it('O1 the session is closed at the unmount', async () => {
    const server = await faultServer();
    const page = await mount({ url: server.url });
    await shows(page, { status: 'connected' });
    await page.evaluate('unmount()');
    await openOn(server, 0);
    expect(server.dials).toHaveLength(1);
  });

  it('O3 an attempt is abandoned at the unmount', async () => {
    const server = await faultServer({ behaviour: { kind: 'silence', after: 0 } });
    const page = await mount({ url: server.url });
    const { ended } = await server.nextDial();
    await page.evaluate('unmount()');
    await ended;
    expect(server.dials).toHaveLength(1);
  });

  it('C1 a wait is over at the unmount', async () => {
    const server = await faultServer({ behaviour: { kind: 'refuse', status: 503 } });
    const page = await mount({ url: server.url, backoff: { initial: 20, multiplier: 1 } });
    await server.nextDial();
    await server.nextDial();
    await page.evaluate('unmount()');
    // What was under way may still arrive.
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 100))');
    const { length } = server.dials;
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 200))');
    expect(server.dials).toHaveLength(length);
  });

  it('O1 20 times, at once or once connected: no session is left, and the next one is alone', async () => {
    const server = await faultServer();
    const page = await open();
    for (let i = 0; i < 20; i += 1) {
      await render(page, { url: server.url });
      if (i % 2 === 0) await shows(page, { status: 'connected' });
      await page.evaluate('unmount()');
    }
    await openOn(server, 0);
    await render(page, { url: server.url });
    await shows(page, { status: 'connected' });
    await hears(page, server, 'alone');
    await openOn(server, 1);
  });

  it('O1 a part of the page that React hides has no session, and one that it shows again connects without a wait', async () => {
    const server = await faultServer();
    const props = { url: server.url, backoff: { initial: HOUR } };
    const page = await mount(props);
    await shows(page, { status: 'connected' });
    await render(page, { ...props, hidden: true });
    await openOn(server, 0);
    await render(page, props);
    await openOn(server, 1);
    await shows(page, { status: 'connected' });
    await hears(page, server, 'again');
    const statuses = (await viewsOf(page)).map(({ status }) => status);
    expect(statuses).toEqual(['connecting', 'connected', 'connecting', 'connected']);
  });

  it('an option that is out of range is for the error boundary', async () => {
    const page = await open(/InvalidBackoffError/u);
    await render(page, { url: 'ws://127.0.0.1:1', backoff: { initial: -1 } });
    const text = (): Promise<unknown> => page.evaluate('document.body.textContent');
    await expect.poll(text, PATIENCE).toContain('InvalidBackoffError: backoff.initial: expected');
  });
});

describe('an outage', () => {
  it('C3 D5 shows when it lasts, with a countdown that goes down; "Try now" dials at once; it is over, and that is said for a while', async () => {
    const server = await faultServer();
    const backoff = { initial: HOUR, minUptime: 0 };
    const page = await mount({ url: server.url, backoff, lostAfter: 500, restoredFor: 500 });
    await shows(page, { status: 'connected', notice: 'quiet' });
    await server.close();
    await shows(page, { status: 'backingOff', notice: 'lost' });
    expect(await page.$eval('.banner', (banner) => banner.textContent)).toMatch(
      /^The connection is lost\.Next try in 3[56]\d\d sTry now$/u,
    );
    const countdowns = async (): Promise<number[]> => (await viewsOf(page)).flatMap(({ countdown }) => countdown ?? []);
    await expect.poll(async () => new Set(await countdowns()).size, PATIENCE).toBeGreaterThanOrEqual(3);
    const seen = await countdowns();
    expect(seen[0]).toBe(3_600);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));

    await server.listen();
    const { length } = server.dials;
    await press(page);
    await openOn(server, 1);
    expect(server.dials).toHaveLength(length + 1);
    await shows(page, { status: 'connected', notice: 'quiet' });
    await hears(page, server, 'back');

    const views = await viewsOf(page);
    // What belongs together is shown together.
    const apart = views.filter(({ status, countdown }) => (status === 'backingOff') !== (countdown !== undefined));
    expect(apart).toEqual([]);
    const notices = views.map(({ notice }) => notice);
    expect(notices.filter((notice, i) => notice !== notices[i - 1])).toEqual(['quiet', 'lost', 'restored', 'quiet']);
  });

  it('that is short shows nothing at all', async () => {
    const server = await faultServer();
    const page = await mount({ url: server.url, backoff: { minUptime: 0 }, lostAfter: '1m' });
    await shows(page, { status: 'connected' });
    await page.evaluate('banners.splice(0)');
    for (const text of ['one', 'two', 'three']) {
      const { length } = server.dials;
      server.hangUp();
      await expect.poll(() => server.dials.length, PATIENCE).toBe(length + 1);
      await shows(page, { status: 'connected' });
      await openOn(server, 1);
      await hears(page, server, text);
    }
    const statuses = (await viewsOf(page)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 'connecting')).toHaveLength(4);
    expect(await page.evaluate('banners')).toEqual([]);
  });

  it('D5 that lasts for too long shows that it gave up and why; "Try now" has a fresh window', async () => {
    const server = await faultServer({ behaviour: { kind: 'hang-up' } });
    const page = await mount({ url: server.url, backoff: { initial: 10, maxAttempts: 2 }, restoredFor: '1m' });
    await shows(page, { status: 'failed', notice: 'failed' });
    expect(await page.evaluate('error')).toMatch(/^reconnect gave up after 2 attempts: /u);
    const isOver = ({ status, notice }: View): boolean => status === 'failed' || notice === 'failed';
    expect((await viewsOf(page)).filter(isOver)).toMatchObject([{ status: 'failed', notice: 'failed' }]);
    expect(server.dials).toHaveLength(2);
    server.treat({ kind: 'serve' });
    await press(page);
    await shows(page, { status: 'connected', notice: 'restored' });
    expect(await page.evaluate('error')).toBe(undefined);
  });
});

describe('rendered again', () => {
  it('I an equal input in a new object does nothing; another one connects anew with it', async () => {
    const [first, second] = [await faultServer(), await faultServer()];
    const page = await mount({ url: '', input: { url: first.url }, backoff: { initial: HOUR } });
    await shows(page, { status: 'connected' });
    for (let i = 0; i < 5; i += 1) await render(page, { url: '', input: { url: first.url } });
    await hears(page, first, 'the same');
    expect(first.dials).toHaveLength(1);
    await render(page, { url: '', input: { url: second.url } });
    await openOn(second, 1);
    await openOn(first, 0);
    await hears(page, second, 'another');
    expect([first.dials.length, second.dials.length]).toEqual([1, 1]);
  });

  it('I functions are called as they were last rendered, which alone connects nothing', async () => {
    const [first, second] = [await faultServer(), await faultServer()];
    const page = await mount({ url: first.url, backoff: { minUptime: 0 } });
    await shows(page, { status: 'connected' });
    await render(page, { url: second.url });
    await hears(page, first, 'still here');
    first.hangUp();
    await openOn(second, 1);
    await hears(page, second, 'here now');
    expect([first.dials.length, second.dials.length]).toEqual([1, 1]);
  });

  it('G stopped: rests until started, renders no more than it is asked to, and then takes the input that was rendered last', async () => {
    const [first, second] = [await faultServer(), await faultServer()];
    const page = await mount({ url: '', input: { url: first.url } });
    await shows(page, { status: 'connected' });
    await page.evaluate('stop()');
    await shows(page, { status: 'idle', notice: 'quiet' });
    await openOn(first, 0);
    const before = (await page.evaluate('commits()')) as number;
    await render(page, { url: '', input: { url: second.url } });
    await render(page, { url: '', input: { url: second.url } });
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 100))');
    // Two renders, and one for the input that was taken over.
    expect((await page.evaluate('commits()')) as number).toBeLessThanOrEqual(before + 3);
    expect([first.dials.length, second.dials.length]).toEqual([1, 0]);
    await page.evaluate('start()');
    await shows(page, { status: 'connected', notice: 'quiet' });
    expect([first.dials.length, second.dials.length]).toEqual([1, 1]);
  });

  it('without autoStart it is idle until started', async () => {
    const server = await faultServer();
    const page = await mount({ url: server.url, autoStart: false });
    await expect.poll(() => page.evaluate('connection?.snapshot.value'), PATIENCE).toBe('idle');
    expect(await viewsOf(page)).toMatchObject([{ status: 'idle', notice: 'quiet' }]);
    await page.evaluate('start()');
    await shows(page, { status: 'connected' });
    expect(server.dials).toHaveLength(1);
  });
});

describe('rendered on a server', () => {
  /** The React example as a process renders it that has nothing else to do. */
  async function renderOnServer(): Promise<{ html: string; resources: string[] }> {
    const program = ['--import', 'tsx', 'test/pages/react-server.tsx', 'ws://127.0.0.1:1'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, program, { cwd: root, timeout: 45_000 });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }

  it('O5 is what is shown while connecting, and leaves no timer and no socket: the process ends', async () => {
    const { html, resources } = await renderOnServer();
    expect(html).toContain('<p role="status" aria-live="polite"></p>');
    expect(html).toContain('<h1>Message board</h1>');
    expect(html).not.toContain('Try');
    expect(resources.filter((resource) => !/^(Pipe|TTY)/u.test(resource))).toEqual([]);
  });

  it('is taken over by the page as it is, which then connects once', async () => {
    const server = await faultServer();
    const { html } = await renderOnServer();
    const body = `<!doctype html><div id="app">${html}</div>
      <script>main = document.querySelector('main')</script><script src="/app.js"></script>`;
    const origin = await serve({ '/': body, '/app.js': await bundle('test/pages/react-hydrate.tsx') });
    // What does not fit is a console error of React's, and fails this test.
    const page = await chromium.open(`${origin}/?url=${server.url}`);
    await openOn(server, 1);
    (await server.open[0]!.session).send(JSON.stringify([{ id: '1', text: 'hello' }]));
    await expect
      .poll(() => page.$$eval('li', (items) => items.map((item) => item.textContent)), PATIENCE)
      .toEqual(['hello']);
    expect(await page.evaluate('main === document.querySelector("main")')).toBe(true);
    expect(server.dials).toHaveLength(1);
  });
});

it('the component in docs/react.md works', async () => {
  const [, component = ''] = /^```tsx\n(.*?)^```/msu.exec(readFileSync(join(root, 'docs/react.md'), 'utf8')) ?? [];
  // Inside the project, so that it finds what it imports, this package as it was built among them.
  const folder = mkdtempSync(join(root, 'test', '.examples-'));
  afterTest(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'live.tsx'), component);
  const main = `
    import { createRoot } from 'react-dom/client';
    import { Live } from './live';
    const url = new URLSearchParams(location.search).get('url');
    createRoot(document.body.appendChild(document.createElement('main'))).render(<Live url={url} />);`;
  writeFileSync(join(folder, 'main.tsx'), main);
  const origin = await serve({ '/app.js': await bundle(relative(root, join(folder, 'main.tsx'))) });
  const { port } = await webSocketServer((peer) => peer.send('hello'));
  const page = await chromium.open(`${origin}/?url=ws://127.0.0.1:${port}`);
  await expect.poll(() => page.$eval('main', (main) => main.textContent), PATIENCE).toBe('hello');
});
