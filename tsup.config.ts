import { cpSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';

const shared = {
  target: 'es2022',
  platform: 'neutral',
  sourcemap: true,
  external: ['xstate', 'ws', /^node:/],
} satisfies Options;

export default defineConfig([
  {
    ...shared,
    // One pass for every library entry, so that all of them share one copy of each class.
    entry: {
      index: 'src/index.ts',
      config: 'src/config.ts',
      websocket: 'src/websocket.ts',
      tcp: 'src/tcp.ts',
      testing: 'src/testing/index.ts',
    },
    format: ['esm', 'cjs'],
    splitting: true,
    dts: true,
    clean: true,
    noExternal: ['arg'],
    onSuccess: async () => cpSync('src/backoff.schema.json', 'dist/backoff.schema.json'),
  },
]);
