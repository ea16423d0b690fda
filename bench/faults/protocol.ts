/** What the bench and a peer's process say to each other. */

/** What every peer is asked for in a scenario, in its own options. */
export interface Terms {
  port: number;
  /** The first delay, in ms; it doubles. */
  initial: number;
  /** The longest delay, in ms. */
  max: number;
  /** When to give up, for those who count the retries and for those who count the time in ms; undefined is never. */
  giveUp?: { retries: number; window: number };
  /** How long one attempt may take, in ms; undefined leaves it to the peer. */
  attemptTimeout?: number;
  /** The provider of the URL, or of the token, does not answer the first time it is asked. */
  hangs?: boolean;
  /** The listeners for a session's begin and end throw, each time. */
  throws?: boolean;
}

/** Bench to peer. */
export type Order = { type: 'start'; terms: Terms } | { type: 'reconnectNow' };

/** Peer to bench. */
export type Report =
  | { type: 'ready' }
  /** A listener of the peer was told that a session began. */
  | { type: 'opened' }
  /** A listener of the peer was told that a session ended or that an attempt failed. */
  | { type: 'closed' }
  /** The peer asked its provider. */
  | { type: 'asked' }
  /** The call to reconnect now was made. */
  | { type: 'called' }
  /** What would have ended a Node process. */
  | { type: 'uncaught'; origin: 'uncaughtException' | 'unhandledRejection'; message: string };
