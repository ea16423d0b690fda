/** Draws the chart anew wherever a document shows it: `npm run diagrams`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { drawDocuments } from './documents';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const [file, draw] of Object.entries(drawDocuments)) {
  const path = `${root}${file}`;
  writeFileSync(path, await draw(readFileSync(path, 'utf8')));
}
