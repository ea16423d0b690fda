/** The viewer's page in Chromium, with real connections behind it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Frame, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { assign, createActor, setup } from 'xstate';
import { createInspector } from '../../src/inspect';
import { inspectOverWebSocket } from '../../src/inspect/node';
import { serveViewerPage } from '../../src/inspect/viewer-server';
import { bundle, serve, useChromium } from '../support/browser';
import { buildCli } from '../support/build';
import { afterTest, webSocketServer } from '../support/servers';
import {
  ACTIVE,
  BUTTONS,
  becomes,
  LINK,
  lostConnection,
  press,
  STATE,
  showsState,
  viewerServer,
} from '../support/viewer';

const chromium = useChromium();
beforeAll(() => {
  buildCli();
});

const HEADING = "document.querySelector('.welcome h2')?.textContent";

describe('the viewer is opened', () => {
  test('before the actor starts', async () => {
    const viewer = await viewerServer();
    const page = await chromium.open(viewer.url);
    await becomes(page, HEADING, 'No actor runs yet');
    await lostConnection(viewer);
    await showsState(page, 'backingOff');
    await becomes(page, ACTIVE, ['state-backingOff']);
    await becomes(page, 'document.title', 'backingOff · reconnect');
  });

  test('while the actor waits: it shows how long, for what, and since when', async () => {
    const viewer = await viewerServer();
    const { connection } = await lostConnection(viewer);
    await expect.poll(() => connection.snapshot.value).toBe('backingOff');
    const page = await chromium.open(viewer.url);
    await showsState(page, 'backingOff');
    await becomes(
      page,
      "/^(1 h|59 min( \\d+ s)?)$/.test(document.querySelector('.ring [role=timer]')?.textContent)",
      true,
    );
    expect(await page.$eval('.why', ({ textContent }) => textContent)).toMatch(
      /attempt 1.*connect-failed.*ECONNREFUSED/su,
    );
    expect(await page.$$eval('.failures li', (items) => items.length)).toBe(1);
  });

  test('on an actor that runs already and was attached', async () => {
    const viewer = await viewerServer();
    const { connection } = await lostConnection({ inspect: () => {} });
    await expect.poll(() => connection.snapshot.value).toBe('backingOff');
    const page = await chromium.open(viewer.url);
    await becomes(page, HEADING, 'No actor runs yet');
    viewer.attach(connection.actor);
    await showsState(page, 'backingOff');
  });
});

describe('the buttons', () => {
  test('retry makes the real connection dial, and the chart shows the way it went', async () => {
    const viewer = await viewerServer();
    const { serve } = await lostConnection(viewer);
    const page = await chromium.open(viewer.url);
    await showsState(page, 'backingOff');
    const server = await serve();
    expect(server.peers.length).toBe(0);
    await press(page, 'retry');
    await showsState(page, 'connected');
    expect(server.peers.length).toBe(1);
    await becomes(page, ACTIVE, ['state-connected']);
    await becomes(page, "document.querySelector('.arrow.taken text')?.textContent", 'connect done');
    await becomes(page, "document.querySelector('.led-to')?.textContent.includes('connected')", true);

    await press(page, 'stop');
    await showsState(page, 'idle');
    await becomes(page, BUTTONS, ['start', 'update…', 'online', 'offline', 'suspend', 'resume', 'other…']);
  });

  test('update is edited as JSON, beginning with the input there is; what is no event is refused', async () => {
    const viewer = await viewerServer();
    const { connection } = await lostConnection(viewer);
    const page = await chromium.open(viewer.url);
    await showsState(page, 'backingOff');
    await press(page, 'update…');
    const draft = () => page.$eval('dialog textarea', ({ value }) => JSON.parse(value) as unknown);
    expect(await draft()).toEqual({ type: 'update', input: 'first' });
    await page.locator('dialog textarea').fill('{ "input": "second" }');
    await press(page, 'Send');
    await becomes(
      page,
      "document.querySelector('#event-problem')?.textContent",
      'An event is an object with a "type" that is text.',
    );
    await page.locator('dialog textarea').fill('{ "type": "update", "input": "second" }');
    await press(page, 'Send');
    await expect.poll(() => connection.snapshot.context.input).toBe('second');
    await becomes(page, "document.querySelector('dialog').open", false);
  });

  test('by the keyboard alone: Tab to retry, and Enter', async () => {
    const viewer = await viewerServer();
    const { serve } = await lostConnection(viewer);
    const page = await chromium.open(viewer.url);
    await showsState(page, 'backingOff');
    const server = await serve();
    const focused = (): Promise<string> =>
      page.evaluate(() => document.activeElement?.textContent?.trim().split('\n')[0] ?? '');
    const way: string[] = [];
    while (way.at(-1) !== 'retry' && way.length < 20) {
      await page.keyboard.press('Tab');
      way.push(await focused());
    }
    expect(way.at(-1)).toBe('retry');
    expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid');
    await page.keyboard.press('Enter');
    await showsState(page, 'connected');
    expect(server.peers.length).toBe(1);
  });
});

describe('it keeps working', () => {
  test('reloaded in the middle of an outage: it shows the same', async () => {
    const viewer = await viewerServer();
    await lostConnection(viewer);
    const page = await chromium.open(viewer.url);
    await showsState(page, 'backingOff');
    const shown = (): Promise<unknown> =>
      page.evaluate(() =>
        ['.why', '.failures', '.tree', '.events', '.actors'].map((part) => document.querySelector(part)?.textContent),
      );
    await becomes(page, ACTIVE, ['state-backingOff']);
    const before = await shown();
    await page.reload();
    await becomes(page, ACTIVE, ['state-backingOff']);
    expect(await shown()).toEqual(before);
    // Also who was chosen.
    await page.locator('.actor::-p-text(wait)').click();
    await showsState(page, 'active');
    await page.reload();
    await showsState(page, 'active');
  });

  test('the app is killed and comes back: the page says so, and recovers by itself', async () => {
    const page = await openApp(0);
    await showsState(page.page, 'backingOff');
    await page.kill();
    await becomes(page.page, LINK, 'App not reachable');
    await becomes(page.page, BUTTONS, []);
    expect(await page.page.evaluate(STATE)).toBe('backingOff');
    const pid = await page.start();
    await becomes(page.page, LINK, 'Connected');
    await becomes(page.page, `document.querySelector('.why')?.textContent.includes('process ${pid}')`, true);
    await press(page.page, 'stop');
    await showsState(page.page, 'idle');
  });

  test('the app says goodbye: what is shown is said to be old', async () => {
    const viewer = await viewerServer();
    await lostConnection(viewer);
    const page = await chromium.open(viewer.url, { expected: [/ERR_CONNECTION_REFUSED/u] });
    await showsState(page, 'backingOff');
    await viewer.stop();
    await becomes(page, "document.querySelector('.why')?.textContent.startsWith('out of sight')", true);
    await becomes(page, LINK, 'App not reachable');
  });

  test('50 actors at once: each is in the list as it is, and can be found, chosen and steered', async () => {
    const viewer = await viewerServer();
    const machine = setup({ types: {} as { context: { count: number } } }).createMachine({
      id: 'ticker',
      context: { count: 0 },
      initial: 'even',
      on: { tick: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
      states: { even: { on: { flip: 'odd' } }, odd: { on: { flip: 'even' } } },
    });
    const actors = Array.from({ length: 50 }, (_, index) =>
      createActor(machine, { id: `ticker ${index}`, inspect: viewer.inspect }),
    );
    for (const actor of actors) actor.start();
    afterTest(() => {
      for (const actor of actors) actor.stop();
    });
    const page = await chromium.open(viewer.url);
    await becomes(page, "document.querySelectorAll('.actor').length", 50);
    // As fast as they can, in bursts, while somebody looks.
    for (let round = 1; round <= 60; round += 1) {
      for (const actor of actors) {
        actor.send({ type: 'tick' });
        actor.send({ type: 'flip' });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const actor of actors.slice(0, 10)) actor.send({ type: 'flip' });
    const states = "[...document.querySelectorAll('.actor .state')].map(({ textContent }) => textContent)";
    await becomes(
      page,
      states,
      actors.map((_, index) => (index < 10 ? 'odd' : 'even')),
    );

    await page.locator('input[type=search]').fill('ticker 49');
    await becomes(page, "document.querySelectorAll('.actor').length", 1);
    await page.locator('.actor').click();
    await press(page, 'flip');
    await showsState(page, 'odd');
    expect(actors[49]!.getSnapshot().value).toBe('odd');
    await becomes(page, "document.querySelector('.tree .number').textContent", '60');
  });

  test('a context of a megabyte is a line until somebody opens it', async () => {
    const viewer = await viewerServer();
    const machine = setup({ types: {} as { context: { list: number[]; text: string; count: number } } }).createMachine({
      id: 'large',
      context: { list: Array.from({ length: 60_000 }, (_, index) => index), text: 'x'.repeat(600_000), count: 0 },
      on: { tick: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
    });
    const actor = createActor(machine, { inspect: viewer.inspect }).start();
    afterTest(() => actor.stop());
    const page = await chromium.open(viewer.url);
    await becomes(page, "document.querySelectorAll('.tree li').length", 3);
    expect(await page.evaluate(() => document.querySelector('.tree')!.textContent!.length)).toBeLessThan(1_000);
    await press(page, 'list 60000 items');
    await becomes(page, "document.querySelectorAll('.tree li').length", 53);
    await press(page, '50 more of 60,000');
    await becomes(page, "document.querySelectorAll('.tree li').length", 103);
    await press(page, 'more of 600,000 characters');
    await becomes(page, "document.querySelector('.tree .value.string').textContent.length > 4000", true);
    // What was opened stays open.
    for (let round = 0; round < 20; round += 1) actor.send({ type: 'tick' });
    await becomes(page, "[...document.querySelectorAll('.tree .value.number')].at(-1).textContent", '20');
    await becomes(page, "document.querySelectorAll('.tree li').length", 103);
  });

  test('children come and go: those that ended are counted, and shown when asked for', async () => {
    const viewer = await viewerServer();
    await lostConnection(viewer);
    const page = await chromium.open(viewer.url);
    await showsState(page, 'backingOff');
    const names = "[...document.querySelectorAll('.actor .name')].map(({ textContent }) => textContent)";
    await becomes(page, names, ['reconnect', 'child, wait']);
    for (let round = 0; round < 40; round += 1) {
      await press(page, 'retry');
      await becomes(page, `document.querySelector('.why')?.textContent.startsWith('attempt ${round + 2} ')`, true);
    }
    await becomes(page, "document.querySelector('.ended')?.textContent", '30 ended');
    await page.locator('.ended input').click();
    await becomes(page, "document.querySelectorAll('.actor').length", 32);
    await press(page, 'Forget');
    await becomes(page, names, ['reconnect', 'child, wait']);
  });
});

describe('over a window', () => {
  /** The address of an app that shows itself in a viewer, and is a page of another origin. */
  async function serveApp(target: 'iframe' | 'popup'): Promise<string> {
    const viewer = await serveViewerPage(undefined);
    afterTest(() => viewer.stop());
    const app = await serve({
      '/app.js': await bundle('test/pages/inspected.ts'),
      '/': '<!doctype html><title>app</title><body><iframe width=1200 height=800></iframe><script src="/app.js"></script></body>',
    });
    return `${app}/?target=${target}&viewer=${encodeURIComponent(`${viewer.url}?inspect`)}`;
  }

  async function watch(page: Page, viewer: Page | Frame): Promise<void> {
    const state = (): Promise<unknown> => viewer.evaluate(STATE);
    await viewer.waitForSelector('main .hero h2');
    await expect.poll(state).toBe('backingOff');
    await page.evaluate('world.up = true');
    await viewer.locator('button::-p-text(retry)').click();
    await expect.poll(state).toBe('connected');
    expect(await page.evaluate('world.dials')).toBe(2);
    await page.evaluate('inspector.stop()');
    await expect.poll(() => viewer.evaluate(LINK)).toBe('The app is gone');
  }

  test('in an iframe it shows the connection of the page around it, and makes it dial', async () => {
    const page = await chromium.open(await serveApp('iframe'));
    await watch(page, await page.waitForFrame((each) => each.url().includes('?inspect')));
  });

  test('in a popup it shows the connection of the page that opened it, and makes it dial', async () => {
    const page = await chromium.open('about:blank');
    const opened = new Promise<Page | null>((resolve) => page.once('popup', resolve));
    await page.goto(await serveApp('popup'));
    const popup = (await opened)!;
    afterTest(() => popup.close());
    await watch(page, popup);
  });

  test('in a frame it takes no server from its address: nobody is led to press buttons that they do not see', async () => {
    const viewer = await viewerServer();
    await lostConnection(viewer);
    const alone = await serveViewerPage(viewer.url.replace('http', 'ws'));
    afterTest(() => alone.stop());
    const around = await serve({ '/': `<!doctype html><title>bait</title><iframe src="${alone.url}"></iframe>` });
    const page = await chromium.open(around);
    const frame = await page.waitForFrame((each) => each.url().includes('?server='));
    await frame.waitForSelector('.link-listening');
  });

  test('the viewer of an app is nobody’s frame', async () => {
    const viewer = await viewerServer();
    const around = await serve({ '/': `<!doctype html><title>bait</title><iframe src="${viewer.url}"></iframe>` });
    const page = await chromium.open(around, { expected: [/frame-ancestors/u] });
    await expect.poll(() => page.frames().map((frame) => frame.url())).toContain('chrome-error://chromewebdata/');
  });
});

test('served alone with ?server=, it shows an app that lets it in', async () => {
  const inspector = await inspectOverWebSocket({ port: 0, onError: () => {} });
  const alone = await serveViewerPage(inspector.url);
  await inspector.stop();
  afterTest(() => alone.stop());
  const port = Number(new URL(inspector.url).port);
  const letting = await inspectOverWebSocket({ port, origins: [new URL(alone.url).origin] });
  afterTest(() => letting.stop());
  await lostConnection(letting);
  const page = await chromium.open(alone.url);
  await showsState(page, 'backingOff');
});

test('it needs no network: nothing is loaded but the page itself, and no script but its own runs in it', async () => {
  const viewer = await viewerServer();
  const { connection } = await lostConnection(viewer);
  const page = await chromium.open('about:blank', { expected: [/Content Security Policy/u] });
  const asked: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) asked.push(request.url());
  });
  await page.goto(viewer.url);
  await becomes(page, ACTIVE, ['state-backingOff']);
  connection.update('<img src=x onerror="document.title=1"><script>document.title=2</script>');
  await becomes(page, "document.querySelector('.tree .string').textContent.startsWith('\"<img')", true);
  await page.evaluate(() =>
    document.body.append(Object.assign(document.createElement('script'), { text: 'globalThis.ran = true' })),
  );
  expect(await page.evaluate('globalThis.ran')).toBeUndefined();
  expect(asked).toEqual([viewer.url]);
});

test('what cannot be read is told, and what comes after it is shown', async () => {
  const app = await webSocketServer();
  const alone = await serveViewerPage(`ws://127.0.0.1:${app.port}/`);
  afterTest(() => alone.stop());
  const page = await chromium.open(alone.url);
  const peer = await app.peers.next();
  const inspector = createInspector();
  const link = inspector.connect((message) => peer.send(JSON.stringify(message)));
  peer.send('{"type":"service.state","sessionId":"x:0","state":7}');
  peer.send('no JSON');
  await becomes(
    page,
    "document.querySelector('[role=alert]')?.textContent",
    'The app said something that could not be read: service.state: expected "state" to be text, got number',
  );
  link.receive({ type: 'xstate.inspecting' });
  await lostConnection(inspector);
  await showsState(page, 'backingOff');
});

/** An app in a process of its own, and the page that shows it. */
async function openApp(port: number) {
  const main = fileURLToPath(new URL('../support/viewer-app-main.ts', import.meta.url));
  let child: ChildProcess;
  let at = port;
  let url = '';
  const start = async (): Promise<number> => {
    child = fork(main, [String(at)], { execArgv: ['--import', import.meta.resolve('tsx')] });
    [url] = (await once(child, 'message')) as [string];
    at = Number(new URL(url).port);
    return child.pid!;
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  afterTest(kill);
  const page = await chromium.open(url, { expected: [/ERR_CONNECTION/u] });
  return { page, start, kill };
}
