/** Makes the viewer's page: one file that needs no other, and no network. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The page as HTML, with its script, its styles and what they may do in it. */
export async function buildViewerPage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['src/viewer/main.tsx'],
    absWorkingDir: ROOT,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'inline',
    outdir: 'viewer',
    write: false,
  });
  const partOf = (extension: string): string => outputFiles.find(({ path }) => path.endsWith(extension))!.text.trim();
  const script = partOf('.js');
  const style = partOf('.css');
  const policy = [
    "default-src 'none'",
    // Graphviz is WebAssembly.
    `script-src '${hashOf(script)}' 'wasm-unsafe-eval'`,
    `style-src '${hashOf(style)}'`,
    'connect-src ws: wss:',
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const parts: Readonly<Record<string, string>> = { policy, style, script };
  const template = readFileSync(`${ROOT}src/viewer/page.html`, 'utf8');
  return template.replace(/\/\* (\w+) \*\//gu, (_, name: string) => parts[name] ?? '');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
