/** A page that stays connected to the WebSocket server its query names, and keeps what happens. */
import { reconnect } from '../../src/index';
import { WebSocketClosed, websocket } from '../../src/websocket';

const events: string[] = [];
const url = new URLSearchParams(location.search).get('url') ?? '';
const connection = reconnect({ connect: websocket(url), backoff: { initial: 20, max: 100 } });
const { actor } = connection;
actor.on('connected', () => {
  events.push('connected');
  connection.session?.socket.addEventListener('message', ({ data }) => events.push(data));
});
actor.on('disconnected', ({ error }) => {
  events.push(error instanceof WebSocketClosed ? `closed ${error.code}` : 'stopped here');
});
actor.on('retrying', ({ attempt }) => attempt === 3 && events.push('three attempts failed'));
actor.on('stopped', () => events.push('stopped'));
Object.assign(globalThis, { connection, events });
