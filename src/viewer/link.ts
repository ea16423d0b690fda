/** The wire to the app, whichever it is. */
import type { ViewerMessage } from '../inspect';

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
