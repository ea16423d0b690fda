/** Builds the page of an example and serves it, with the message board it shows: `npm run example:react`. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { Board } from './board';

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

const files = await buildPage(process.argv[2] ?? 'react');
const board = new Board();

const server = createServer(({ method, url = '/' }, response) => {
  const [, action] = /^\/server\/(start|stop|drop)$/u.exec(url) ?? [];
  if (method === 'POST' && action !== undefined) {
    board[action as 'start' | 'stop' | 'drop']();
    // No content: the page stays as it is.
    response.writeHead(204).end();
    return;
  }
  const path = url === '/' ? 'index.html' : url.slice(1);
  const file = files.get(path);
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  response.writeHead(file === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(file);
});
server.on('upgrade', (request, line, head) => board.accept(request, line, head));

board.start();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

/** What Vite makes of `examples/<name>/index.html`, by path. Nothing is written. */
async function buildPage(name: string): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const root = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const built = await build({ root, logLevel: 'warn', build: { write: false } });
  if (!('output' in built)) throw new Error(`expected one build of ${root}`);
  return new Map(built.output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source]));
}
