/** Who is put through the faults: ours and its peers, each started as its own documentation says, on the same terms. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import PartySocket from 'partysocket/ws';
import ReconnectingWebSocket from 'reconnecting-websocket';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { reconnect, resilientBackoff } from '../../src/index';
import { websocket } from '../../src/websocket';
import type { Terms } from './protocol';
import type { Protocol } from './site';

/** What a peer calls. */
export interface Hooks {
  /** From its listener for the begin of a session. */
  opened(): void;
  /** From its listener for the end of a session or the failure of an attempt. */
  closed(): void;
  /** From its provider of the URL, or of a token. */
  asked(): Promise<void>;
}

export interface Contender {
  name: string;
  /** The npm package it comes from; undefined is this one. */
  from?: string;
  protocol: Protocol;
  /** How it is told to reconnect now, as printed; undefined where it has no such call. */
  reconnectNow?: string;
  /** Whether the delay is a setting of its own, in ms. */
  hasDelay: boolean;
  /** What it asks before an attempt, as printed. */
  provider: string;
  /** Starts it, and returns the call that reconnects now, if it has one. */
  start(terms: Terms, hooks: Hooks): (() => void) | undefined;
}

const urlOf = ({ port }: Terms): string => `ws://127.0.0.1:${port}`;

const ours: Contender = {
  name: 'xstate-reconnect',
  protocol: 'websocket',
  reconnectNow: 'retry()',
  hasDelay: true,
  provider: 'a URL function',
  start(terms, { opened, closed, asked }) {
    const { initial, max, giveUp, attemptTimeout } = terms;
    const url = async (): Promise<string> => {
      await asked();
      return urlOf(terms);
    };
    const connection = reconnect({
      connect: websocket(url, { WebSocket }),
      backoff: {
        ...resilientBackoff,
        jitter: 'none',
        initial,
        max,
        timeout: giveUp?.window ?? 0,
        ...(attemptTimeout !== undefined && { attemptTimeout }),
      },
      autoStart: false,
    });
    connection.actor.on('connected', opened);
    connection.actor.on('disconnected', closed);
    connection.actor.on('retrying', closed);
    connection.actor.send({ type: 'start' });
    return () => connection.retry();
  },
};

/** partysocket began as a fork of reconnecting-websocket; their options are the same. */
function reconnectingOptions({ initial, max, giveUp, attemptTimeout }: Terms) {
  return {
    WebSocket,
    minReconnectionDelay: initial,
    maxReconnectionDelay: max,
    reconnectionDelayGrowFactor: 2,
    ...(giveUp && { maxRetries: giveUp.retries }),
    ...(attemptTimeout !== undefined && { connectionTimeout: attemptTimeout }),
  };
}

function reconnectingWebSocket(name: string, Socket: typeof PartySocket | typeof ReconnectingWebSocket): Contender {
  return {
    name,
    from: name,
    protocol: 'websocket',
    reconnectNow: 'reconnect()',
    hasDelay: true,
    provider: 'a URL function',
    start(terms, { opened, closed, asked }) {
      const url = async (): Promise<string> => {
        await asked();
        return urlOf(terms);
      };
      const socket = new Socket(url, [], reconnectingOptions(terms));
      socket.addEventListener('open', opened);
      socket.addEventListener('close', closed);
      return () => socket.reconnect();
    },
  };
}

const socketIo: Contender = {
  name: 'socket.io-client',
  from: 'socket.io-client',
  protocol: 'socket.io',
  reconnectNow: 'disconnect().connect()',
  hasDelay: true,
  provider: 'an `auth` function',
  start(terms, { opened, closed, asked }) {
    const { initial, max, giveUp, attemptTimeout } = terms;
    const socket = io(urlOf(terms), {
      // So that an attempt is one dial.
      transports: ['websocket'],
      auth: (send) => void asked().then(() => send({ token: 'fresh' })),
      reconnectionDelay: initial,
      reconnectionDelayMax: max,
      randomizationFactor: 0,
      ...(giveUp && { reconnectionAttempts: giveUp.retries }),
      ...(attemptTimeout !== undefined && { timeout: attemptTimeout }),
    });
    socket.on('connect', opened);
    socket.on('disconnect', closed);
    socket.on('connect_error', closed);
    return () => socket.disconnect().connect();
  },
};

function graphqlWs(name: string, provider: 'url' | 'connectionParams'): Contender {
  return {
    name,
    from: 'graphql-ws',
    protocol: 'graphql-ws',
    hasDelay: false,
    provider: `a \`${provider}\` function`,
    start(terms, { opened, closed, asked }) {
      const { initial, max, giveUp, attemptTimeout } = terms;
      const client = createClient({
        webSocketImpl: WebSocket,
        url: async () => {
          if (provider === 'url') await asked();
          return urlOf(terms);
        },
        connectionParams: async () => {
          if (provider === 'connectionParams') await asked();
          return { token: 'fresh' };
        },
        retryAttempts: giveUp?.retries ?? Number.POSITIVE_INFINITY,
        retryWait: (count) => sleep(Math.min(initial * 2 ** count, max)),
        // By default a connection that was refused or reset is fatal.
        shouldRetry: () => true,
        ...(attemptTimeout !== undefined && { connectionAckWaitTimeout: attemptTimeout }),
        on: { connected: opened, closed },
      });
      client.subscribe({ query: 'subscription { ticks }' }, { next() {}, error() {}, complete() {} });
      return undefined;
    },
  };
}

/** Where a token comes from in graphql-ws, beside the URL; otherwise the same client. */
export const graphqlWsParams = graphqlWs('graphql-ws, token', 'connectionParams');

export const contenders: readonly Contender[] = [
  ours,
  reconnectingWebSocket('partysocket', PartySocket),
  reconnectingWebSocket('reconnecting-websocket', ReconnectingWebSocket),
  socketIo,
  graphqlWs('graphql-ws', 'url'),
];
