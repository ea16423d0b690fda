/** Every example that says what it prints is a program: it is run as written, and must print that. In the README all of them do. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { drawDocuments } from '../scripts/documents';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Example {
  title: string;
  code: string;
}

function examplesIn(document: string): Example[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```/gmsu)].map(([, code = ''], i) => ({
    title: `${document} #${i + 1}`,
    code,
  }));
}

/** What the comments behind `console.log` say it prints. */
function promisedOutput(code: string): string[] {
  return [...code.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gmu)].map(([, text = '']) => text);
}

// Inside the project, so that the examples find `xstate-reconnect` and what they import beside it.
const folder = mkdtempSync(join(root, 'test', '.examples-'));
let webSocketServer: WebSocketServer;
let tcpServer: Server;

beforeAll(async () => {
  webSocketServer = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  webSocketServer.on('connection', (socket: WebSocket) => socket.on('message', (data) => socket.send(String(data))));
  tcpServer = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await Promise.all(
    [webSocketServer, tcpServer].map((server) => new Promise((done) => server.once('listening', done))),
  );
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const client of webSocketServer.clients) client.terminate();
  webSocketServer.close();
  tcpServer.close();
});

describe('examples in the documents', () => {
  const examples = documents.flatMap(examplesIn).filter(({ code }) => promisedOutput(code).length > 0);

  it('every example of the README, and some of the other pages, are among them', () => {
    const titles = examples.map(({ title }) => title);
    expect(titles).toEqual(expect.arrayContaining(examplesIn('README.md').map(({ title }) => title)));
    expect(titles).toEqual(expect.arrayContaining(examplesIn('docs/testing.md').map(({ title }) => title)));
  });

  it.each(examples.map(({ title, code }, i) => [title, code, i] as const))('%s', async (_, code, i) => {
    const file = join(folder, `example-${i}.mts`);
    const webSocketUrl = `ws://127.0.0.1:${(webSocketServer.address() as AddressInfo).port}`;
    const program = code
      .replaceAll('wss://example.com/live', webSocketUrl)
      .replaceAll(
        "host: 'example.com', port: 7000",
        `host: '127.0.0.1', port: ${(tcpServer.address() as AddressInfo).port}`,
      );
    writeFileSync(file, program);
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
      cwd: root,
      timeout: 20_000,
    });
    expect(stdout.trim().split('\n').filter(Boolean)).toEqual(promisedOutput(code));
  });
});

it.each(Object.entries(drawDocuments))(
  '%s shows the chart as it is; `npm run diagrams` draws it anew',
  async (file, draw) => {
    const text = readFileSync(join(root, file), 'utf8');
    expect(text).toBe(await draw(text));
  },
);

it('links between the documents lead somewhere', () => {
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(((?!https?:|#)[^)#]+)/gu)) {
      expect(() => readFileSync(join(root, document, '..', target)), `${target} in ${document}`).not.toThrow();
    }
  }
});
