/** A page that keeps a connection to an echo server, in the environment of the page. A test calls what is global here. */
import { type BrowserOptions, browser } from '../../src/browser';
import { type Backoff, type Duration, reconnect } from '../../src/index';
import { type WebSocketSession, websocket } from '../../src/websocket';

export interface KeepOptions extends BrowserOptions {
  url: string;
  backoff?: Partial<Backoff>;
  /** How long a probe may take. Default 1h: only a link that is closed is given up. */
  within?: Duration;
}

/** Why each attempt was made. */
const attempts: string[] = [];

/** Asks the server for an echo. Never by itself: when, is up to the environment. */
const probe = ({ socket }: WebSocketSession, signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    socket.addEventListener('message', resolve, { once: true, signal });
    socket.send('ping');
  });

/** Starts a connection, the global `connection`. */
function keep({ url, backoff = {}, within = '1h', ...options }: KeepOptions): void {
  const dial = websocket(url);
  const connection = reconnect({
    connect(args) {
      attempts.push(args.reason);
      return dial(args);
    },
    environment: browser(options),
    liveness: { every: '1h', within, probe },
    backoff,
  });
  Object.assign(globalThis, { connection });
}

Object.assign(globalThis, { attempts, keep });
