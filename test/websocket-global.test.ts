import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { bundle, serve, useChromium } from './support/browser';
import { nodeOf } from './support/node';
import { afterTest, webSocketServer } from './support/servers';

const chromium = useChromium();

it("keeps a browser's WebSocket connected while its server is killed and comes back", async () => {
  let connections = 0;
  const greet = (peer: WebSocket): void => peer.send(`hello ${++connections}`);
  const { port, kill } = await webSocketServer(greet);
  const origin = await serve({ '/app.js': await bundle('test/pages/websocket.ts') });
  // Chromium puts each connection that fails on the console.
  const page = await chromium.open(`${origin}/?url=ws://127.0.0.1:${port}`, {
    expected: [/^WebSocket connection to /u],
  });
  const seen: string[] = [];
  const happens = async (...next: string[]): Promise<void> => {
    seen.push(...next);
    await expect.poll(() => page.evaluate('events'), { timeout: 20_000 }).toEqual(seen);
  };

  await happens('connected', 'hello 1');
  await kill();
  await happens('closed 1006', 'three attempts failed');
  const { peers } = await webSocketServer(greet, { port });
  await happens('connected', 'hello 2');
  const peer = await peers.next();
  const closed = new Promise((resolve) => peer.once('close', resolve));
  await page.evaluate('connection.stop()');
  // No code: a clean end.
  expect(await closed).toBe(1005);
  await happens('stopped here', 'stopped');
});

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
