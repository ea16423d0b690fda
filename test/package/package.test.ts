/**
 * The package as its consumers get it: packed, unpacked into a node_modules of their own, and used from there. What is tested is
 * the last build; `npm test` builds first.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeOf } from '../support/node';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const fixture = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const nodes = [20, 22, 24, 26] as const;
const xstates = { oldest: '5.20.0', newest: '5.33.3' } as const;
type XState = keyof typeof xstates;

/** What each subpath exports at run time, at least. */
const publicNames: Record<string, string[]> = {
  '.': [
    'InvalidBackoffError',
    'InvalidDurationError',
    'ReconnectStoppedError',
    'ReconnectTimeoutError',
    'createClock',
    'createNoticeMachine',
    'createReconnectMachine',
    'defaultBackoff',
    'originBackoff',
    'reconnect',
    'resilientBackoff',
    'selectCountdown',
    'selectSummary',
    'selectUptime',
    'selectWindowLeft',
  ],
  './config': [
    'InvalidBackoffError',
    'backoffFlag',
    'backoffFromArgs',
    'backoffFromEnv',
    'backoffVariable',
    'formatDuration',
    'parseBackoff',
    'parseDuration',
  ],
  './classify': ['classifyCloseCode', 'classifyErrorCode', 'classifyHttpStatus', 'classifyUsual', 'parseRetryAfter'],
  './websocket': ['WebSocketClosed', 'WebSocketConnectError', 'websocket'],
  './tcp': ['TcpClosed', 'TcpConnectError', 'tcp'],
  './browser': ['browser'],
  './node': ['node'],
  './inspect': ['createInspector', 'createSerializer', 'decodeMessage', 'inspectInWindow', 'plainInspection'],
  './inspect/node': ['inspectOverWebSocket', 'serveViewer'],
  './testing': ['createScriptedServer', 'createScriptedSession', 'createVirtualClock'],
};

/** The same, for those who have React. */
const publicReactNames: Record<string, string[]> = {
  './react': ['useReconnect'],
};

let temp: string;
/** The folder of a consumer who has this XState. */
const consumer = (xstate: XState): string => join(temp, xstate);
const installed = (xstate: XState): string => join(consumer(xstate), 'node_modules/xstate-reconnect');

beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'xstate-reconnect-package-'));
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', temp], {
    cwd: root,
  });
  const [tarball] = JSON.parse(stdout) as { filename: string }[];
  await run('tar', ['-xzf', tarball!.filename], { cwd: temp });
  for (const xstate of Object.keys(xstates) as XState[]) {
    mkdirSync(join(consumer(xstate), 'node_modules/@types'), { recursive: true });
    cpSync(join(temp, 'package'), installed(xstate), { recursive: true });
    cpSync(join(root, `node_modules/xstate-${xstate}`), join(consumer(xstate), 'node_modules/xstate'), {
      recursive: true,
    });
    for (const dependency of ['@types/node', 'ws']) {
      symlinkSync(join(root, 'node_modules', dependency), join(consumer(xstate), 'node_modules', dependency));
    }

    cpSync(fixture('smoke.cjs'), join(consumer(xstate), 'smoke.cjs'));
    writeFileSync(
      join(consumer(xstate), 'smoke-esm.mjs'),
      `import { createRequire } from 'node:module';
      import smoke from './smoke.cjs';
      import schema from 'xstate-reconnect/config/schema.json' with { type: 'json' };
      if (schema.type !== 'object') throw new Error('not the schema');
      const { version } = createRequire(import.meta.resolve('xstate-reconnect'))('xstate/package.json');
      await smoke((name) => import(name), version);`,
    );
    writeFileSync(
      join(consumer(xstate), 'smoke-cjs.cjs'),
      `const schema = require('xstate-reconnect/config/schema.json');
      if (schema.type !== 'object') throw new Error('not the schema');
      const { createRequire } = require('node:module');
      const { version } = createRequire(require.resolve('xstate-reconnect'))('xstate/package.json');
      require('./smoke.cjs')(require, version);`,
    );
  }
});
afterAll(() => rmSync(temp, { recursive: true, force: true }));

test('what is packed is the build and what a reader wants, and nothing else', () => {
  const files = readdirSync(installed('newest'));
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'dist', 'package.json']));
  expect(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']).toEqual(expect.arrayContaining(files));
});

test('every subpath is covered here', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
  const others = ['./config/schema.json', './viewer.html', './package.json'];
  const covered = Object.keys({ ...publicNames, ...publicReactNames });
  expect(Object.keys(exports).sort()).toEqual([...covered, ...others].sort());
});

test.each([
  ['mjs', "import { serveViewer } from 'xstate-reconnect/inspect/node';"],
  ['cjs', "const { serveViewer } = require('xstate-reconnect/inspect/node');"],
])('the viewer is in the package, and found from a .%s', async (extension, load) => {
  const program = join(consumer('newest'), `viewer.${extension}`);
  const look = 'fetch(url).then((page) => page.text()).then((text) => console.log(/<title>.*<.title>/.exec(text)[0]))';
  writeFileSync(program, `${load} serveViewer().then(({ url, stop }) => ${look}.then(stop));`);
  const { stdout } = await run(process.execPath, [program], { timeout: 45_000 });
  expect(stdout).toBe('<title>Statechart viewer</title>\n');
});

describe.each(nodes)('on Node %i', (major) => {
  let node: string;

  beforeAll(async () => {
    node = await nodeOf(Number(major));
  });

  describe.each(Object.entries(xstates) as [XState, string][])('with the %s XState, %s', (xstate, version) => {
    test.each(['smoke-esm.mjs', 'smoke-cjs.cjs'])(
      '%s connects, reconnects and stops, and the process ends (O5)',
      async (program) => {
        // A process that does not end by itself is killed, and that is a failure.
        const { stdout, stderr } = await run(node, [program], { cwd: consumer(xstate), timeout: 45_000 });
        expect(stderr).toBe('');
        const seen = JSON.parse(stdout);
        expect(seen).toEqual({
          node: expect.stringMatching(new RegExp(`^${major}\\.`)),
          xstate: version,
          exports: expect.any(Object),
          sharedClasses: true,
          handle: { events: ['connected', 'disconnected', 'connected', 'stopped'], remotePort: true, session: true },
          chart: { states: ['connecting', 'connected'], session: 'one', closed: ['one'] },
        });
        for (const [subpath, names] of Object.entries(publicNames)) {
          expect(seen.exports[subpath], subpath).toEqual(expect.arrayContaining(names));
        }
      },
    );
  });
});

describe('with React', () => {
  const folder = (): string => join(temp, 'react');

  beforeAll(() => {
    cpSync(consumer('newest'), folder(), { recursive: true, verbatimSymlinks: true });
    mkdirSync(join(folder(), 'node_modules/@xstate'));
    for (const name of ['react', 'react-dom', '@xstate/react']) {
      symlinkSync(join(root, 'node_modules', name), join(folder(), 'node_modules', name));
    }
  });

  test.each([
    ['module', 'const load = (name) => import(name);'],
    ['commonjs', 'const load = require;'],
  ])('loaded as %s, a component renders where there is no browser, and the process ends (O5)', async (type, load) => {
    const program = `${load}
      (async () => {
        const { createElement } = await load('react');
        const { renderToString } = await load('react-dom/server');
        const react = await load('xstate-reconnect/react');
        const connect = () => Promise.reject(new Error('connected while rendering'));
        const App = () => react.useReconnect({ connect }).status;
        console.log(JSON.stringify({ names: Object.keys(react), html: renderToString(createElement(App)) }));
      })();`;
    const args = [`--input-type=${type}`, '--eval', program];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: folder(), timeout: 45_000 });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      names: expect.arrayContaining(publicReactNames['./react'] ?? []),
      html: 'connecting',
    });
  });
});

describe.each(Object.entries(xstates) as [XState, string][])('types, with the %s XState, %s', (xstate) => {
  test.each([
    // The package's own declarations are checked too. XState's do not pass that under exactOptionalPropertyTypes.
    { module: 'node16', moduleResolution: 'node16', skipLibCheck: false, exactOptionalPropertyTypes: false },
    { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true, exactOptionalPropertyTypes: true },
  ])('resolved as $moduleResolution', async (options) => {
    const { moduleResolution } = options;
    // Node16 tells ESM from CJS by the file's name; a bundler does not, so one of them is enough.
    const files = moduleResolution === 'node16' ? ['consumer.mts', 'consumer.cts'] : ['consumer.mts'];
    for (const file of files) cpSync(fixture('consumer.ts.txt'), join(consumer(xstate), file));
    const project = join(consumer(xstate), `tsconfig.${moduleResolution}.json`);
    const compilerOptions = {
      ...options,
      target: 'es2022',
      lib: ['es2022', 'esnext.disposable', 'dom', 'dom.iterable'],
      strict: true,
      noEmit: true,
      types: ['node'],
    };
    writeFileSync(project, JSON.stringify({ compilerOptions, files }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '--project', project]).catch((error) => error);
    expect(stdout).toBe('');
  });
});

describe('for browsers', () => {
  /** What an app that contains `code` ships. Fails on anything but the package and XState, such as a module of Node. */
  async function bundle(code: string): Promise<{ text: string; imports: string[] }> {
    const { outputFiles, metafile } = await build({
      stdin: { contents: code, resolveDir: consumer('newest') },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      external: ['xstate', 'react', '@xstate/react'],
      treeShaking: true,
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
    const [output] = Object.values(metafile.outputs) as [Metafile['outputs'][string]];
    return { text: outputFiles[0]!.text, imports: [...new Set(output.imports.map(({ path }) => path))] };
  }
  const all = (subpath: string): string => `export * from 'xstate-reconnect${subpath}';`;

  test('the core imports XState alone', async () => {
    expect((await bundle(all(''))).imports).toEqual(['xstate']);
  });

  const portable = ['/config', '/classify', '/websocket', '/browser', '/inspect', '/testing'];

  test.each(portable)('%s imports nothing of Node', async (subpath) => {
    const { imports } = await bundle(all(subpath));
    expect(['xstate']).toEqual(expect.arrayContaining(imports));
  });

  test('/react imports its peers alone', async () => {
    expect((await bundle(all('/react'))).imports.sort()).toEqual(['@xstate/react', 'react', 'xstate']);
  });

  test('/tcp does, and this test would see it', async () => {
    await expect(bundle(all('/tcp'))).rejects.toThrow(/Could not resolve "(node:)?net"/);
  });

  test.each(['', ...portable, '/node', '/react'])('an import of nothing from "%s" ships nothing', async (subpath) => {
    const { text } = await bundle(`import {} from 'xstate-reconnect${subpath}'; import 'xstate-reconnect${subpath}';`);
    expect(text).toBe('');
  });

  test('what is not used is not shipped', async () => {
    const { text } = await bundle("export { ReconnectStoppedError } from 'xstate-reconnect';");
    expect(text).toContain('ReconnectStoppedError');
    expect(text).not.toContain('backingOff');
  });
});
