/** The environment of a page or a worker: the network comes and goes, the page is hidden, frozen, cached and shown again. */
import { resolveChoice } from '../machines/backoff';
import type { EnvironmentSource } from '../machines/environment';
import { defaultWake, watchForWake } from './wake';

const hiddenPolicies = ['keep', 'suspend'] as const;

export interface BrowserOptions {
  /**
   * What becomes of the connection of a hidden page: `keep` goes on as ever, `suspend` begins no attempt until the page is
   * visible, other than the one of the start. A worker cannot tell, and keeps. Default `keep`.
   */
  hidden?: (typeof hiddenPolicies)[number];
}

type Send = Parameters<EnvironmentSource>[0];

/**
 * Sends `online` and `offline`, the latter also at the start if the browser says so; `suspend` when the page is frozen or put
 * into the back/forward cache, and `resume` when it runs again; `resume` also whenever the page becomes visible, because
 * somebody looks at it; and `wake` when the machine slept while the page was visible. Without a browser it does nothing.
 *
 * @throws {InvalidBackoffError} when `hidden` is neither `keep` nor `suspend`.
 */
export function browser({ hidden = 'keep' }: BrowserOptions = {}): EnvironmentSource {
  const policy = resolveChoice(hiddenPolicies)('browser.hidden', hidden);
  return (send) => {
    const { document } = globalThis as { document?: Document };
    if (document === undefined && !('WorkerGlobalScope' in globalThis)) return;
    const listening = new AbortController();
    const { signal } = listening;
    const lookAtNetwork = watchNetwork(send, signal);
    const stopWatching =
      document === undefined
        ? watchWorker(lookAtNetwork, send)
        : watchPage(document, policy === 'suspend', send, signal);
    return () => {
      listening.abort();
      stopWatching();
    };
  };
}

/** Returns what looks whether the browser has changed its mind without an event. */
function watchNetwork(send: Send, signal: AbortSignal): () => void {
  let isOnline = true;
  const tell = (online: boolean): void => {
    isOnline = online;
    send({ type: online ? 'online' : 'offline' });
  };
  const look = (): void => {
    // A worker of Deno has a navigator without an opinion.
    const { onLine = isOnline } = navigator;
    if (onLine !== isOnline) tell(onLine);
  };
  globalThis.addEventListener('online', () => tell(true), { signal });
  globalThis.addEventListener('offline', () => tell(false), { signal });
  look();
  return look;
}

function watchWorker(lookAtNetwork: () => void, send: Send): () => void {
  // Chromium knows in a worker whether it is online, but has no events for it there.
  const timer = setInterval(lookAtNetwork, defaultWake.every);
  const stopWatchingSleep = watchSleep(send);
  return () => {
    clearInterval(timer);
    stopWatchingSleep();
  };
}

function watchSleep(send: Send): () => void {
  return watchForWake(defaultWake, () => send({ type: 'wake' }));
}

function watchPage(document: Document, suspendsHidden: boolean, send: Send, signal: AbortSignal): () => void {
  let suspended = false;
  let resuming: ReturnType<typeof setTimeout> | undefined;
  let stopWatchingSleep: (() => void) | undefined;

  const suspend = (): void => {
    clearTimeout(resuming);
    if (!suspended) send({ type: 'suspend' });
    suspended = true;
  };
  // In a task of its own: a page out of the cache runs again, becomes visible and is shown, and all of that is one return.
  const resume = (): void => {
    clearTimeout(resuming);
    resuming = setTimeout(() => {
      suspended = false;
      send({ type: 'resume' });
    });
  };
  const runsAgain = (): void => {
    if (suspended && !(suspendsHidden && document.hidden)) resume();
  };
  // Only while visible: the timers of a hidden page are late by design, and becoming visible says as much as a wake.
  const watchSleepIfVisible = (): void => {
    stopWatchingSleep?.();
    stopWatchingSleep = document.hidden ? undefined : watchSleep(send);
  };

  document.addEventListener('freeze', suspend, { signal });
  document.addEventListener('resume', runsAgain, { signal });
  globalThis.addEventListener('pagehide', ({ persisted }) => persisted && suspend(), { signal });
  globalThis.addEventListener('pageshow', runsAgain, { signal });
  const onVisibility = (): void => {
    watchSleepIfVisible();
    if (!document.hidden) resume();
    else if (suspendsHidden) suspend();
  };
  document.addEventListener('visibilitychange', onVisibility, { signal });
  if (document.hidden && suspendsHidden) suspend();
  watchSleepIfVisible();
  return () => {
    clearTimeout(resuming);
    stopWatchingSleep?.();
  };
}
