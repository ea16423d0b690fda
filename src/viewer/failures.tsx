/** A connection's last failures. @jsxImportSource preact */
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import type { HistoryEntry } from '../../machines/vocabulary';
import { formatMs, formatTime } from './format';

export const Failures = memo(
  ({ history }: { history: readonly HistoryEntry[] }): JSX.Element => (
    <section class="panel" aria-labelledby="failures">
      <div class="heading">
        <h3 id="failures">Failures</h3>
        {history.length > 0 && <span class="muted">last {history.length}</span>}
      </div>
      {history.length === 0 ? (
        <p class="muted">None so far.</p>
      ) : (
        <ol class="failures">
          {history
            .map(({ time, phase, attempt, uptime, error }, index) => (
              // There may be several of the same time.
              <li key={`${time} ${index}`}>
                <span class="message">{error?.message ?? 'ended without an error'}</span>
                <span class="muted">
                  {phase === 'connect' ? `attempt ${attempt}` : `session, after ${formatMs(uptime)}`}
                </span>
                <time dateTime={new Date(time).toISOString()}>{formatTime(time)}</time>
              </li>
            ))
            .reverse()}
        </ol>
      )}
    </section>
  ),
);
