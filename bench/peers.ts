/** Who is measured: ours, a bare loop, and two packages, each with its delays as low as it allows. */
import { setTimeout as sleep } from 'node:timers/promises';
import PartySocket from 'partysocket/ws';
import ReconnectingWebSocket from 'reconnecting-websocket';
import { WebSocket } from 'ws';
import { originBackoff, reconnect } from '../src/index';
import { websocket } from '../src/websocket';

export interface Peer {
  name: string;
  /** The settings that matter, as shown in the output. */
  settings: string;
  /** Starts it. `onOpen` is told each time it is connected. Returns how to stop it. */
  start: (url: string, onOpen: () => void) => () => void;
}

/** What anybody would write first. `pause` is what it does between two sockets. */
function startLoop(url: string, onOpen: () => void, pause: () => Promise<void> | undefined): () => void {
  let running = true;
  let socket: WebSocket | undefined;
  const loop = async (): Promise<void> => {
    while (running) {
      await new Promise<void>((resolve) => {
        socket = new WebSocket(url);
        socket.on('open', onOpen);
        // `close` follows every error.
        socket.on('error', () => {});
        socket.on('close', () => resolve());
      });
      await pause();
    }
  };
  void loop();
  return () => {
    running = false;
    socket?.terminate();
  };
}

const bareLoop: Peer = {
  name: 'bare loop',
  settings: 'while (running) await one ws; no delay of any kind',
  start: (url, onOpen) => startLoop(url, onOpen, () => undefined),
};

/** All the others pass through a timer between two sockets; this one shows how much of their time that is. */
const bareLoopWithTimer: Peer = {
  name: 'bare loop with a timer',
  settings: 'the same, and a setTimeout 0 between two sockets',
  start: (url, onOpen) => startLoop(url, onOpen, () => sleep(0)),
};

const ours: Peer = {
  name: 'xstate-reconnect',
  settings: 'originBackoff: no delay after a session (setTimeout 0)',
  start(url, onOpen) {
    const connection = reconnect({
      connect: websocket(url, { WebSocket }),
      backoff: originBackoff,
      autoStart: false,
    });
    connection.actor.on('connected', onOpen);
    connection.actor.send({ type: 'start' });
    return () => connection.stop();
  },
};

/** A delay of 0 is a setTimeout of 0 in both packages. */
const NO_DELAY = { minReconnectionDelay: 0, maxReconnectionDelay: 0, reconnectionDelayGrowFactor: 1, minUptime: 0 };
const NO_DELAY_SHOWN = 'min and max delay 0, grow factor 1, min uptime 0 (setTimeout 0)';

const partysocket: Peer = {
  name: 'partysocket',
  settings: NO_DELAY_SHOWN,
  start(url, onOpen) {
    const socket = new PartySocket(url, [], { ...NO_DELAY, WebSocket });
    socket.addEventListener('open', onOpen);
    return () => socket.close();
  },
};

const reconnectingWebsocket: Peer = {
  name: 'reconnecting-websocket',
  settings: NO_DELAY_SHOWN,
  start(url, onOpen) {
    const socket = new ReconnectingWebSocket(url, [], { ...NO_DELAY, WebSocket });
    socket.addEventListener('open', onOpen);
    return () => socket.close();
  },
};

/** The first one is what the others are compared with. */
export const peers: readonly [Peer, ...Peer[]] = [
  bareLoop,
  bareLoopWithTimer,
  ours,
  partysocket,
  reconnectingWebsocket,
];
