/** The wire that this page was opened for. */
import type { Link, LinkListener } from './link';
import { openSocketLink } from './socket-link';
import { openWindowLink } from './window-link';

/**
 * Opens the link that this page was opened for: over the window that opened it or is around it with `?inspect`, to the WebSocket in
 * `?server`, or to the server that the page is from.
 */
export function openLink(listener: LinkListener): Link {
  const { searchParams, protocol, host } = new URL(location.href);
  const app: Window | null = window.opener ?? (window.parent === window ? null : window.parent);
  // In a frame never a socket: what is around it could make people press buttons that they do not see.
  if (window.parent !== window || searchParams.has('inspect')) return openWindowLink(app, listener);
  const server = searchParams.get('server');
  if (server !== null) return openSocketLink(server, listener);
  if (protocol === 'http:' || protocol === 'https:') {
    return openSocketLink(`${protocol === 'http:' ? 'ws' : 'wss'}://${host}/`, listener);
  }
  return openWindowLink(app, listener);
}
