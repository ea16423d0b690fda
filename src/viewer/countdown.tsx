/** A ring that empties while a connection waits; its colour is the state's. @jsxImportSource preact */
import type { JSX } from 'preact';
import type { ConnectionFacts } from './connection';
import { formatMs } from './format';
import { useNow } from './use-now';

const RADIUS = 34;
const LENGTH = 2 * Math.PI * RADIUS;

/** Tenths of a second at the end, rounded up, so that it says 0 when it is over. */
function formatLeft(ms: number): string {
  return ms < 10_000 ? `${(Math.ceil(ms / 100) / 10).toFixed(1)} s` : formatMs(ms);
}

export function Countdown({ facts }: { facts: ConnectionFacts | undefined }): JSX.Element {
  const retryAt = facts?.waitReason === 'suspended' ? undefined : facts?.retryAt;
  const now = useNow(retryAt !== undefined);
  const wait = facts?.wait ?? 0;
  // A clock of the app's own may have nothing to do with that of its messages.
  const left = retryAt === undefined ? undefined : Math.min(wait, Math.max(0, retryAt - now));
  const share = left === undefined || wait === 0 ? 1 : left / wait;
  return (
    <div class="ring">
      <svg viewBox="0 0 80 80" aria-hidden="true">
        <circle class="track" cx="40" cy="40" r={RADIUS} />
        <circle
          class="left"
          cx="40"
          cy="40"
          r={RADIUS}
          stroke-dasharray={LENGTH}
          stroke-dashoffset={LENGTH * (1 - share)}
        />
        {left === undefined && <circle class="core" cx="40" cy="40" r="9" />}
      </svg>
      {left !== undefined && (
        <span role="timer" aria-label="Until the next attempt">
          {formatLeft(left)}
        </span>
      )}
    </div>
  );
}
