/** What happens to a page in a browser: it is hidden and shown, frozen, left and come back to, and told that it is offline. */
import type { CDPSession, Page } from 'puppeteer-core';
import { expect } from 'vitest';
import { afterTest } from './servers';

const sessions = new WeakMap<Page, Promise<CDPSession>>();

/** The one CDP session of `page`; what is set in it holds until the test is over. */
export function devtools(page: Page): Promise<CDPSession> {
  const open = async (): Promise<CDPSession> => {
    const session = await page.createCDPSession();
    afterTest(() => session.detach());
    return session;
  };
  const session = sessions.get(page) ?? open();
  sessions.set(page, session);
  return session;
}

/** Opens another tab, which hides `page`. */
export async function hide(page: Page): Promise<void> {
  const other = await page.browser().newPage();
  afterTest(() => other.close());
  await setVisibility(page, 'hidden', other);
}

/** Brings the tab of `page` to the front. */
export const show = (page: Page): Promise<void> => setVisibility(page, 'visible', page);

async function setVisibility(page: Page, state: DocumentVisibilityState, front: Page): Promise<void> {
  await front.bringToFront();
  await expect.poll(() => page.evaluate('document.visibilityState'), { timeout: 20_000 }).toBe(state);
}

/** Freezes `page`, which hides it for good: none of its tasks runs, but for what a test evaluates in it. */
export const freeze = (page: Page): Promise<void> => setLifecycle(page, 'frozen');

/** Lets a frozen `page` run again. */
export const thaw = (page: Page): Promise<void> => setLifecycle(page, 'active');

async function setLifecycle(page: Page, state: 'frozen' | 'active'): Promise<void> {
  await (await devtools(page)).send('Page.setWebLifecycleState', { state });
}

/** Makes the browser say that `page` is online or offline. Nothing but what it says changes: the network stays as it is. */
export async function sayOnline(page: Page, online: boolean): Promise<void> {
  const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  await (await devtools(page)).send('Network.overrideNetworkState', { offline: !online, ...unlimited });
}

/** Makes the browser say that `page` is offline and then online again. */
export async function blink(page: Page): Promise<void> {
  await sayOnline(page, false);
  await sayOnline(page, true);
}
