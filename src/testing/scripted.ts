/** A `connect` that plays a script, with sessions that count how they were closed. */
import type { CloseReason } from '../../machines/lease';
import type { ConnectArgs } from '../../machines/vocabulary';
import type { ReconnectClock } from '../clock';

/** What one attempt does. */
export interface ScriptedAttempt {
  /** Milliseconds until it connects or fails. Default 0: within the same turn. */
  connectMs?: number;
  /** What it fails with. Without it the attempt connects. */
  error?: unknown;
  /** Milliseconds its session lives. Without it, until somebody ends it. */
  sessionMs?: number;
  /** What the session's `closed` settles with at the end of `sessionMs`: resolved, or rejected when it is an Error. */
  reason?: unknown;
}

/** A session that somebody scripted. */
export interface ScriptedSession {
  /** 1 for the first session made. */
  readonly id: number;
  readonly closed: Promise<unknown>;
  /** How often it was closed by its owner, and why. */
  readonly closes: readonly CloseReason[];
  /** Whether it ended, by itself or by its owner. */
  readonly ended: boolean;
  /** Ends it from the other side: `closed` resolves with `reason`, or rejects when it is an Error. */
  end(reason?: unknown): void;
  close(reason?: CloseReason): void;
}

/** One call of a scripted `connect`. */
export interface ScriptedCall {
  /** When it was made, in ms of the script's clock. */
  at: number;
  args: ConnectArgs<unknown>;
}

export interface ScriptedServer {
  /** Give it to `reconnect` or to `createReconnectMachine`. It takes any input. */
  connect: (args: { signal: AbortSignal }) => Promise<ScriptedSession>;
  /** Give it along, so that sessions record why they were closed. */
  close: (session: ScriptedSession, reason: CloseReason) => void;
  /** Every call of `connect` so far. */
  readonly calls: readonly ScriptedCall[];
  /** Every session made so far. */
  readonly sessions: readonly ScriptedSession[];
  /** Sessions that nobody has ended. */
  readonly live: readonly ScriptedSession[];
}

/**
 * Creates a server that plays `attempts` one after another on `clock`. Past the end of the script an attempt hangs.
 *
 * An aborted attempt rejects with the signal's reason; `ignoreSignal` makes it go on instead, as careless code does.
 */
export function createScriptedServer(
  clock: ReconnectClock,
  attempts: readonly ScriptedAttempt[],
  options: { ignoreSignal?: boolean } = {},
): ScriptedServer {
  const calls: ScriptedCall[] = [];
  const sessions: ScriptedSession[] = [];

  const open = ({ sessionMs, reason }: ScriptedAttempt): ScriptedSession => {
    const session = createScriptedSession(sessions.length + 1);
    sessions.push(session);
    if (sessionMs !== undefined) {
      const timer = clock.setTimeout(() => session.end(reason), sessionMs);
      const cancel = (): void => clock.clearTimeout(timer);
      session.closed.then(cancel, cancel);
    }
    return session;
  };

  return {
    calls,
    sessions,
    get live() {
      return sessions.filter((session) => !session.ended);
    },
    close: (session, reason) => session.close(reason),
    connect(args) {
      const attempt = attempts[calls.length];
      calls.push({ at: clock.now(), args: args as ConnectArgs<unknown> });
      return new Promise((resolve, reject) => {
        if (attempt === undefined) return;
        const finish = (): void => {
          args.signal.removeEventListener('abort', abort);
          if ('error' in attempt) reject(attempt.error);
          else resolve(open(attempt));
        };
        const timer = attempt.connectMs === undefined ? undefined : clock.setTimeout(finish, attempt.connectMs);
        const abort = (): void => {
          clock.clearTimeout(timer);
          reject(args.signal.reason);
        };
        if (options.ignoreSignal !== true) args.signal.addEventListener('abort', abort, { once: true });
        if (attempt.connectMs === undefined) finish();
      });
    },
  };
}

/** Creates one session to hand out from a `connect` of your own. */
export function createScriptedSession(id = 1): ScriptedSession {
  const { promise: closed, resolve, reject } = withResolvers();
  // Nobody has to watch a session.
  closed.catch(() => {});
  const closes: CloseReason[] = [];
  let ended = false;
  return {
    id,
    closed,
    closes,
    get ended() {
      return ended;
    },
    end(reason) {
      ended = true;
      if (reason instanceof Error) reject(reason);
      else resolve(reason);
    },
    close(reason = 'stopped') {
      closes.push(reason);
      ended = true;
      resolve(reason);
    },
  };
}

function withResolvers(): {
  promise: Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: unknown) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<unknown>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
