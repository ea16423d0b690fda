/** Who gets the viewer's page from its server, and what else there is. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { serveViewer } from '../../src/inspect/node';
import { serveViewerPage } from '../../src/inspect/viewer-server';
import { buildCli } from '../support/build';
import { afterTest } from '../support/servers';
import { viewerServer } from '../support/viewer';

beforeAll(() => {
  buildCli();
});

interface Answer {
  status: number | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

async function ask(url: string, { method = 'GET', host }: { method?: string; host?: string } = {}): Promise<Answer> {
  const sent = request(url, { method, ...(host !== undefined && { headers: { host } }) }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('the page', () => {
  test('is there, whole, with a policy that lets it run nothing else', async () => {
    const { url } = await viewerServer();
    const { status, headers, body } = await ask(url);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    });
    expect(body).toMatch(
      /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/u,
    );
    expect(body).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)="(?!data:)/u);
    expect(Buffer.byteLength(body)).toBeLessThan(3_000_000);
    expect(await ask(`${url}?anything`)).toMatchObject({ status: 200 });
    expect(await ask(url, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  test('is at / alone, and for reading alone', async () => {
    const { url } = await viewerServer();
    expect((await ask(`${url}viewer.html`)).status).toBe(404);
    expect((await ask(`${url}..%2fpackage.json`)).status).toBe(404);
    expect(await ask(url, { method: 'POST' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  test('is not for a name that somebody has led to this address', async () => {
    const { url } = await viewerServer();
    const { port } = new URL(url);
    for (const host of [`evil.example:${port}`, 'evil.example', '127.0.0.1', `127.0.0.1.evil.example:${port}`]) {
      expect(await ask(url, { host }), host).toMatchObject({ status: 421, body: expect.stringContaining('localhost') });
    }
    for (const name of ['localhost', '[::1]', '127.0.0.1']) {
      expect(await ask(url, { host: `${name}:${port}` }), name).toMatchObject({ status: 200 });
    }
  });

  test('served alone it is led to what it was served for, may be framed, and has no socket', async () => {
    const apps: [string | undefined, string][] = [
      [undefined, '/?inspect'],
      ['ws://127.0.0.1:8888/', '/?server=ws%3A%2F%2F127.0.0.1%3A8888%2F'],
    ];
    for (const [app, location] of apps) {
      const alone = await serveViewerPage(app);
      afterTest(() => alone.stop());
      expect(await ask(alone.url)).toMatchObject({ status: 302, headers: { location } });
      const { status, headers } = await ask(new URL(location, alone.url).href);
      expect(status).toBe(200);
      expect(headers).not.toHaveProperty('content-security-policy');
      expect(await refusal(alone.url)).toBe(404);
    }
  });
});

describe('the socket', () => {
  test('is for the page, and for no page of another origin', async () => {
    const errors: Error[] = [];
    const viewer = await serveViewer({ onError: (error) => errors.push(error) });
    afterTest(() => viewer.stop());
    expect(await refusal(viewer.url, 'http://evil.example')).toBe(403);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('http://evil.example')]);
    const { origin } = new URL(viewer.url);
    const socket = new WebSocket(viewer.url.replace('http', 'ws'), { headers: { origin } });
    await once(socket, 'open');
    const goodbye = once(socket, 'close');
    await viewer.stop();
    expect((await goodbye)[0]).toBe(1001);
  });

  test('after stop the port is free', async () => {
    const first = await serveViewer();
    await first.stop();
    const second = await serveViewer({ port: Number(new URL(first.url).port) });
    expect(second.url).toBe(first.url);
    await second.stop();
  });

  test('O5 a page that looks keeps no process running', async () => {
    const main = fileURLToPath(new URL('../support/watched-main.ts', import.meta.url));
    const child = fork(main, { execArgv: ['--import', import.meta.resolve('tsx')] });
    afterTest(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const [url] = (await once(child, 'message')) as [string];
    const socket = new WebSocket(url.replace('http', 'ws'));
    socket.on('error', () => {});
    await once(socket, 'open');
    child.send('end');
    expect(await ended).toEqual([0, null]);
  });
});

test('a port that is taken is an error that names it', async () => {
  const { url } = await viewerServer();
  const port = Number(new URL(url).port);
  await expect(serveViewer({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
});

/** The status that a handshake is refused with. */
async function refusal(url: string, origin?: string): Promise<number | undefined> {
  const socket = new WebSocket(url.replace('http', 'ws'), origin === undefined ? {} : { headers: { origin } });
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  socket.terminate();
  return response.statusCode;
}
