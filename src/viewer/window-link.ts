/** The window of an app that opened this page, or has it in a frame. */
import type { Link, LinkListener } from './link';

/** @param app the window of the app; null when there is none. */
export function openWindowLink(app: Window | null, listener: LinkListener): Link {
  window.addEventListener('message', ({ source, origin, data }) => {
    if (app === null || source !== app || !isOfProtocol(data)) return;
    link.address = origin;
    listener.state({ kind: isGoodbye(data) ? 'gone' : 'connected' });
    listener.message(data);
  });
  const greet = (): void => {
    const origin = link.address ?? originOfApp();
    // Nothing is posted to whoever it may be: an app of no known origin speaks first.
    if (origin !== undefined) app?.postMessage({ type: 'xstate.inspecting' }, origin);
  };
  const link: Link & { address: string | undefined } = {
    address: undefined,
    send: (message) => link.address !== undefined && app?.postMessage(message, link.address),
    retry: greet,
  };
  listener.state({ kind: app === null ? 'none' : 'listening' });
  greet();
  return link;
}

/** Where the page is from that opened this one or is around it; undefined where a browser does not tell. */
function originOfApp(): string | undefined {
  if (document.referrer !== '') return new URL(document.referrer).origin;
  // Not in every browser.
  const { ancestorOrigins } = location as { ancestorOrigins?: DOMStringList };
  return ancestorOrigins?.[0];
}

function isOfProtocol(data: unknown): boolean {
  const { type } = (data ?? {}) as { type?: unknown };
  return typeof type === 'string' && (type.startsWith('service.') || isGoodbye(data));
}

function isGoodbye(data: unknown): boolean {
  return (data as { type?: unknown } | null)?.type === 'xstate.disconnect';
}
