/** Shows actors of a page to a viewer in a popup or an iframe, over `postMessage`. */
import { createInspector, createReport, type Inspector, type InspectorOptions } from './inspector';

// What is needed of the browser's `Window` and `HTMLIFrameElement`: an app for Node has no such types.
interface ViewerWindow {
  readonly closed: boolean;
  postMessage(message: unknown, targetOrigin: string): void;
}
interface ViewerFrame {
  src: string;
  readonly contentWindow: ViewerWindow | null;
}

export interface WindowInspectorOptions extends InspectorOptions {
  /** The viewer's page, such as `https://stately.ai/viz?inspect`. Nothing is told to a page of another origin. */
  url: string | URL;
  /**
   * Where the viewer is: an iframe, which is led to `url`, or a window that shows `url` already, such as the parent of this
   * page. Default: a popup.
   */
  target?: ViewerFrame | ViewerWindow | undefined;
}

export interface WindowInspector extends Inspector {
  /**
   * Opens the popup, or brings it back. It is opened at once, but browsers block popups that no click has asked for: then
   * `onError` is told, and this can be called from a click. Does nothing where there is a `target`.
   */
  open(): void;
}

/**
 * Creates an inspector whose viewer is a window of the browser.
 *
 * @throws {TypeError} when there is no window here, as in Node, or when `url` is not an http(s) address.
 */
export function inspectInWindow(options: WindowInspectorOptions): WindowInspector {
  if (typeof window === 'undefined') {
    throw new TypeError(
      "inspectInWindow: there is no window here; in Node use inspectOverWebSocket of 'xstate-reconnect/inspect/node'",
    );
  }
  const url = readUrl(options.url);
  const { target } = options;
  const report = createReport(options.onError);
  const inspector = createInspector(options);
  let popup: ViewerWindow | null = null;
  const viewerWindow = (): ViewerWindow | null => {
    if (target === undefined) return popup;
    return isWindow(target) ? target : target.contentWindow;
  };

  const link = inspector.connect((message) => {
    const viewer = viewerWindow();
    if (viewer === null || viewer.closed) link.close();
    else viewer.postMessage(message, url.origin);
  });

  let warned = false;
  const warn = (origin: string): void => {
    warned = true;
    report(
      new Error(`inspectInWindow: expected the viewer at ${url.origin}, but its window shows a page of ${origin}`),
    );
  };
  const listen = ({ source, origin, data }: { source: unknown; origin: string; data: unknown }): void => {
    if (source === null || source !== viewerWindow()) return;
    if (origin === url.origin) link.receive(data);
    else if (!warned) warn(origin);
  };
  const sayGoodbye = ({ persisted }: PageTransitionEvent): void => {
    // A page that is kept may come back.
    if (!persisted) inspector.stop();
  };
  window.addEventListener('message', listen);
  window.addEventListener('pagehide', sayGoodbye);

  const open = (): void => {
    if (target !== undefined) return;
    // The same name leads to the same window, also after a reload of this page.
    popup = window.open(url, 'xstateinspector');
    if (popup !== null) return;
    report(
      new Error(
        'inspectInWindow: the browser blocked the popup of the viewer: allow popups for this page, ' +
          'call open() of this inspector from a click, or give an iframe as target',
      ),
    );
  };

  if (target === undefined) open();
  // It may have said that it is ready before there was anybody to hear it.
  else if (isWindow(target)) link.receive({ type: 'xstate.inspecting' });
  else target.src = url.href;

  return {
    ...inspector,
    open,
    stop() {
      window.removeEventListener('message', listen);
      window.removeEventListener('pagehide', sayGoodbye);
      inspector.stop();
    },
  };
}

/** By one of the few things that may be asked of a window of another origin. */
function isWindow(target: ViewerFrame | ViewerWindow): target is ViewerWindow {
  return 'postMessage' in target;
}

function readUrl(text: string | URL): URL {
  try {
    const url = new URL(text, window.location.href);
    if (/^https?:$/u.test(url.protocol)) return url;
  } catch {
    // Said below.
  }
  throw new TypeError(`inspectInWindow: url: expected an http or https address, got ${JSON.stringify(String(text))}`);
}
