/** What a soak reconnects over: sessions in memory, or real TCP connections through loopback. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { ConnectArgs, ReconnectClock } from '../src/index';
import { type TcpSession, tcp } from '../src/tcp';
import { createScriptedSession, type ScriptedSession } from '../src/testing/index';

/** Sessions of one kind. */
export interface Transport<TSession extends { close(): void }> {
  connect: (args: ConnectArgs<void>) => TSession | PromiseLike<TSession>;
  /** Makes the other side end the session. */
  end: (session: TSession) => void;
  clock: ReconnectClock;
  /** Timers that are set on {@link clock} now. */
  readonly timers: number;
  close: () => Promise<void>;
}

const now = (): number => performance.now();

/** A clock that counts the timers that are set. */
function countTimers<TTimer>(set: (callback: () => void, ms: number) => TTimer, clear: (timer: TTimer) => void) {
  const timers = new Set<TTimer>();
  const clock: ReconnectClock = {
    now,
    setTimeout(callback, ms) {
      const timer = set(() => {
        timers.delete(timer);
        callback();
      }, ms);
      timers.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      timers.delete(timer as TTimer);
      clear(timer as TTimer);
    },
  };
  return { clock, timers };
}

/** Sessions without a network; a wait of any length takes one turn of the event loop. */
export function memory(): Transport<ScriptedSession> {
  const { clock, timers } = countTimers((callback) => setImmediate(callback), clearImmediate);
  return {
    connect: () => createScriptedSession(),
    end: (session) => session.end(),
    clock,
    get timers() {
      return timers.size;
    },
    close: async () => {},
  };
}

/** Real connections. The server resets one as soon as it hears from it, which leaves no port waiting to be reused. */
export async function loopback(): Promise<Transport<TcpSession>> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.resetAndDestroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const { clock, timers } = countTimers(setTimeout, clearTimeout);
  return {
    connect: tcp({ host: '127.0.0.1', port }),
    end: ({ socket }) => void socket.write('.'),
    clock,
    get timers() {
      return timers.size;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
