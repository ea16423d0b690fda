import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The core's tests again, with another version of XState in place of the one it is developed on. */
const withXState = (version: string) => {
  const folder = fileURLToPath(new URL(`node_modules/xstate-${version}`, import.meta.url));
  return {
    extends: true as const,
    resolve: {
      alias: [
        { find: /^xstate$/u, replacement: folder },
        { find: /^xstate\/graph$/u, replacement: `${folder}/graph` },
      ],
    },
    test: {
      name: `xstate ${version}`,
      // The exploration in depth is of our chart, and not of XState.
      env: { EXPLORE_DEPTH: '1', SCHEDULES: '500' },
      include: [
        'test/handle.test.ts',
        'test/golden/*.test.ts',
        'test/machines/*.test.ts',
        'test/inspect/inspector.test.ts',
      ],
    },
  };
};

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // Of the tests that say they may run side by side: as many as a small machine has cores.
    maxConcurrency: 2,
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'] } },
      withXState('oldest'),
      withXState('newest'),
    ],
  },
});
