/** Stately's own inspector for XState 5, in a real Chromium: it shows our actors as they are, and others with some help. */
import type { Frame, Page } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bundle, serve, useChromium } from '../support/browser';

const chromium = useChromium();

let app: string;
let viewer: string;
beforeAll(async () => {
  [app, viewer] = await Promise.all([bundle('test/pages/stately.ts'), bundle('test/pages/stately-viewer.ts')]);
});

let appOrigin: string;
let viewerOrigin: string;
beforeEach(async () => {
  appOrigin = await serve({
    '/app.js': app,
    '/': '<!doctype html><title>test</title><body><iframe></iframe><script src="/app.js"></script></body>',
    '/popup': '<!doctype html><title>test</title><body><script src="/app.js"></script></body>',
  });
  viewerOrigin = await serve({ '/app.js': viewer });
});

/** What Stately's receiver hears. */
interface Heard {
  type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot';
  name?: string;
  definition?: string;
  snapshot?: { value?: unknown; context?: Record<string, unknown>; status: string; children?: unknown };
  event?: { type: string; [field: string]: unknown };
}

type Help = 'none' | 'serialize' | 'sanitize' | 'plain';

async function open(help: Help, expected: readonly RegExp[] = []): Promise<[page: Page, viewer: Frame]> {
  const url = `${appOrigin}/?help=${help}&viewer=${encodeURIComponent(`${viewerOrigin}/`)}`;
  const page = await chromium.open(url, { expected });
  return [page, await page.waitForFrame((frame) => frame.url().startsWith(viewerOrigin), { timeout: 20_000 })];
}

/** What the viewer has heard, once it has heard what `expression` looks for. */
async function heard(viewer: Frame | Page, expression: string): Promise<Heard[]> {
  await expect.poll(() => viewer.evaluate(`heard.some((one) => ${expression})`), { timeout: 20_000 }).toBe(true);
  return viewer.evaluate('heard') as Promise<Heard[]>;
}

// An actor is shown with the snapshot that it has by the time that Stately's gets around to it.
const IS_CONNECTED = "one.type === '@xstate.snapshot' && one.snapshot.value === 'connected'";
const IS_KEPT = "one.type === '@xstate.snapshot' && one.event.type === 'keep'";
const snapshotsOf = (all: Heard[]): Heard['snapshot'][] =>
  all
    .filter(({ type, snapshot }) => type === '@xstate.snapshot' && snapshot?.value !== undefined)
    .map(({ snapshot }) => snapshot);
const keptIn = (all: Heard[]) => ({
  event: all.find(({ type, event }) => type === '@xstate.event' && event?.type === 'keep')?.event?.['kept'],
  context: all.find(({ type, event }) => type === '@xstate.snapshot' && event?.type === 'keep')?.snapshot?.context,
});

describe('a connection', () => {
  test.each<Help>(['none', 'serialize', 'sanitize', 'plain'])('is shown whole, with help: %s', async (help) => {
    const [page, viewer] = await open(help);
    await page.evaluate('startConnection()');
    const all = await heard(viewer, IS_CONNECTED);

    const actor = all.find(({ type, name }) => type === '@xstate.actor' && name === 'reconnect');
    const definition = JSON.parse(actor?.definition ?? '') as { id: string; states: object };
    expect(definition.id).toBe('reconnect');
    expect(Object.keys(definition.states).sort()).toEqual(['backingOff', 'connected', 'connecting', 'failed', 'idle']);
    const snapshots = snapshotsOf(all);
    expect(snapshots.map((snapshot) => snapshot?.value)).toEqual([
      'connecting',
      'backingOff',
      'connecting',
      'connected',
    ]);
    expect(snapshots[1]?.context).toMatchObject({ attempt: 1, failure: { name: 'Error', message: 'refused' } });
    expect(snapshots[3]?.context).toMatchObject({ lease: 'live' });
  });

  test('is shown in a popup', async () => {
    const page = await chromium.browser.newPage();
    const opened = new Promise<Page | null>((resolve) => page.once('popup', resolve));
    await page.goto(`${appOrigin}/popup?viewer=${encodeURIComponent(`${viewerOrigin}/`)}`);
    const popup = (await opened)!;
    await page.evaluate('startConnection()');
    expect(snapshotsOf(await heard(popup, IS_CONNECTED))).toHaveLength(4);
    await popup.close();
    await page.close();
  });
});

describe('an error that an app keeps in its context', () => {
  const READABLE = { name: 'TypeError', message: 'bad address', cause: { name: 'Error', message: 'no such host' } };

  test('is {} without help', async () => {
    const [page, viewer] = await open('none');
    await page.evaluate('startKeeper(ERRORS)');
    expect(keptIn(await heard(viewer, IS_KEPT))).toEqual({
      event: { error: {}, token: 'hush' },
      context: { error: {}, token: 'hush' },
    });
  });

  test.each<Help>(['serialize', 'sanitize'])(
    'createSerializer as option %s makes it readable in events; in snapshots it is {} before that is asked',
    async (help) => {
      const [page, viewer] = await open(help);
      await page.evaluate('startKeeper(ERRORS)');
      const { event, context } = keptIn(await heard(viewer, IS_KEPT));
      expect(event).toMatchObject({ error: READABLE, token: '[redacted]' });
      expect(context).toEqual({ error: {}, token: '[redacted]' });
    },
  );

  test('plainInspection makes it readable everywhere', async () => {
    const [page, viewer] = await open('plain');
    await page.evaluate('startKeeper(ERRORS)');
    const { event, context } = keptIn(await heard(viewer, IS_KEPT));
    expect(event).toMatchObject({ error: READABLE, token: '[redacted]' });
    expect(context).toMatchObject({ error: READABLE, token: '[redacted]' });
  });
});

describe('what throws when it is read', () => {
  test('breaks the inspector without help', async () => {
    const [page, viewer] = await open('none', [/hands off/u]);
    await page.evaluate('startKeeper(HOSTILE)');
    await page.evaluate('startConnection()');
    const all = await heard(viewer, IS_CONNECTED);
    expect(keptIn(all).context).toBeUndefined();
  });

  test('says why with plainInspection', async () => {
    const [page, viewer] = await open('plain');
    await page.evaluate('startKeeper(HOSTILE)');
    expect(keptIn(await heard(viewer, IS_KEPT)).context).toEqual({
      session: { socket: '[unreadable: hands off]' },
    });
  });
});
