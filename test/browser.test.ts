/** `xstate-reconnect/browser`, in a real Chromium. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { browser } from '../src/browser';
import { bundle, collectErrors, serve, useChromium } from './support/browser';
import { blink, devtools, freeze, hide, show, thaw } from './support/page-life';
import { afterTest } from './support/servers';

const chromium = useChromium();
let app: string;
let worker: string;
let origin: string;
beforeAll(async () => {
  app = await bundle('test/pages/environment.ts');
  worker = await bundle('test/pages/environment-worker.ts');
});
beforeEach(async () => {
  origin = await serve({
    '/app.js': app,
    '/worker.js': worker,
    '/elsewhere': '<!doctype html><title>elsewhere</title>',
  });
});

/** Opens the page in a tab, the visible one. */
const open = (): Promise<Page> => chromium.open(origin);

/** Opens the page, watching. */
async function watch(options: object = {}): Promise<Page> {
  const page = await open();
  await page.evaluate(`watch(${JSON.stringify(options)})`);
  return page;
}

/** Waits until the page's list `name` is `expected`, and no longer: what comes later shows in the next look. */
const told = async (page: Page, expected: readonly unknown[], name = 'events'): Promise<void> =>
  expect.poll(() => page.evaluate(name), { timeout: 20_000 }).toEqual(expected);

describe('the network', () => {
  it('I online and offline are told', async () => {
    const page = await watch();
    await page.setOfflineMode(true);
    await told(page, ['offline']);
    await page.setOfflineMode(false);
    await told(page, ['offline', 'online']);
  });

  it('I a browser that is offline at the start says so', async () => {
    const page = await open();
    await page.setOfflineMode(true);
    await page.evaluate('watch()');
    await told(page, ['offline']);
  });

  it('I a worker hears of it too', async () => {
    const page = await open();
    await page.evaluate('watchInWorker()');
    await page.setOfflineMode(true);
    await told(page, ['watching', 'offline'], 'workerEvents');
    await page.setOfflineMode(false);
    await told(page, ['watching', 'offline', 'online'], 'workerEvents');
  });
});

describe('the page', () => {
  it('I frozen: suspend; running again: resume, though nobody sees it', async () => {
    const page = await watch();
    await freeze(page);
    await told(page, ['suspend']);
    await thaw(page);
    await told(page, ['suspend', 'resume']);
    expect(await page.evaluate('document.visibilityState')).toBe('hidden');
  });

  it.each(['keep', 'suspend'])(
    'I into the back/forward cache: suspend; back from it: resume, once (hidden: %s)',
    async (hidden) => {
      const page = await watch({ hidden });
      await page.goto(`${origin}/elsewhere`);
      await page.goBack();
      await told(page, ['suspend', 'resume']);
      expect(await page.evaluate('persisted')).toEqual([false, true, true]);
      await blink(page);
      await told(page, ['suspend', 'resume', 'offline', 'online']);
    },
  );

  it('I the back/forward cache never latches off where the page is not said to run again', async () => {
    // As Safari does it: no freeze and no resume.
    const page = await watch();
    await page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`);
    await page.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`);
    await told(page, ['suspend', 'resume']);
    // And if not even the show is told: it becomes visible.
    await hide(page);
    await page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`);
    await show(page);
    await told(page, ['suspend', 'resume', 'suspend', 'resume']);
  });

  it('a page that is left for good is not suspended, and one that is loaded does not resume', async () => {
    const page = await watch();
    await page.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }))`);
    await page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false }))`);
    await blink(page);
    await told(page, ['offline', 'online']);
  });

  it('I a background tab keeps by default: hiding it tells nothing, showing it tells resume', async () => {
    const page = await watch();
    await hide(page);
    await blink(page);
    await told(page, ['offline', 'online']);
    await show(page);
    await told(page, ['offline', 'online', 'resume']);
  });

  it('I a background tab suspends if asked to, until it is shown', async () => {
    const page = await watch({ hidden: 'suspend' });
    await hide(page);
    await told(page, ['suspend']);
    await show(page);
    await told(page, ['suspend', 'resume']);
  });

  it('I a page that runs again in the background stays suspended if asked to, until it is shown', async () => {
    const page = await watch({ hidden: 'suspend' });
    await hide(page);
    await freeze(page);
    await thaw(page);
    await blink(page);
    await told(page, ['suspend', 'offline', 'online']);
    await show(page);
    await told(page, ['suspend', 'offline', 'online', 'resume']);
  });

  it('I a page that starts in the background is suspended from the start if asked to', async () => {
    const page = await open();
    await hide(page);
    await page.evaluate(`watch({ hidden: 'suspend' })`);
    await told(page, ['suspend']);
    await show(page);
    await told(page, ['suspend', 'resume']);
  });
});

describe('sleep', () => {
  it('C7 one wake after a sleep, in a page and in a worker; none where it is hidden, and none once stopped (O5)', async () => {
    const background = await watch();
    const stopped = await watch();
    await stopped.evaluate('watchInWorker()');
    await stopped.evaluate('stopWorker()');
    await stopped.evaluate('stop()');
    const page = await watch();
    await page.evaluate('watchInWorker()');
    expect(await background.evaluate('document.visibilityState')).toBe('hidden');

    const session = await chromium.browser.target().createCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    const signal = (name: NodeJS.Signals): void => {
      for (const id of renderers) process.kill(id, name);
    };
    afterTest(() => signal('SIGCONT'));
    signal('SIGSTOP');
    await wait(12_000);
    signal('SIGCONT');

    await told(page, ['wake']);
    await told(page, ['watching', 'wake'], 'workerEvents');
    await blink(background);
    await told(background, ['offline', 'online']);
    expect(await stopped.evaluate('[...events, ...workerEvents]')).toEqual(['watching', 'stopped']);
  });
});

describe('the end', () => {
  it('O5 once stopped it tells nothing and listens to nothing', async () => {
    const page = await open();
    const session = await devtools(page);
    const listeners = async (): Promise<string[]> => {
      const lists = ['window', 'document'].map(async (expression) => {
        const { result } = await session.send('Runtime.evaluate', { expression });
        const found = await session.send('DOMDebugger.getEventListeners', { objectId: result.objectId! });
        return found.listeners.map(({ type }) => `${expression} ${type}`);
      });
      return (await Promise.all(lists)).flat().sort();
    };
    const before = await listeners();
    await page.evaluate(`watch({ hidden: 'suspend' })`);
    expect((await listeners()).length).toBe(before.length + 7);
    await hide(page);
    await told(page, ['suspend']);
    // The tab is shown and the source stopped in one task, so that the `resume` that is due must not come.
    await page.evaluate(`document.addEventListener('visibilitychange', () => stop())`);
    await show(page);
    await blink(page);
    await hide(page);
    expect(await page.evaluate('events')).toEqual(['suspend']);
    expect(await listeners()).toEqual([...before, 'document visibilitychange'].sort());
  });
});

describe('without a browser', () => {
  it('it does nothing, as on a server that renders', () => {
    const sent: string[] = [];
    expect(browser()(({ type }) => void sent.push(type))).toBeUndefined();
    expect(sent).toEqual([]);
  });

  it('says what is wrong with its option', () => {
    expect(() => browser({ hidden: 'never' as 'keep' })).toThrow(
      'browser.hidden: expected one of keep, suspend, got "never"',
    );
  });
});

describe('the tests themselves', () => {
  it.each([
    ['an uncaught error', `throw new Error('on purpose')`],
    ['an error on the console', `console.error('on purpose')`],
  ])('see %s in a page', async (_, code) => {
    const page = await chromium.open('about:blank', { expected: [/on purpose/u] });
    const errors = collectErrors(page);
    await page.setContent(`<script>${code}</script>`);
    await expect.poll(() => errors).toEqual([expect.stringContaining('on purpose')]);
  });
});
