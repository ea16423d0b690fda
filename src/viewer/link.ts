/** The wire to the app, whichever it is. */
import type { ViewerMessage } from '../inspect';
import { openSocketLink } from './socket-link';
import { openWindowLink } from './window-link';

/** How it stands with the app. */
export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** `at` in ms of `performance.now()`. */
  | { readonly kind: 'waiting'; readonly retryAt: number; readonly error: string }
  /** An app opens this page, or tells of itself when it has done so before. */
  | { readonly kind: 'listening' }
  /** The app said goodbye. */
  | { readonly kind: 'gone' }
  /** There is nothing to connect to. */
  | { readonly kind: 'none' };

/** What is told of a link. */
export interface LinkListener {
  /** The app says something. */
  message(data: unknown): void;
  state(state: LinkState): void;
}

export interface Link {
  /** Where the app is, for people; undefined when nobody knows. */
  readonly address: string | undefined;
  send(message: ViewerMessage): void;
  /** Tries to connect at once. */
  retry(): void;
}

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
