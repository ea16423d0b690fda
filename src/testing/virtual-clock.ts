/** A clock for tests: time passes only when told to, and everything due happens in order. */
import type { ReconnectClock } from '../clock';

interface Timer {
  id: number;
  at: number;
  callback: () => void;
}

/** Time that passes only when told to. Give it to `reconnect` as `clock`, or to `createActor` as `clock` with `now` for the machine. */
export interface VirtualClock extends ReconnectClock {
  /** Milliseconds since the clock was made. */
  now(): number;
  /** How many timers are set. */
  readonly pending: number;
  /** When the next timer is due, in ms of {@link now}; undefined when none is set. */
  readonly nextAt: number | undefined;
  /** Lets `ms` pass: timers fire in order, each at its own time, and promises settle between them. */
  advance(ms: number): Promise<void>;
  /** Lets time pass until `now()` is `time`, as {@link advance} does. */
  advanceTo(time: number): Promise<void>;
  /** Fires what is due now and lets promises settle, without letting time pass. */
  settle(): Promise<void>;
  /** Jumps `ms` ahead without firing anything on the way, as a machine does that was asleep; what is due fires late. */
  sleep(ms: number): Promise<void>;
}

/** Creates a {@link VirtualClock} that shows 0. */
export function createVirtualClock(): VirtualClock {
  let time = 0;
  let lastId = 0;
  const timers = new Map<number, Timer>();

  const next = (): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers.values()) if (first === undefined || timer.at < first.at) first = timer;
    return first;
  };

  const clock: VirtualClock = {
    now: () => time,
    setTimeout(callback, ms) {
      const id = ++lastId;
      timers.set(id, { id, at: time + Math.max(0, ms), callback });
      return id;
    },
    clearTimeout: (id) => void timers.delete(id as number),
    get pending() {
      return timers.size;
    },
    get nextAt() {
      return next()?.at;
    },
    advance: (ms) => clock.advanceTo(time + ms),
    async advanceTo(target) {
      await drainPromises();
      for (let timer = next(); timer !== undefined && timer.at <= target; timer = next()) {
        timers.delete(timer.id);
        time = Math.max(time, timer.at);
        timer.callback();
        await drainPromises();
      }
      time = Math.max(time, target);
    },
    settle: () => clock.advanceTo(time),
    sleep(ms) {
      time += ms;
      return clock.settle();
    },
  };
  return clock;
}

/** Lets every promise that can settle do so: one macrotask, which no fake timer replaces. */
function drainPromises(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
