import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { nodeOf } from './support/node';
import { afterTest, webSocketServer } from './support/servers';

it('keeps the global WebSocket of Node 22 connected through a kill, and the process ends (O5)', async () => {
  let connections = 0;
  const server = await webSocketServer((socket) => {
    socket.send(`hello ${++connections}`);
    if (connections === 1) setTimeout(() => socket.terminate(), 20);
  });
  afterTest(() => server.kill());
  const program = `
    import { reconnect } from 'xstate-reconnect';
    import { websocket } from 'xstate-reconnect/websocket';
    const heard = [];
    const connection = reconnect({ connect: websocket(process.env.URL), backoff: { initial: 10 } });
    connection.actor.on('connected', () => connection.session.socket.addEventListener('message', ({ data }) => {
      heard.push(data);
      if (heard.length === 3) connection.stop();
    }));
    connection.actor.on('disconnected', ({ error }) => heard.length === 1 && heard.push(error?.code));
    await connection.closed();
    console.log(JSON.stringify(heard));
  `;
  const node = await nodeOf(22);
  const root = fileURLToPath(new URL('..', import.meta.url));
  const env = { ...process.env, URL: `ws://127.0.0.1:${server.port}` };
  const args = ['--input-type=module', '--eval', program];
  const { stdout, stderr } = await promisify(execFile)(node, args, { cwd: root, env, timeout: 45_000 });
  expect({ heard: JSON.parse(stdout), stderr }).toEqual({ heard: ['hello 1', 1006, 'hello 2'], stderr: '' });
});
