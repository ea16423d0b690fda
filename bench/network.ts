/** What every peer is measured on: one loopback WebSocket server that can cut the line of one peer. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Loopback {
  /** The address for the peer called `name`. */
  url(name: string): string;
  /** Cuts the line of `name`, without a goodbye. */
  cut(name: string): void;
  close(): Promise<void>;
}

/** Starts the server on a free port of 127.0.0.1. */
export async function startLoopback(): Promise<Loopback> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  const lines = new Map<string, WebSocket>();
  server.on('connection', (socket, request) => lines.set(request.url ?? '', socket));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const pathOf = (name: string): string => `/${encodeURIComponent(name)}`;
  return {
    url: (name) => `ws://127.0.0.1:${port}${pathOf(name)}`,
    cut(name) {
      const socket = lines.get(pathOf(name));
      if (socket === undefined) throw new Error(`${name} never connected`);
      socket.terminate();
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
