/**
 * Who looks on in the bench of the inspectors, as a process: a viewer that connects to the address it is given, or else a server
 * for inspectors that connect. Says how it can be reached; asked for a number, it answers once it was told that often of a state
 * that a tick led to.
 */
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

let told = 0;
let asked: number | undefined;
const say = (message: string): void => void process.send?.(message);
const answer = (): void => {
  if (asked === undefined || told < asked) return;
  asked = undefined;
  say('told');
};

function listenTo(socket: WebSocket): void {
  socket.on('message', (data) => {
    const text = String(data);
    if (!text.includes('tick') || !(text.includes('service.state') || text.includes('@xstate.snapshot'))) return;
    told += 1;
    answer();
  });
}

process.on('message', (count: number) => {
  asked = count;
  answer();
});
process.on('disconnect', () => process.exit());

const [url] = process.argv.slice(2);
if (url === undefined) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', listenTo);
  server.on('listening', () => say(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`));
} else {
  const socket = new WebSocket(url);
  listenTo(socket);
  socket.on('open', () => {
    socket.send('{"type":"xstate.inspecting"}');
    // Answered after that was taken in.
    socket.ping();
  });
  socket.on('pong', () => say(url));
}
