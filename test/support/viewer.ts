/** The viewer's page as a person finds it, in Chromium. */
import type { Page } from 'puppeteer-core';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { type ConnectArgs, reconnect } from '../../src/index';
import { serveViewer, type ViewerServer } from '../../src/inspect/node';
import { websocket } from '../../src/websocket';
import { afterTest, closedPort, type TestServer, webSocketServer } from './servers';

/** A viewer's server on a free port, until the test is over. */
export async function viewerServer(): Promise<ViewerServer> {
  const viewer = await serveViewer();
  afterTest(() => viewer.stop());
  return viewer;
}

/** So long that nothing but a person makes it dial again. */
export const PATIENT = { initial: '1h', max: '1h', timeout: 0, minUptime: '1s' } as const;

/** A connection to a port on which nobody listens until `serve` is called. */
export async function lostConnection({ inspect }: Pick<ViewerServer, 'inspect'>) {
  const port = await closedPort();
  const connection = reconnect({
    connect: websocket(({ input }: ConnectArgs<string>) => `ws://127.0.0.1:${port}/${input}`, { WebSocket }),
    input: 'first',
    backoff: PATIENT,
    inspect,
  });
  afterTest(() => connection.stop());
  return { connection, serve: (): Promise<TestServer<WebSocket>> => webSocketServer(undefined, { port }) };
}

/** Waits until what `expression` is in the page equals `expected`. */
export function becomes(page: Page, expression: string, expected: unknown): Promise<void> {
  return expect.poll(() => page.evaluate(expression), { timeout: 30_000 }).toEqual(expected);
}

/** The state of the actor that is shown. */
export const STATE = "document.querySelector('main h2')?.textContent";
/** The texts of the buttons that send events. */
export const BUTTONS = "[...document.querySelectorAll('.events button')].map(({ textContent }) => textContent)";
/** The states that are marked in the chart. */
export const ACTIVE = "[...document.querySelectorAll('.drawing .active')].map(({ id }) => id)";
/** How it stands with the app. */
export const LINK = "document.querySelector('.link [role=status]')?.textContent";

export function showsState(page: Page, state: string): Promise<void> {
  return becomes(page, STATE, state);
}

/** Clicks the button that says `text`, once there is one. */
export async function press(page: Page, text: string): Promise<void> {
  await page.locator(`button::-p-text(${text})`).click();
}
