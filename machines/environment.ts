/** What happens around a connection: the network comes and goes, the process sleeps and wakes. One vocabulary, whatever the platform. */
import { fromCallback } from 'xstate';
import type { Report } from './lease';

/** What a source of the environment may say. */
export type EnvironmentEvent =
  /** The network is said to be there again: a wait is cut short, what looks open is probed. */
  | { type: 'online' }
  /** The network is said to be gone. It never blocks an attempt: what says so may be wrong. */
  | { type: 'offline' }
  /** The page or the app is about to stop running, or should be left alone: no attempt is begun until `resume`. */
  | { type: 'suspend' }
  /** It runs again: a wait is cut short, what looks open is probed. */
  | { type: 'resume' }
  /** The machine slept and is awake: a wait is cut short, what looks open is probed. */
  | { type: 'wake' };

/**
 * Watches the environment: calls `send` with what happens, and returns how to stop watching. It is started when the connection
 * is, and stopped when it rests in `idle` or `failed`.
 */
export type EnvironmentSource = (send: (event: EnvironmentEvent) => void) => (() => void) | void;

const words: readonly unknown[] = [
  'online',
  'offline',
  'suspend',
  'resume',
  'wake',
] satisfies EnvironmentEvent['type'][];

/** The actor `environment`: a source whose errors are contained and reported, and what it says that is no such word (rule O4). */
export function createEnvironmentLogic(source: EnvironmentSource | undefined, report: Report) {
  return fromCallback(({ sendBack }) => {
    const attempt = <T>(action: () => T): T | undefined => {
      try {
        return action();
      } catch (error) {
        report(error, 'environment');
        return undefined;
      }
    };
    const send = (event: EnvironmentEvent): void => {
      const { type } = event;
      if (!words.includes(type)) throw new TypeError(`environment: expected one of ${words.join(', ')}, got ${type}`);
      sendBack(event);
    };
    const stop = attempt(() => source?.((event) => attempt(() => send(event))));
    return () => void attempt(() => stop?.());
  });
}
