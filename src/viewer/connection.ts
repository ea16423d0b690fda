/** What a connection of ours says of itself over the wire, where everything may be missing. */
import type { DescribedError } from '../../machines/failure';
import type { HistoryEntry } from '../../machines/vocabulary';
import type { ViewedActor } from './model';
import { isReconnect } from './possible-events';

/** A connection's context as it is shown here. Times in ms of this page's `performance.now()`. */
export interface ConnectionFacts {
  readonly attempt: number;
  readonly reason: string | undefined;
  readonly waitReason: string | undefined;
  /** In ms. */
  readonly wait: number;
  readonly retryAt: number | undefined;
  readonly connectedAt: number | undefined;
  readonly sessions: number;
  readonly gaveUp: string | undefined;
  readonly failure: DescribedError | undefined;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
  readonly online: boolean;
  readonly suspended: boolean;
}

/** The facts of `actor` if it is a connection; undefined of any other. */
export function factsOf({ machine, state: { context }, appStart }: ViewedActor): ConnectionFacts | undefined {
  if (!isReconnect(machine)) return undefined;
  const facts = (context ?? {}) as Partial<ConnectionFacts>;
  const here = (time: number | undefined): number | undefined => (time === undefined ? undefined : appStart + time);
  return {
    attempt: facts.attempt ?? 0,
    reason: facts.reason,
    waitReason: facts.waitReason,
    wait: facts.wait ?? 0,
    retryAt: here(facts.retryAt),
    connectedAt: here(facts.connectedAt),
    sessions: facts.sessions ?? 0,
    gaveUp: facts.gaveUp,
    failure: facts.failure,
    history: facts.history ?? [],
    online: facts.online ?? true,
    suspended: facts.suspended ?? false,
  };
}
