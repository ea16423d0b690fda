/** A client that stays connected to a real WebSocket server through outages that this program causes. */
import { WebSocket } from 'ws';
import { describeError } from '../../machines/failure';
import { type Reconnection, reconnect } from '../../src/index';
import type { Inspector } from '../../src/inspect';
import { serveViewer } from '../../src/inspect/node';
import { type WebSocketSession, websocket } from '../../src/websocket';
import { Ledger } from './ledger';
import { type Options, readOptions } from './options';
import { Probe } from './probe';
import { causeOutages } from './scenario';
import { ServerProcess } from './server-process';
import { createTimeline, type Timeline } from './timeline';

/** Short, so that there is something to see; never gives up. */
const BACKOFF = {
  initial: '200ms',
  multiplier: 2,
  max: '2s',
  timeout: 0,
  minUptime: '300ms',
  attemptTimeout: '500ms',
};

let options: Options;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
await run(options);

async function run({ runFor, inspect }: Options): Promise<void> {
  const end = new AbortController();
  if (runFor !== undefined) setTimeout(() => end.abort(), runFor);
  process.on('SIGINT', () => end.abort());
  process.on('SIGTERM', () => end.abort());

  const server = new ServerProcess();
  // Whatever ends this process, an uncaught error included.
  process.on('exit', () => server.killNow());
  // Nobody reads the timeline any more, as in `npm start | head`.
  process.stdout.on('error', () => process.exit());

  const timeline = createTimeline();
  const viewer = inspect ? await serveViewer() : undefined;
  if (viewer) timeline.line('viewer', viewer.url);
  const startServer = async (): Promise<void> => {
    // An outage that was under way when the demo ended starts nothing any more.
    end.signal.throwIfAborted();
    await server.start((pid) => timeline.line('server', `process ${pid} starts`));
    timeline.line('server', `process ${server.pid} listens on 127.0.0.1:${server.port}`);
  };
  const probe = new Probe();
  let outages = 0;
  let client:
    | { connection: Reconnection<WebSocketSession<WebSocket>>; ledger: Ledger<WebSocketSession<WebSocket>> }
    | undefined;

  const play = async (): Promise<never> => {
    await startServer();
    // It may have ended meanwhile.
    end.signal.throwIfAborted();
    client = connectClient(`ws://127.0.0.1:${server.port}`, probe, timeline, viewer);
    return causeOutages({
      server,
      startServer,
      whenProven: () => probe.whenProven(),
      announce(kind, announcement) {
        outages += 1;
        timeline.line('OUTAGE', `${outages} (${kind}): ${announcement}`);
      },
      signal: end.signal,
    });
  };
  const ended = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([
    ended,
    play().catch((error: unknown) => {
      // Being interrupted is how it ends.
      if (!end.signal.aborted) throw error;
    }),
  ]);

  const longestDowntime = Math.round(probe.longestDowntime);
  client?.connection.stop();
  // An attempt that connected in this very turn is closed by the next one.
  await new Promise((resolve) => setImmediate(resolve));
  const { opened, closed, balanced } = client?.ledger ?? { opened: 0, closed: 0, balanced: true };
  await Promise.all([server.end('SIGKILL'), viewer?.stop()]);
  console.log(
    `outages ${outages}, sessions opened ${opened}, sessions closed ${closed}, longest downtime ${longestDowntime} ms`,
  );
  if (!balanced) console.error('some sessions were not closed exactly once');
  process.exit(balanced ? 0 : 1);
}

function connectClient(url: string, probe: Probe, timeline: Timeline, viewer: Inspector | undefined) {
  const ledger = new Ledger<WebSocketSession<WebSocket>>(websocket(url, { WebSocket }));
  // Started by hand, so that the listeners hear the first attempt too.
  const connection = reconnect({
    connect: ledger.connect,
    close: ledger.close,
    backoff: BACKOFF,
    autoStart: false,
    ...(viewer && { inspect: viewer.inspect }),
    onError: (error, source) => timeline.line('error', `${source}: ${describeError(error)}`),
  });
  const { actor } = connection;
  const say = (text: string): void => timeline.line(String(actor.getSnapshot().value), text);

  actor.on('connecting', ({ attempt }) => timeline.line('connecting', `attempt ${attempt}`));
  actor.on('connected', ({ attempt }) => {
    timeline.line('connected', `attempt ${attempt} succeeded`);
    const { session } = connection;
    if (session) probe.connected(session.socket, () => say('the first echo came back'));
  });
  actor.on('disconnected', ({ error, uptime }) => {
    const { echoes } = probe;
    probe.disconnected();
    const reason = error === undefined ? 'stopped' : describeError(error);
    timeline.line('connected', `session over after ${Math.round(uptime)} ms and ${echoes} echoes: ${reason}`);
  });
  actor.on('retrying', ({ attempt, error, delay }) =>
    timeline.line('backingOff', `attempt ${attempt} failed: ${describeError(error)}; retry in ${Math.round(delay)} ms`),
  );
  actor.on('stopped', () => timeline.line('idle', 'stopped'));
  actor.send({ type: 'start' });
  return { connection, ledger };
}
