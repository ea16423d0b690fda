/** The inspector in a real Chromium, and `@xstate/inspect`'s own window receiver of XState 4 as its viewer, on another origin. */
import puppeteer, { type Frame, type Page, type Target } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inspectInWindow } from '../../src/inspect';
import { bundle, serve, useChromium } from '../support/browser';
import { findChromium } from '../support/chromium';
import { afterTest } from '../support/servers';

const chromium = useChromium();
const page = (body: string): string =>
  `<!doctype html><title>test</title><body>${body}<script src="/app.js"></script></body>`;

let app: string;
let viewer: string;
beforeAll(async () => {
  [app, viewer] = await Promise.all([bundle('test/pages/inspected.ts'), bundle('test/pages/window-viewer.ts')]);
});

let appOrigin: string;
let viewerOrigin: string;
beforeEach(async () => {
  appOrigin = await serve({
    '/app.js': app,
    '/': page('<button>Inspect</button>'),
    '/iframe': page('<iframe></iframe>'),
  });
  viewerOrigin = await serve({ '/app.js': viewer });
});

const address = (target: 'popup' | 'iframe' | 'parent', url = `${viewerOrigin}/`): string =>
  `${appOrigin}/${target === 'iframe' ? 'iframe' : ''}?target=${target}&viewer=${encodeURIComponent(url)}`;

type Place = Page | Frame;
const read = <T>(place: Place, expression: string): Promise<T> => place.evaluate(expression) as Promise<T>;
const becomes = (place: Place, expression: string, expected: unknown): Promise<void> =>
  expect.poll(() => read(place, expression), { timeout: 20_000 }).toEqual(expected);

/** The frame of `page` that shows a page of `origin`. */
async function frameOf(page: Page, origin: string): Promise<Frame> {
  return page.waitForFrame((frame) => frame.url().startsWith(origin), { timeout: 20_000 });
}

/** Opens the page whose viewer is a popup, and the popup. */
async function openWithPopup(): Promise<[page: Page, popup: Page]> {
  const opened = new Promise<Target>((resolve) => {
    const look = (target: Target): void => {
      if (!target.url().startsWith(viewerOrigin)) return;
      chromium.browser.off('targetcreated', look).off('targetchanged', look);
      resolve(target);
    };
    chromium.browser.on('targetcreated', look).on('targetchanged', look);
  });
  const page = await chromium.open(address('popup'));
  const popup = await (await opened).page();
  if (popup === null) throw new Error('the popup is no page');
  afterTest(() => popup.close().catch(() => {}));
  return [page, popup];
}

/** The last state of the connection that the viewer heard of. */
const LAST =
  "heard.findLast((one) => one.id === 'reconnect' || one.sessionId === heard.find((x) => x.id === 'reconnect')?.sessionId)";
const SESSION = "heard.find((one) => one.id === 'reconnect').sessionId";

async function watchOutage(page: Page, viewer: Place, dials = 2): Promise<void> {
  await becomes(viewer, `${LAST}?.value`, 'backingOff');
  expect(await read(viewer, `${LAST}.error`)).toEqual({ name: 'Error', message: 'refused' });
  expect(await read<string[]>(viewer, `${LAST}.nextEvents`)).toEqual(expect.arrayContaining(['retry', 'stop']));
  // Nothing else would make it dial within the hour.
  await page.evaluate('world.up = true');
  await viewer.evaluate(`send(${SESSION}, { type: 'retry' })`);
  await becomes(viewer, `${LAST}?.value`, 'connected');
  expect(await read(page, 'world.dials')).toBe(dials);
  await viewer.evaluate(`send(${SESSION}, { type: 'stop' })`);
  await becomes(viewer, `${LAST}?.value`, 'idle');
  expect(await read(page, 'errors')).toEqual([]);
}

describe("@xstate/inspect's own receiver shows a connection through an outage, and makes it dial and stop", () => {
  test('in an iframe', async () => {
    const page = await chromium.open(address('iframe'));
    await watchOutage(page, await frameOf(page, viewerOrigin));
  });

  test('in a popup', async () => {
    const [page, popup] = await openWithPopup();
    await watchOutage(page, popup);
  });

  test('around the app: the viewer is the parent of its page, and was there first', async () => {
    const outer = await serve({ '/app.js': viewer, '/': page('<main></main>') });
    const around = await chromium.open(outer);
    await around.evaluate(
      `document.querySelector('main').innerHTML = '<iframe src="${address('parent', outer)}"></iframe>'`,
    );
    const inner = await frameOf(around, appOrigin);
    await becomes(around, `${LAST}?.value`, 'backingOff');
    await inner.evaluate('world.up = true');
    // The receiver of a page that has no opener sends to itself; a viewer around the app knows its frame.
    await around.evaluate(
      `frames[0].postMessage({ type: 'xstate.event', event: '{"type":"retry"}', service: ${SESSION} }, '${appOrigin}')`,
    );
    await becomes(around, `${LAST}?.value`, 'connected');
  });
});

describe('viewers that come and go', () => {
  test('reloaded in the middle of an outage: it sees how things are', async () => {
    const [page, popup] = await openWithPopup();
    await becomes(popup, `${LAST}?.value`, 'backingOff');
    await popup.reload();
    await becomes(popup, 'heard.map(({ type }) => type)', ['service.register', 'service.register']);
    await watchOutage(page, popup);
  });

  test('closed and opened again', async () => {
    const [page, popup] = await openWithPopup();
    await becomes(popup, `${LAST}?.value`, 'backingOff');
    await popup.close();
    await page.evaluate('connection.retry()');
    const again = new Promise<Page | null>((resolve) => page.once('popup', resolve));
    await page.click('button');
    const reopened = (await again)!;
    afterTest(() => reopened.close());
    await becomes(reopened, `${LAST}?.value`, 'backingOff');
    await watchOutage(page, reopened, 3);
  });

  test('the app is reloaded: the same popup shows the new one', async () => {
    const [page, popup] = await openWithPopup();
    await becomes(popup, `${LAST}?.value`, 'backingOff');
    await page.reload();
    await becomes(popup, `${LAST}?.value`, 'backingOff');
    expect((await chromium.browser.pages()).filter((one) => one.url().startsWith(viewerOrigin))).toHaveLength(1);
    await watchOutage(page, popup);
  });

  test('the app goes away: the viewer is told', async () => {
    const [page, popup] = await openWithPopup();
    await becomes(popup, `${LAST}?.value`, 'backingOff');
    await page.goto('about:blank');
    await becomes(popup, 'messages.at(-1)', 'xstate.disconnect');
  });

  test('stop says goodbye, and nothing more', async () => {
    const page = await chromium.open(address('iframe'));
    const frame = await frameOf(page, viewerOrigin);
    await becomes(frame, `${LAST}?.value`, 'backingOff');
    await page.evaluate('inspector.stop(); connection.retry()');
    await becomes(frame, 'messages.at(-1)', 'xstate.disconnect');
    await frame.evaluate(`send(${SESSION}, { type: 'stop' })`);
    await page.evaluate('new Promise((resolve) => setTimeout(resolve))');
    expect(await read(page, 'connection.snapshot.value')).toBe('backingOff');
    expect(await read(frame, 'messages.at(-1)')).toBe('xstate.disconnect');
  });
});

describe('strangers', () => {
  /** A page that tries all it can on whoever opened or embeds it, and keeps what it is told. */
  const STRANGER = page(`<script>
    const told = [];
    addEventListener('message', ({ data }) => told.push(data));
    const other = window.opener ?? window.parent;
    other.postMessage({ type: 'xstate.inspecting' }, '*');
    for (let i = 0; i < 20; i++)
      other.postMessage({ type: 'xstate.event', event: '{"type":"retry"}', sessionId: 'x:' + i }, '*');
  </script>`);
  /** Chromium says in the page's console that it did not deliver what was meant for another origin. */
  const undelivered = /Failed to execute 'postMessage' on 'DOMWindow': The target origin provided/u;

  test('a page of another origin in the window of the viewer is told nothing and heard by nobody; onError is told', async () => {
    const strange = await serve({ '/': STRANGER, '/app.js': '' });
    // Led here by the address that was meant to be the viewer's.
    const moved = await serve({ '/': page(''), '/app.js': `location.href = '${strange}'` });
    const opened = await chromium.open(address('iframe', `${moved}/`));
    const frame = await frameOf(opened, strange);
    await becomes(opened, 'errors', [
      `inspectInWindow: expected the viewer at ${moved}, but its window shows a page of ${strange}`,
    ]);
    expect(await read(opened, 'world.dials')).toBe(1);
    expect(await read(frame, 'told')).toEqual([]);
  });

  test('a viewer that leads its window elsewhere is followed by nothing', async () => {
    const strange = await serve({ '/': STRANGER, '/app.js': '' });
    const opened = await chromium.open(address('iframe'), { expected: [undelivered] });
    const viewer = await frameOf(opened, viewerOrigin);
    await becomes(viewer, `${LAST}?.value`, 'backingOff');
    await viewer.evaluate(`location.href = '${strange}'`).catch(() => {});
    const frame = await frameOf(opened, strange);
    await opened.evaluate('connection.retry()');
    await becomes(opened, "connection.snapshot.value === 'backingOff' && world.dials", 2);
    expect(await read(frame, 'told')).toEqual([]);
    expect(await read(opened, 'errors')).toHaveLength(1);
  });

  test('a window that is not the viewer, though of its origin, is not heard', async () => {
    const shared = await serve({
      '/app.js': viewer,
      '/stranger': STRANGER.replace('/app.js', '/none.js'),
      '/none.js': '',
    });
    const opened = await chromium.open(address('iframe', `${shared}/`));
    const frame = await frameOf(opened, shared);
    await becomes(frame, `${LAST}?.value`, 'backingOff');
    await opened.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<iframe name="second" src="${shared}/stranger"></iframe>')`,
    );
    const second = await frameOf(opened, `${shared}/stranger`);
    await becomes(second, 'document.readyState', 'complete');
    // What the stranger sent came before this.
    await opened.evaluate("new Promise((resolve) => { onmessage = resolve; postMessage('mark', '*'); })");
    expect(await read(opened, 'world.dials')).toBe(1);
    expect(await read(second, 'told')).toEqual([]);
    expect(await read(opened, 'errors')).toEqual([]);
  });
});

describe('a popup that the browser blocks', () => {
  test('is said, the app goes on, and a click opens it', async () => {
    // As people have it: puppeteer switches the blocking of popups off.
    const browser = await puppeteer.launch({
      executablePath: findChromium()!,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
      ignoreDefaultArgs: ['--disable-popup-blocking'],
      pipe: true,
    });
    afterTest(() => browser.close());
    const page = await browser.newPage();
    await page.goto(address('popup'));
    await becomes(page, 'connection.snapshot.value', 'backingOff');
    expect(await read(page, 'errors')).toEqual([
      'inspectInWindow: the browser blocked the popup of the viewer: allow popups for this page, ' +
        'call open() of this inspector from a click, or give an iframe as target',
    ]);
    expect(await browser.pages()).not.toContainEqual(expect.objectContaining({ url: viewerOrigin }));

    const opened = new Promise<Page | null>((resolve) => page.once('popup', resolve));
    await page.click('button');
    const popup = (await opened)!;
    await becomes(popup, `${LAST}?.value`, 'backingOff');
    await page.evaluate('world.up = true');
    await popup.evaluate(`send(${SESSION}, { type: 'retry' })`);
    await becomes(popup, `${LAST}?.value`, 'connected');
  });
});

describe('what it is given', () => {
  test.each(['file:///tmp/viewer.html', 'javascript:alert(1)', 'http://'])(
    '%s is no address of a viewer',
    async (url) => {
      const opened = await chromium.open(address('iframe'));
      expect(
        await read(
          opened,
          `(() => { try { inspectInWindow({ url: ${JSON.stringify(url)} }) } catch (e) { return String(e) } })()`,
        ),
      ).toBe(`TypeError: inspectInWindow: url: expected an http or https address, got ${JSON.stringify(url)}`);
    },
  );

  test('there is no window in Node, and it says what to use', () => {
    expect(() => inspectInWindow({ url: 'http://localhost/' })).toThrow(
      "inspectInWindow: there is no window here; in Node use inspectOverWebSocket of 'xstate-reconnect/inspect/node'",
    );
  });
});
