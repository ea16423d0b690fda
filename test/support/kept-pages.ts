/** Pages in a real Chromium that keep a connection to a real server, which counts the dials: see `test/pages/connection.ts`. */
import type { Page } from 'puppeteer-core';
import { beforeAll, beforeEach, expect } from 'vitest';
import type { KeepOptions } from '../pages/connection';
import { bundle, serve, useChromium } from './browser';
import type { Dial, FaultServer } from './fault-server';
import { Queue } from './queue';
import { faultServer } from './servers';

/** For a machine under load; nothing here waits for longer than it must. */
const PATIENCE = { timeout: 30_000 };

const HOUR = 3_600_000;

/** Fails twice soon, and then waits for an hour, which only an event can cut. No session is too short. */
const HOUR_AFTER_TWO = { initial: 100, multiplier: 36_000, max: HOUR, minUptime: 0, timeout: 0 };

type Options = Omit<KeepOptions, 'url'>;

/** What the server hears on `dial` from now on. */
export async function listen(dial: Dial): Promise<Queue<string>> {
  const heard = new Queue<string>();
  (await dial.session).on('message', (data) => heard.push(String(data)));
  return heard;
}

/** A page, and the connection that was last started in it. */
export class KeptPage {
  constructor(
    readonly page: Page,
    readonly server: FaultServer,
  ) {}

  /** Starts a connection. */
  keep(options: Options = {}): Promise<unknown> {
    const all: KeepOptions = { backoff: HOUR_AFTER_TWO, ...options, url: this.server.url };
    return this.page.evaluate(`keep(${JSON.stringify(all)})`);
  }

  /** Waits until the connection's snapshot matches. */
  async becomes(snapshot: object): Promise<void> {
    const look = async (): Promise<unknown> =>
      JSON.parse((await this.page.evaluate('JSON.stringify(connection.snapshot)')) as string);
    await expect.poll(look, PATIENCE).toMatchObject(snapshot);
  }

  /** Waits until two attempts have failed, which only this takes note of, and the wait of an hour has begun. */
  async backsOff(): Promise<void> {
    for (let count = 0; count < 2; count++) await this.server.nextDial();
    await this.becomes({ value: 'backingOff', context: { wait: HOUR } });
  }

  /** Waits until it is connected, and `heard` by the server. */
  async works(heard: Queue<string>): Promise<void> {
    await this.becomes({ value: 'connected' });
    await this.page.evaluate(`connection.session.socket.send('hello')`);
    while ((await heard.next()) !== 'hello');
  }

  /** Waits for dial number `count`: it is the last one, leads to a session that works, and is the only one that is up. */
  async reconnects(count: number): Promise<{ dial: Dial; heard: Queue<string> }> {
    const dial = await this.server.nextDial();
    const heard = await listen(dial);
    await this.works(heard);
    await this.hasUp(count);
    expect(this.server.dials.length).toBe(count);
    return { dial, heard };
  }

  /** Waits until the dials that are up on the server's side, counted from 1, are these. */
  async hasUp(...expected: number[]): Promise<void> {
    const { dials } = this.server;
    await expect.poll(() => this.server.open.map((dial) => dials.indexOf(dial) + 1), PATIENCE).toEqual(expected);
  }

  /** Why each attempt of this page was made. */
  attempts(): Promise<readonly string[]> {
    return this.page.evaluate('attempts') as Promise<string[]>;
  }

  /** Leaves the page for another one. */
  async leave(): Promise<void> {
    await this.page.goto(new URL('/elsewhere', this.page.url()).href);
  }

  /** Comes back to the page, out of the back/forward cache. */
  async comeBack(): Promise<void> {
    await this.page.goBack();
  }
}

/** Launches a Chromium before the tests of a file, and a server before each test. Call it once, outside of any test. */
export function useKeptPages() {
  const chromium = useChromium();
  let app: string;
  let origin: string;
  let server: FaultServer;
  beforeAll(async () => {
    app = await bundle('test/pages/connection.ts');
  });
  beforeEach(async () => {
    origin = await serve({ '/app.js': app, '/elsewhere': '<!doctype html><title>elsewhere</title>' });
    server = await faultServer();
  });

  /** Opens the page in a tab, the visible one, without a connection. */
  async function open(): Promise<KeptPage> {
    // Chromium puts each connection that fails on the console.
    const page = await chromium.open(origin, { expected: [/^WebSocket connection to /u] });
    return new KeptPage(page, server);
  }

  return {
    get server() {
      return server;
    },
    open,
    /** Opens the page, which connects; tells the server's side of that, too. */
    async connect(options: Options = {}) {
      const kept = await open();
      await kept.keep(options);
      return { kept, ...(await kept.reconnects(1)) };
    },
    /** Opens the page, whose two attempts fail, and which then waits for an hour. */
    async backOff(options: Options = {}) {
      server.treatNext({ kind: 'hang-up' }, { kind: 'hang-up' });
      const kept = await open();
      await kept.keep(options);
      await kept.backsOff();
      return kept;
    },
  };
}
