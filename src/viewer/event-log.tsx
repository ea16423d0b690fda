/** The last events of an actor, newest first. @jsxImportSource preact */
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import { formatTime, toneOf } from './format';
import type { LogEntry } from './model';

/** How many are shown before one asks for all that were kept. */
const FEW = 10;

export const EventLog = memo(({ log }: { log: readonly LogEntry[] }): JSX.Element => {
  const [isLong, setLong] = useState(false);
  const shown = log.slice(isLong ? 0 : -FEW).reverse();
  return (
    <section class="panel" aria-labelledby="events">
      <h3 id="events">Events</h3>
      {log.length === 0 && <p class="muted">None since this page looks.</p>}
      <ol class="log">
        {shown.map(({ id, time, name, data, origin, ledTo }) => (
          <li key={id}>
            <span class="event">
              {name}
              {ledTo !== undefined && (
                <span class={`led-to ${toneOf(ledTo)}`}>
                  <span aria-hidden="true">→</span> <span class="unseen">led to</span> {ledTo}
                </span>
              )}
            </span>
            <time dateTime={new Date(time).toISOString()}>{formatTime(time)}</time>
            {origin !== undefined && <span class="muted">from {origin}</span>}
            {data !== '' && <code>{data}</code>}
          </li>
        ))}
      </ol>
      {log.length > FEW && (
        <button type="button" class="small" onClick={() => setLong(!isLong)}>
          {isLong ? `Only the last ${FEW}` : `All ${log.length}`}
        </button>
      )}
    </section>
  );
});
