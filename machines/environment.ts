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

/** The actor `environment`: a source whose errors are contained and reported (rule O4). */
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
    const stop = attempt(() => source?.((event) => sendBack(event)));
    return () => void attempt(() => stop?.());
  });
}
