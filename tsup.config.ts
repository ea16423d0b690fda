import { cpSync, writeFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';
import { buildViewerPage } from './scripts/viewer-page';

const shared = {
  target: 'es2022',
  platform: 'neutral',
  sourcemap: true,
  // Without `node:` in front, Deno and Workers would look for a package of that name.
  removeNodeProtocol: false,
  external: ['xstate', /^node:/],
} satisfies Options;

export default defineConfig([
  {
    ...shared,
    // One pass for every library entry, so that all of them share one copy of each class.
    entry: {
      index: 'src/index.ts',
      config: 'src/config.ts',
      classify: 'src/classify.ts',
      websocket: 'src/websocket.ts',
      tcp: 'src/tcp.ts',
      browser: 'src/browser.ts',
      node: 'src/node.ts',
      inspect: 'src/inspect/index.ts',
      'inspect-node': 'src/inspect/node.ts',
      react: 'src/react.ts',
      testing: 'src/testing/index.ts',
    },
    format: ['esm', 'cjs'],
    splitting: true,
    dts: true,
    // All but what the other build makes, which may already be there.
    clean: ['!cli/**'],
    // What asks where it is gets the same from CommonJS, near enough: a path that `createRequire` takes.
    esbuildOptions(options, { format }) {
      if (format === 'cjs') options.define = { ...options.define, 'import.meta.url': '__filename' };
    },
    onSuccess: async () => {
      cpSync('src/backoff.schema.json', 'dist/backoff.schema.json');
      writeFileSync('dist/viewer.html', await buildViewerPage());
    },
  },
  {
    ...shared,
    // The program brings along all that it needs but xstate.
    entry: { main: 'src/cli/main.ts' },
    outDir: 'dist/cli',
    clean: true,
    format: ['esm'],
    platform: 'node',
    sourcemap: false,
    // Graphviz is loaded only by who draws with it.
    splitting: true,
    external: ['xstate', 'bufferutil', 'utf-8-validate'],
    noExternal: ['commander', 'ws', '@viz-js/viz'],
    banner: {
      js: [
        '#!/usr/bin/env node',
        "import { createRequire as __createRequire } from 'node:module';",
        'const require = __createRequire(import.meta.url);',
      ].join('\n'),
    },
  },
]);
