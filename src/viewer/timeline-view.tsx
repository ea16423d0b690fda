/** The states of an actor over time, as a bar. @jsxImportSource preact */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { formatMs, toneOf } from './format';
import type { ViewedActor } from './model';
import { shares } from './timeline';
import { useNow } from './use-now';

const SPANS = [30_000, 120_000, 600_000, 3_600_000, 21_600_000];
const WIDTH = 1_000;

/** Neither nothing nor all, where there is a little of something else. */
function formatShare(share: number): string {
  if (share < 0.005) return '<1 %';
  return share > 0.995 && share < 1 ? '>99 %' : `${Math.round(share * 100)} %`;
}

export function TimelineView({ actor: { timeline, name } }: { actor: ViewedActor }): JSX.Element {
  const [chosen, setChosen] = useState<number>();
  const now = useNow();
  const seen = now - (timeline[0]?.from ?? now);
  const span = chosen ?? SPANS.find((each) => each >= seen) ?? SPANS.at(-1)!;
  const start = now - span;
  const known = Math.min(span, seen);
  const parts = shares(timeline, start, now);
  const x = (time: number): number => Math.max(0, ((time - start) / span) * WIDTH);
  return (
    <section class="timeline" aria-labelledby="timeline">
      <div class="heading">
        <h3 id="timeline">Timeline</h3>
        <ul class="legend" aria-label={`Share of the last ${formatMs(known)}`}>
          {parts.map(({ label, share }) => (
            <li key={label} class={toneOf(label)}>
              <span class="dot" aria-hidden="true" />
              {label} <strong>{formatShare(share)}</strong>
            </li>
          ))}
        </ul>
        <label>
          <span class="unseen">How far back</span>
          <select
            value={chosen ?? ''}
            onChange={({ currentTarget }) => setChosen(Number(currentTarget.value) || undefined)}
          >
            <option value="">all of it</option>
            {SPANS.map((each) => (
              <option key={each} value={each}>
                last {formatMs(each)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <svg
        class="stretches"
        viewBox={`0 0 ${WIDTH} 24`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`States of ${name} over time`}
      >
        {timeline.map(({ label, from }, index) => {
          const end = timeline[index + 1]?.from ?? now;
          if (end < start) return null;
          return (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: several stretches may begin in the same millisecond
              key={`${from} ${index}`}
              class={toneOf(label)}
              x={x(from)}
              y="0"
              height="24"
              width={Math.max(0.8, x(end) - x(from))}
            >
              <title>{`${label ?? 'out of sight'}, ${formatMs(end - from)}`}</title>
            </rect>
          );
        })}
      </svg>
      <div class="axis" aria-hidden="true">
        <span>{formatMs(span)} ago</span>
        <span>{formatMs(span / 2)} ago</span>
        <span>now</span>
      </div>
    </section>
  );
}
