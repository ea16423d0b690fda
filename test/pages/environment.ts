/** A page that watches its environment when told to, and keeps what it hears. A test calls what is global here. */
import { type BrowserOptions, browser } from '../../src/browser';

const events: string[] = [];
/** What a worker of this page hears. */
const workerEvents: string[] = [];
/** Whether each `pagehide` and `pageshow` was about the back/forward cache. */
const persisted: boolean[] = [];
for (const type of ['pagehide', 'pageshow'] as const)
  addEventListener(type, (event) => persisted.push(event.persisted));

/** Watches, and returns to what it has stopped. */
function watch(options?: BrowserOptions): void {
  const stop = browser(options)(({ type }) => events.push(type));
  Object.assign(globalThis, { stop });
}

/** Lets a worker watch; resolves once it does. */
function watchInWorker(): Promise<void> {
  const worker = new Worker('/worker.js');
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => {
      if (data === 'watching') resolve();
      else workerEvents.push(data);
    };
  });
}

Object.assign(globalThis, { events, workerEvents, persisted, watch, watchInWorker });
