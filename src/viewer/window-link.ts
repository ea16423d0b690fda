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
    // To whoever it is: there is nothing in it.
    app?.postMessage({ type: 'xstate.inspecting' }, '*');
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

function isOfProtocol(data: unknown): boolean {
  const { type } = (data ?? {}) as { type?: unknown };
  return typeof type === 'string' && (type.startsWith('service.') || isGoodbye(data));
}

function isGoodbye(data: unknown): boolean {
  return (data as { type?: unknown } | null)?.type === 'xstate.disconnect';
}
