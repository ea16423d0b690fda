/** The message board, with React and without a framework, built by Vite and used in a real Chromium as people use it. */
import type { Page } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { useChromium } from '../support/browser';
import { servePage } from '../support/example';

const chromium = useChromium();
const PATIENCE = { timeout: 30_000 };

const press = (page: Page, text: string): Promise<void> =>
  page.click(`::-p-xpath(//button[.=${JSON.stringify(text)}])`);

async function post(page: Page, text: string): Promise<void> {
  await page.type('main input', text);
  await press(page, 'Post');
}

/** The messages on the board, and whether the server has them. */
const messages = (page: Page): Promise<{ text: string; unsent: boolean }[]> =>
  page.$$eval('li', (items) =>
    items.map((item) => ({ text: item.textContent ?? '', unsent: item.classList.contains('unsent') })),
  );

async function has(page: Page, text: string, unsent: boolean): Promise<void> {
  const found = async () => (await messages(page)).filter((message) => message.text === text);
  await expect.poll(found, PATIENCE).toEqual([{ text, unsent }]);
}

describe.each(['react', 'vanilla'])('the message board, %s', (name) => {
  it('D5 tells of an outage, counts down, tries when asked to, and posts what was written meanwhile, once', async () => {
    // Chromium puts each connection that fails on the console.
    const url = await servePage(name);
    const page = await chromium.open(url, { expected: [/^WebSocket connection to /u] });
    await has(page, 'The server has started.', false);
    await post(page, 'before');
    await has(page, 'before', false);
    expect(await page.$eval('[role=status]', ({ textContent, ariaLive }) => [textContent, ariaLive])).toEqual([
      '',
      'polite',
    ]);
    expect(await page.$$eval('.banner button', (buttons) => buttons.some((button) => button.checkVisibility()))).toBe(
      false,
    );
    await page.evaluate(watchBanner);
    const said = (): Promise<unknown> => page.evaluate('said');
    const countdowns = (): Promise<number[]> => page.evaluate('countdowns') as Promise<number[]>;

    await press(page, 'Stop the server');
    await expect.poll(said, PATIENCE).toEqual(['The connection is lost.']);
    await expect
      .poll(async () => (await countdowns()).some((seconds, i, all) => seconds + 1 === all[i - 1]), PATIENCE)
      .toBe(true);
    await post(page, 'meanwhile');
    await has(page, 'meanwhile', true);

    await page.focus('.banner button');
    await fetch(`${url}server/start`, { method: 'POST' });
    await page.keyboard.press('Enter');
    await has(page, 'meanwhile', false);
    await has(page, 'before', false);
    await expect.poll(said, PATIENCE).toEqual(['The connection is lost.', 'The connection is back.', '']);
  });
});

/** In the page: keeps what the status says and the seconds of the countdown, without repetitions. */
const watchBanner = `
  said = [];
  countdowns = [];
  const banner = document.querySelector('.banner');
  new MutationObserver(() => {
    const text = banner.querySelector('[role=status]').textContent;
    if (text !== (said.at(-1) ?? '')) said.push(text);
    const [, seconds] = /Next try in (\\d+) s/.exec(banner.textContent) ?? [];
    if (seconds !== undefined && Number(seconds) !== countdowns.at(-1)) countdowns.push(Number(seconds));
  }).observe(banner, { subtree: true, childList: true, characterData: true, attributes: true });
`;
