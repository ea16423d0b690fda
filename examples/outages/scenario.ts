/** The outages, one after another: what each does to the server, and how it ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from './server-process';

/** How long the line is left alone between two outages. Longer than `minUptime`, so that the backoff starts afresh. */
const CALM_MS = 500;

/** Makes time pass; rejects when the demo ends. */
type Pass = (ms: number) => Promise<void>;

interface Outage {
  kind: string;
  announcement: string;
  /** Causes it and ends it. */
  run: (server: ServerProcess, startServer: () => Promise<void>, pass: Pass) => Promise<void>;
}

const OUTAGES: readonly Outage[] = [
  {
    kind: 'kill',
    announcement: 'kill -9 of the server process, back in 400 ms',
    async run(server, startServer, pass) {
      await server.end('SIGKILL');
      await pass(400);
      await startServer();
    },
  },
  {
    kind: 'accept-then-close',
    announcement: 'for 900 ms the server completes every handshake and closes at once',
    async run(server, _startServer, pass) {
      server.setMode('accept-then-close');
      await pass(900);
      server.setMode('echo');
    },
  },
  {
    kind: 'hang',
    announcement: 'for 700 ms the server takes every call and answers none',
    async run(server, _startServer, pass) {
      server.setMode('hang');
      await pass(700);
      // Whoever called meanwhile is never answered: an attempt ends by its own timeout.
      server.setMode('echo');
    },
  },
  {
    kind: 'refuse',
    announcement: 'the server says goodbye and nobody listens for 500 ms',
    async run(server, startServer, pass) {
      await server.end('SIGTERM');
      await pass(500);
      await startServer();
    },
  },
];

interface Stage {
  server: ServerProcess;
  startServer: () => Promise<void>;
  /** Resolves once the line is proven: an echo came back. */
  whenProven: () => Promise<void>;
  announce: (kind: string, announcement: string) => void;
  /** Aborts when the demo ends. */
  signal: AbortSignal;
}

/** Causes outage after outage, each once the line has recovered from the last. Runs until `signal` aborts, then rejects. */
export async function causeOutages({ server, startServer, whenProven, announce, signal }: Stage): Promise<never> {
  const pass: Pass = (ms) => sleep(ms, undefined, { signal });
  while (true) {
    for (const { kind, announcement, run } of OUTAGES) {
      await whenProven();
      await pass(CALM_MS);
      announce(kind, announcement);
      await run(server, startServer, pass);
    }
  }
}
