/** What the page says while there is nothing to see: what it waits for, or how an app is shown here. @jsxImportSource preact */
import type { JSX } from 'preact';
import type { LinkState } from './link';

export function Welcome({ linkState: { kind } }: { linkState: LinkState }): JSX.Element {
  return (
    <main class="welcome" id="actor" tabIndex={-1}>
      <h2>
        {kind === 'connected' ? 'No actor runs yet' : kind === 'none' ? 'Show an app here' : 'Waiting for the app'}
      </h2>
      {kind === 'connected' ? (
        <p>The app is there. Its actors appear here when they start.</p>
      ) : kind === 'none' ? (
        <HowTo />
      ) : (
        <p>This page connects by itself, and again whenever the app comes back. There is no need to reload it.</p>
      )}
    </main>
  );
}

function HowTo(): JSX.Element {
  const page = `${location.origin}/?inspect`;
  return (
    <>
      <h3>An app in a browser</h3>
      <p>It opens this page in a window, or in an iframe, and shows itself there:</p>
      <pre>
        <code>{`import { inspectInWindow } from 'xstate-reconnect/inspect';

const { inspect } = inspectInWindow({ url: '${page}' });
const connection = reconnect({ connect, inspect });`}</code>
      </pre>
      <h3>An app in Node</h3>
      <p>It serves this very page by itself, and prints where:</p>
      <pre>
        <code>{`import { serveViewer } from 'xstate-reconnect/inspect/node';

const { inspect, url } = await serveViewer();
console.log(url);
const connection = reconnect({ connect, inspect });`}</code>
      </pre>
    </>
  );
}
