/** How it stands with the app, in a few words. @jsxImportSource preact */
import type { JSX } from 'preact';
import { formatMs } from './format';
import type { Link, LinkState } from './link';
import { useNow } from './use-now';

export function LinkStatus({ link, state }: { link: Link; state: LinkState }): JSX.Element {
  const now = useNow(state.kind === 'waiting');
  return (
    <div class={`link link-${state.kind}`}>
      <p>
        <span class="dot" aria-hidden="true" />
        {/* The countdown is not told to those who listen: it would never stop. */}
        <span role="status">{describe(state)}</span>
        {link.address !== undefined && <span class="address">{link.address}</span>}
        {state.kind === 'waiting' && (
          <span class="muted">
            trying again in {formatMs(Math.max(0, Math.ceil((state.retryAt - now) / 100) * 100))}
          </span>
        )}
      </p>
      {state.kind === 'waiting' && (
        <button type="button" class="small" onClick={() => link.retry()} title={state.error}>
          Try now
        </button>
      )}
    </div>
  );
}

function describe({ kind }: LinkState): string {
  switch (kind) {
    case 'connecting':
      return 'Connecting to the app';
    case 'connected':
      return 'Connected';
    case 'waiting':
      return 'App not reachable';
    case 'listening':
      return 'Waiting for the app';
    case 'gone':
      return 'The app is gone';
    case 'none':
      return 'No app';
  }
}
