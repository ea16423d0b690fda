/** A WebSocket to the app, kept alive by our own handle. */
import { describeError } from '../../machines/failure';
import { browser } from '../browser';
import { reconnect } from '../handle';
import { websocket } from '../websocket';
import type { Link, LinkListener } from './link';

/** Soon, as the app is on this machine; and for ever, as somebody looks at it. */
const BACKOFF = { initial: '250ms', max: '5s', timeout: 0, jitter: 'equal', attemptTimeout: '5s' } as const;

export function openSocketLink(address: string, listener: LinkListener): Link {
  const connection = reconnect({
    connect: websocket(address),
    backoff: BACKOFF,
    environment: browser(),
    autoStart: false,
  });
  const { actor } = connection;
  actor.on('connecting', () => listener.state({ kind: 'connecting' }));
  actor.on('retrying', ({ delay, error }) =>
    listener.state({ kind: 'waiting', retryAt: performance.now() + delay, error: describeError(error) }),
  );
  actor.on('connected', () => {
    const { session } = connection;
    session?.socket.addEventListener('message', ({ data }) => listener.message(data));
    session?.socket.send(JSON.stringify({ type: 'xstate.inspecting' }));
    listener.state({ kind: 'connected' });
  });
  actor.send({ type: 'start' });
  return {
    address,
    send: (message) => connection.session?.socket.send(JSON.stringify(message)),
    retry: () => connection.retry(),
  };
}
