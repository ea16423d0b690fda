/** An app with two connections: it talks over the primary one while that is there, and over the fallback while it is not. */
import { WebSocket } from 'ws';
import { assign, sendTo, setup } from 'xstate';
import { createReconnectMachine, type ReconnectState } from '../../src/index';
import { type WebSocketSession, websocket } from '../../src/websocket';

export interface Urls {
  primary: string;
  fallback: string;
}

export const connection = createReconnectMachine<WebSocketSession<WebSocket>, { url: string }>({
  connect: websocket(({ input }) => input.url, { WebSocket }),
  backoff: { initial: '100ms', max: '400ms', timeout: 0, minUptime: '50ms', jitter: 'equal' },
});

/** The app. Each connection is an actor of its system, found by its `systemId`: `primary` and `fallback`. */
export const app = setup({
  types: {} as {
    context: { urls: Urls; states: Record<keyof Urls, ReconnectState> };
    input: Urls;
    events: { type: 'tryNow' };
  },
  actors: { connection },
  guards: {
    isPrimaryUp: ({ context }) => context.states.primary === 'connected',
    isPrimaryDown: ({ context }) => context.states.primary !== 'connected',
    isFallbackUp: ({ context }) => context.states.fallback === 'connected',
    isFallbackDown: ({ context }) => context.states.fallback !== 'connected',
  },
}).createMachine({
  id: 'app',
  context: ({ input }) => ({ urls: input, states: { primary: 'idle', fallback: 'idle' } }),
  invoke: [
    {
      src: 'connection',
      id: 'primary',
      systemId: 'primary',
      input: ({ context }) => ({ url: context.urls.primary }),
      onSnapshot: {
        actions: assign(({ context, event }) => ({ states: { ...context.states, primary: event.snapshot.value } })),
      },
    },
    {
      src: 'connection',
      id: 'fallback',
      systemId: 'fallback',
      input: ({ context }) => ({ url: context.urls.fallback }),
      onSnapshot: {
        actions: assign(({ context, event }) => ({ states: { ...context.states, fallback: event.snapshot.value } })),
      },
    },
  ],
  on: { tryNow: { actions: [sendTo('primary', { type: 'retry' }), sendTo('fallback', { type: 'retry' })] } },
  initial: 'offline',
  states: {
    offline: {
      always: [
        { guard: 'isPrimaryUp', target: 'onPrimary' },
        { guard: 'isFallbackUp', target: 'onFallback' },
      ],
    },
    onPrimary: { always: { guard: 'isPrimaryDown', target: 'offline' } },
    onFallback: {
      always: [
        { guard: 'isPrimaryUp', target: 'onPrimary' },
        { guard: 'isFallbackDown', target: 'offline' },
      ],
    },
  },
});
