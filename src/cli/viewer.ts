/** The viewer, as the program serves it. */
import { InvalidBackoffError } from '../../machines/backoff';
import { serveViewer, serveViewerPage, type ViewerServer } from '../inspect/viewer-server';

/** Where `inspect` serves, unless told otherwise: the next one after that of XState 4's own inspector. */
export const VIEWER_PORT = 8889;

/** Makes a reader of the port in `flag`. What it reads may be 0: any free port. */
export function portReader(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,5}$/u.test(text) && Number(text) <= 65_535) return Number(text);
    throw new InvalidBackoffError(flag, text, 'a port, from 0 to 65535, where 0 is any that is free');
  };
}

/**
 * Reads the address of an app's inspector.
 *
 * @throws {InvalidBackoffError} when it is no WebSocket's.
 */
export function readServer(text: string): string {
  if (URL.canParse(text) && /^wss?:$/u.test(new URL(text).protocol)) return new URL(text).href;
  throw new InvalidBackoffError('--server', text, 'the ws:// or wss:// address of an app that is inspected');
}

/** Serves the viewer beside what it shows. `port` is what `--inspect-port` said, if it did. */
export function startViewer(port: number | undefined): Promise<ViewerServer> {
  return naming('--inspect-port', port, serveViewer(port === undefined ? {} : { port }));
}

/** Serves the viewer alone, and says how apps are shown in it. Runs until it is interrupted. */
export async function inspect(port: number, server: string | undefined): Promise<void> {
  const { url, stop } = await naming('--port', port, serveViewerPage(server, port));
  process.stdout.write(
    `viewer at ${url}\n${
      server === undefined
        ? howTo(url)
        : `It connects to ${server}, which must let it in:
  inspectOverWebSocket({ origins: ['${new URL(url).origin}'] })
`
    }`,
  );
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await stop();
}

function howTo(url: string): string {
  return `An app in a browser opens it:
  inspectInWindow({ url: '${url}?inspect' }) of xstate-reconnect/inspect
An app in Node has one of its own:
  serveViewer() of xstate-reconnect/inspect/node
or is shown in this one, with --server and the url of
  inspectOverWebSocket({ origins: ['${new URL(url).origin}'] })
`;
}

/** A port that is taken is the flag's fault. */
async function naming<T>(flag: string, port: number | undefined, serving: Promise<T>): Promise<T> {
  try {
    return await serving;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw cause;
    const why = code === 'EADDRINUSE' ? 'that nobody else listens on' : 'that this user may listen on';
    throw new InvalidBackoffError(flag, String(port), `a port ${why}`, { cause });
  }
}
