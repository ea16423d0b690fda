/** The servers the peers talk to, each in its own protocol, behind a server that misbehaves as it is told. */
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { Server } from 'socket.io';
import { type WebSocket, WebSocketServer } from 'ws';
import { type FaultServer, startFaultServer } from '../../test/support/fault-server';

export type Protocol = 'websocket' | 'socket.io' | 'graphql-ws';

/** How long a server waits for a client to say who it is, in ms. As short as the attempt timeout of the peers. */
const HELLO_MS = 300;
const OVERLOADED = 1013;

export interface Site {
  /** In front: counts the dials. */
  readonly faults: FaultServer;
  /** How many sessions were begun: the client believes that it is connected. */
  readonly sessions: number;
  /** From now on every session is ended as soon as it is begun. */
  endSessionsAtOnce(): void;
  close(): Promise<void>;
}

/** Told of each session; `end` ends it from the server's side. */
type OnSession = (end: () => void) => void;

/** Starts a site on a free port of 127.0.0.1. */
export async function startSite(protocol: Protocol): Promise<Site> {
  let sessions = 0;
  let endsSessions = false;
  const onSession: OnSession = (end) => {
    sessions += 1;
    if (endsSessions) end();
  };
  const http = createServer();
  serve[protocol](http, onSession);
  const faults = await startFaultServer({ site: http });
  return {
    faults,
    get sessions() {
      return sessions;
    },
    endSessionsAtOnce() {
      endsSessions = true;
    },
    close: () => faults.close(),
  };
}

const serve: Readonly<Record<Protocol, (http: ReturnType<typeof createServer>, onSession: OnSession) => void>> = {
  websocket(http, onSession) {
    new WebSocketServer({ server: http }).on('connection', (socket) => {
      socket.on('error', () => {});
      onSession(() => socket.close(OVERLOADED, 'overloaded'));
    });
  },

  'socket.io'(http, onSession) {
    // Ended as a server that goes away does; a client whom a socket.io server disconnects by name is not to come back.
    new Server(http, { connectTimeout: HELLO_MS }).on('connection', (socket) => onSession(() => socket.conn.close()));
  },

  'graphql-ws'(http, onSession) {
    const schema = buildSchema('type Query { ok: Boolean } type Subscription { ticks: Int }');
    const forever = async function* () {
      await new Promise(() => {});
      yield {};
    };
    useServer<Record<string, unknown>, { socket: WebSocket }>(
      {
        schema,
        roots: { subscription: { ticks: forever } },
        connectionInitWaitTimeout: HELLO_MS,
        // The client counts as connected once it was acknowledged, which is before it subscribes.
        onSubscribe: ({ extra }) => onSession(() => extra.socket.close(OVERLOADED, 'overloaded')),
      },
      new WebSocketServer({ server: http }),
    );
  },
};
