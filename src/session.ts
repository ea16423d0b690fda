/** What making a session has in common, whatever its kind. Rules O3, O5. */

/**
 * Runs one handshake under a signal. `open` starts it or throws, reports its outcome later, through `resolve` or `reject`, and
 * returns what releases it. An abort releases it at once and rejects with the signal's reason; once settled nothing listens to the signal.
 */
export function handshake<TSession>(
  signal: AbortSignal,
  open: (resolve: (session: TSession) => void, reject: (error: unknown) => void) => () => void,
): Promise<TSession> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = (): void => {
      // In this order: Node's own WebSocket reports the failure of what it releases at once.
      reject(signal.reason);
      release();
    };
    const leave = (): void => signal.removeEventListener('abort', abort);
    const release = open(
      (session) => {
        leave();
        resolve(session);
      },
      (error) => {
        leave();
        reject(error);
      },
    );
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** How long, in ms, a peer may keep a session that is being closed: enough to answer, too short to be missed at exit. */
export const CLOSE_GRACE_MS = 1_000;

/**
 * Why a handshake failed, in words. Node gives an empty message to an attempt that failed on several addresses, such as both
 * of `localhost`; the reasons are then in `errors`.
 */
export function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(describeCause).join('; ');
  return cause.message;
}
