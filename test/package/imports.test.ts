/** The import rules bite: each is broken once in a small tree that has the package's layout and its configuration. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

describe('import rules', () => {
  let tree: string;

  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'xstate-reconnect-imports-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
      cpSync(join(root, file), join(tree, file));
    }
    write({
      'node_modules/xstate/package.json': '{ "name": "xstate", "version": "5.20.0", "main": "index.js" }',
      'node_modules/xstate/index.js': '',
      'machines/leaf.ts': 'export const leaf = 1;',
      'machines/chart.ts': "import 'xstate';\nexport { leaf } from './leaf';",
      'src/index.ts': "import 'xstate';\nexport { leaf } from '../machines/chart';",
      'src/tcp.ts': "import 'node:net';\nexport { leaf } from '../machines/leaf';",
      'test/help.ts': "export { leaf } from '../src/index';",
    });
  });
  afterEach(() => rmSync(tree, { recursive: true, force: true }));

  function write(files: Record<string, string>): void {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(tree, dirname(file)), { recursive: true });
      writeFileSync(join(tree, file), text);
    }
  }

  function cruise(): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [depcruise, 'machines', 'src', 'test'], {
      cwd: tree,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  }

  test('src -> machines is allowed', () => {
    expect(cruise()).toMatchObject({ status: 0, output: expect.stringContaining('no dependency violations found') });
  });

  test.each<[rule: string, what: string, files: Record<string, string>]>([
    ['machines-are-pure', 'machines -> src', { 'machines/leaf.ts': "export { leaf } from '../src/tcp';" }],
    ['machines-are-pure', 'machines -> src, types only', { 'machines/leaf.ts': "import type {} from '../src/tcp';" }],
    ['machines-are-pure', 'machines -> Node', { 'machines/leaf.ts': "import 'node:fs';\nexport const leaf = 1;" }],
    ['no-cycles', 'a circle', { 'machines/leaf.ts': "import './chart';\nexport const leaf = 1;" }],
    [
      'no-cycles',
      'a circle of types',
      { 'machines/leaf.ts': "import type {} from './chart';\nexport const leaf = 1;" },
    ],
    ['the-core-depends-on-xstate-alone', 'the core -> Node', { 'src/index.ts': "import 'node:net';" }],
    [
      'published-code-imports-published-code',
      'src -> test',
      { 'src/tcp.ts': "import '../test/other';", 'test/other.ts': '' },
    ],
    ['resolvable', 'an import of nothing', { 'src/tcp.ts': "import './nowhere';" }],
  ])('%s refuses %s', (rule, _what, files) => {
    write(files);
    const { status, output } = cruise();
    expect(output).toContain(`error ${rule}: `);
    expect(status).toBeGreaterThan(0);
  });
});
