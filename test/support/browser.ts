/**
 * A real headless Chromium for tests. One is launched for a test file, and what a test opens in it is closed after that test.
 *
 *     const chromium = useChromium();
 *     it('...', async () => {
 *       const origin = await serve({ '/app.js': await bundle('test/pages/app.tsx') });
 *       const page = await chromium.open(origin);
 *       expect(await page.evaluate(() => document.title)).toBe('test');
 *     });
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { findChromium } from './chromium';
import { afterTest } from './servers';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What puppeteer would switch off, and people's browsers do: a background tab is throttled. */
const KEPT = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** The Chromium of a test file. */
export interface TestChromium {
  /** Puppeteer's own handle, for what is not here. */
  readonly browser: Browser;
  /**
   * Opens `url` in a new tab, which is then the visible one: the others are hidden until `page.bringToFront()`. Closed after
   * the test, which fails if there was an uncaught error or a console error in the page, other than those in `expected`.
   */
  open(url: string, options?: { expected?: readonly RegExp[] }): Promise<Page>;
}

/** Launches a Chromium before the tests of a file, and ends it after them; its profile is removed. Call it once, outside of any test. */
export function useChromium(): TestChromium {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = findChromium();
    if (executablePath === undefined)
      throw new Error('there is no Chromium: npx tsx test/setup.ts says how to get one');
    // Over a pipe, so that it ends by itself when the test process does.
    browser = await puppeteer.launch({ executablePath, args: FLAGS, ignoreDefaultArgs: KEPT, pipe: true });
  });
  afterAll(() => browser?.close());
  return {
    get browser() {
      return browser;
    },
    async open(url, { expected = [] } = {}) {
      const page = await browser.newPage();
      const errors = collectErrors(page, expected);
      afterTest(async () => {
        await page.close();
        // Softly: there is more to clean up.
        expect.soft(errors, `errors in ${url}`).toEqual([]);
      });
      await page.goto(url);
      return page;
    },
  };
}

/** The uncaught errors and console errors of `page`, as they come, other than those in `expected`. */
export function collectErrors(page: Page, expected: readonly RegExp[] = []): readonly string[] {
  const errors: string[] = [];
  const note = (text: string): void => {
    if (!expected.some((pattern) => pattern.test(text))) errors.push(text);
  };
  page.on('pageerror', (error) => note(error instanceof Error ? (error.stack ?? error.message) : String(error)));
  page.on('console', (message) => {
    // Chromium asks for an icon of its own accord, whether or not it can get one.
    const isIcon = message.location().url?.endsWith('/favicon.ico') ?? false;
    if (message.type() === 'error' && !isIcon) note(message.text());
  });
  return errors;
}

/** Bundles the module at `path`, from the root of the project, as a browser loads it: TypeScript and JSX, self-contained. */
export async function bundle(path: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path],
    absWorkingDir: ROOT,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    jsx: 'automatic',
    sourcemap: 'inline',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };

/** A page that runs `/app.js`. */
const PAGE = '<!doctype html><title>test</title><body><script src="/app.js"></script></body>';

/**
 * Serves `files`, by path, on a free port of 127.0.0.1 until the test is over; returns the origin. A path without a known
 * extension is HTML; `/`, unless given, is a page that runs `/app.js`.
 */
export async function serve(files: Readonly<Record<string, string>>): Promise<string> {
  const served: Record<string, string> = { '/': PAGE, ...files };
  const server = createServer(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://127.0.0.1');
    const body = served[pathname];
    const type = TYPES[extname(pathname)] ?? 'text/html';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
