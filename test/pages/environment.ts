/** A page that watches its environment when told to, and keeps what it hears. A test calls what is global here. */
import { type BrowserOptions, browser } from '../../src/browser';

const events: string[] = [];
/** What a worker of this page hears. */
const workerEvents: string[] = [];
/** Whether each `pagehide` and `pageshow` was about the back/forward cache. */
const persisted: boolean[] = [];
for (const type of ['pagehide', 'pageshow'] as const)
  addEventListener(type, (event) => persisted.push(event.persisted));

/** Watches, until the global `stop` is called. */
function watch(options?: BrowserOptions): void {
  const stop = browser(options)(({ type }) => events.push(type));
  Object.assign(globalThis, { stop });
}

/** Lets a worker watch, until the global `stopWorker` is called. Both resolve once the worker has done so. */
async function watchInWorker(): Promise<void> {
  const worker = new Worker('/worker.js');
  worker.onmessage = ({ data }) => workerEvents.push(data);
  const says = (word: string): Promise<void> =>
    new Promise((resolve) => worker.addEventListener('message', ({ data }) => data === word && resolve()));
  const stopWorker = (): Promise<void> => {
    worker.postMessage('stop');
    return says('stopped');
  };
  Object.assign(globalThis, { stopWorker });
  await says('watching');
}

Object.assign(globalThis, { events, workerEvents, persisted, watch, watchInWorker });
