/** A connection's last failures. @jsxImportSource preact */
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import type { HistoryEntry } from '../../machines/vocabulary';
import { formatMs, formatTime } from './format';

/** How many are shown before one asks for all. */
const FEW = 5;

export const Failures = memo(({ history }: { history: readonly HistoryEntry[] }): JSX.Element => {
  const [isLong, setLong] = useState(false);
  // There may be several of the same time.
  const entries = history.map((entry, index) => ({ ...entry, key: `${entry.time} ${index}` })).reverse();
  return (
    <section class="panel" aria-labelledby="failures">
      <h3 id="failures">Failures</h3>
      {history.length === 0 && <p class="muted">None so far.</p>}
      <ol class="failures">
        {entries.slice(0, isLong ? undefined : FEW).map(({ key, time, phase, attempt, uptime, error }) => (
          <li key={key}>
            <span class="message">{error?.message ?? 'ended without an error'}</span>
            <span class="muted">
              {phase === 'connect' ? `attempt ${attempt}` : `session, after ${formatMs(uptime)}`}
            </span>
            <time dateTime={new Date(time).toISOString()}>{formatTime(time)}</time>
          </li>
        ))}
      </ol>
      {history.length > FEW && (
        <button type="button" class="small" onClick={() => setLong(!isLong)}>
          {isLong ? `Only the last ${FEW}` : `All ${history.length}`}
        </button>
      )}
    </section>
  );
});
