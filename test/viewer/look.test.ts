/** What the viewer looks like, to those who see and to those who do not, in each state, light and dark. The pictures are in test-results/viewer. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Page, SerializedAXNode } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type ConnectArgs, type ReconnectHandleOptions, type ReconnectState, reconnect } from '../../src/index';
import type { Inspector } from '../../src/inspect';
import { serveViewerPage } from '../../src/inspect/viewer-server';
import { type WebSocketSession, websocket } from '../../src/websocket';
import { useChromium } from '../support/browser';
import { buildCli } from '../support/build';
import { afterTest, tcpServer, webSocketServer } from '../support/servers';
import { ACTIVE, becomes, press, showsState, viewerServer } from '../support/viewer';

const chromium = useChromium();
const folder = fileURLToPath(new URL('../../test-results/viewer', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
beforeAll(() => {
  buildCli();
  mkdirSync(folder, { recursive: true });
});

const SCHEMES = ['light', 'dark'] as const;

type Options = Partial<ReconnectHandleOptions<WebSocketSession<WebSocket>, { token: string }>>;

function connect({ inspect }: Inspector, port: number, options: Options) {
  const connection = reconnect({
    connect: websocket(
      ({ input }: ConnectArgs<{ token: string }>) => `ws://127.0.0.1:${port}/live?token=${input.token}`,
      {
        WebSocket,
      },
    ),
    input: { token: 'none' },
    inspect,
    ...options,
  });
  afterTest(() => connection.stop());
  return connection;
}

/** Brings a connection of `viewer` into a state, the way it gets there in life. */
const WAYS: Record<ReconnectState, (viewer: Inspector) => Promise<void>> = {
  async idle(viewer) {
    connect(viewer, 1, { autoStart: false });
  },
  async connecting(viewer) {
    // It takes the call, and says nothing.
    const { port } = await tcpServer();
    connect(viewer, port, {});
  },
  async connected(viewer) {
    const { port } = await webSocketServer();
    connect(viewer, port, {});
  },
  async backingOff(viewer) {
    const { port, peers, kill } = await webSocketServer();
    const connection = connect(viewer, port, { backoff: { initial: '20ms', multiplier: 8, max: '10m', timeout: 0 } });
    (await peers.next()).close(1013, 'overloaded');
    await kill();
    await expect.poll(() => connection.snapshot.context.wait, { timeout: 20_000 }).toBeGreaterThan(10_000);
  },
  async failed(viewer) {
    const { port, kill } = await tcpServer();
    await kill();
    connect(viewer, port, { backoff: { initial: '20ms', maxAttempts: 3 } });
  },
};

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
  );
}

describe.each(SCHEMES)('%s', (scheme) => {
  test.each(Object.entries(WAYS))('%s: drawn, marked, and without anything that axe finds', async (state, bring) => {
    const viewer = await viewerServer();
    const page = await chromium.open('about:blank');
    await page.setViewport({ width: 1440, height: 1000 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(viewer.url);
    await bring(viewer);
    await showsState(page, state);
    await becomes(page, ACTIVE, [`state-${state}`]);
    await settled(page);
    await page.screenshot({ path: `${folder}/${state}-${scheme}.png` });
    expect(await findings(page)).toEqual([]);
    const [background, colour] = await page.evaluate(() => [
      getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.querySelector('.drawing .active text')!).fill,
    ]);
    expect(luminance(background!) > luminance(colour!)).toBe(scheme === 'light');
  });

  test('with nothing to show, on a narrow screen, and in its dialog it has nothing that axe finds', async () => {
    const alone = await serveViewerPage(undefined);
    afterTest(() => alone.stop());
    const viewer = await viewerServer();
    await WAYS.backingOff(viewer);
    const page = await chromium.open('about:blank');
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(alone.url);
    await page.waitForSelector('.welcome pre');
    await page.screenshot({ path: `${folder}/welcome-${scheme}.png` });
    expect(await findings(page)).toEqual([]);
    await page.setViewport({ width: 420, height: 900 });
    await page.goto(viewer.url);
    await showsState(page, 'backingOff');
    await becomes(page, ACTIVE, ['state-backingOff']);
    await settled(page);
    await page.screenshot({ path: `${folder}/narrow-${scheme}.png` });
    // Nothing sticks out to the side but what scrolls by itself.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(420);
    expect(await findings(page)).toEqual([]);
    await press(page, 'update…');
    await page.waitForSelector('dialog[open] textarea');
    await settled(page);
    await page.screenshot({ path: `${folder}/dialog-${scheme}.png` });
    expect(await findings(page)).toEqual([]);
  });
});

test('what a screen reader meets: landmarks, headings, the state as it changes, and buttons that say what they send', async () => {
  const viewer = await viewerServer();
  await WAYS.backingOff(viewer);
  const page = await chromium.open(viewer.url);
  await showsState(page, 'backingOff');
  await becomes(page, ACTIVE, ['state-backingOff']);
  await becomes(page, "document.querySelector('.now [role=status]').textContent", 'reconnect: backingOff');
  const nodes = flatten((await page.accessibility.snapshot({ interestingOnly: false }))!);
  const named = (role: string): string[] => nodes.filter((node) => node.role === role).map(({ name = '' }) => name);
  expect(nodes.map(({ role }) => role)).toEqual(expect.arrayContaining(['banner', 'navigation', 'main']));
  expect(named('navigation')).toEqual(['Actors']);
  expect(named('heading')).toEqual([
    'Statechart viewer',
    'Actors',
    'backingOff',
    'Timeline',
    'Chart',
    'Events',
    'Failures',
    'Context',
  ]);
  expect(named('group')).toEqual(expect.arrayContaining(['Send an event', 'Size of the chart']));
  expect(named('button')).toEqual(expect.arrayContaining(['retry', 'stop', 'Larger', 'Skip to the chosen actor']));
  expect(named('timer')).toEqual(['Until the next attempt']);
  expect(named('region')).toEqual(expect.arrayContaining(['Chart of reconnect']));
  expect(named('image')).toEqual(['States of reconnect over time']);
  const row = nodes.find(({ role, name }) => role === 'button' && name?.startsWith('reconnect'));
  expect(row?.name).toBe('reconnect backingOff');
});

test('who wants no motion gets none', async () => {
  const viewer = await viewerServer();
  await WAYS.connecting(viewer);
  const page = await chromium.open('about:blank');
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  await page.goto(viewer.url);
  await showsState(page, 'connecting');
  await becomes(page, ACTIVE, ['state-connecting']);
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll('*')].flatMap((element) => {
      const { transitionDuration, animationDuration } = getComputedStyle(element);
      return /[1-9]/u.test(transitionDuration + animationDuration) ? [element.outerHTML.slice(0, 80)] : [];
    }),
  );
  expect(moving).toEqual([]);
});

/** Until nothing moves any more but what does so for ever: colours in between are neither checked nor shown. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const finite = document
      .getAnimations()
      .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
    await Promise.allSettled(finite.map(({ finished }) => finished));
  });
}

function flatten(node: SerializedAXNode): SerializedAXNode[] {
  return [node, ...(node.children ?? []).flatMap(flatten)];
}

/** Near enough, to tell dark from light. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = colour.match(/[\d.]+/gu)?.map(Number) ?? [];
  return red + green + blue;
}
