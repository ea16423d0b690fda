/** The last failures, for whoever is asked why a connection is not there. */
import type { HistoryEntry } from './vocabulary';

/** How many failures are kept. */
export const HISTORY_LENGTH = 20;

/** `history` with `entry` at its end, and without what is too old. */
export function remember(history: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] {
  return [...history.slice(1 - HISTORY_LENGTH), entry];
}
