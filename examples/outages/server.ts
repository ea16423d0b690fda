/** The other end of the line, in a process of its own: it echoes until it is told to misbehave. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Mode, ModeRequest, ServerReady } from './protocol';

const GRACE_MS = 250;
const BUSY_PORT_MS = 100;

const port = Number(process.argv[2] ?? 0);
let mode: Mode = 'echo';

const http = createServer();
const sockets = new WebSocketServer({ noServer: true });

http.on('upgrade', (request, tcp, head) => {
  // A caller that hangs up is no reason to die.
  tcp.on('error', () => {});
  if (mode === 'hang') return;
  sockets.handleUpgrade(request, tcp, head, (socket) => {
    if (mode === 'accept-then-close') return socket.close(1013, 'overloaded');
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
});

http.on('listening', () => {
  const ready: ServerReady = { port: (http.address() as AddressInfo).port };
  process.send?.(ready);
});

http.on('error', (error: NodeJS.ErrnoException) => {
  // While the server was down, anybody's outgoing connection may have been given its port for a moment.
  if (error.code !== 'EADDRINUSE') throw error;
  setTimeout(listen, BUSY_PORT_MS);
});

process.on('message', (request: ModeRequest) => {
  mode = request.mode;
  for (const socket of sockets.clients) socket.terminate();
});

process.on('SIGTERM', () => {
  http.close(() => process.exit());
  for (const socket of sockets.clients) socket.close(1001, 'restarting');
  setTimeout(() => process.exit(), GRACE_MS);
});

// Ctrl-C reaches the whole process group; the demo decides when its server ends.
process.on('SIGINT', () => {});

// Even a demo that was killed leaves no server behind.
process.on('disconnect', () => process.exit());

listen();

function listen(): void {
  http.listen(port, '127.0.0.1');
}
