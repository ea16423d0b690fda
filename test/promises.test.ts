/** docs/promises.md cannot rot: each promise has its row, each row its tests, and each test that it names is there. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const numbered = (letter: string, last: number): string[] =>
  Array.from({ length: last }, (_, i) => `${letter}${i + 1}`);

/** Every promise, in the order of the page. */
const PROMISES = [
  ...numbered('A', 5),
  ...numbered('B', 9),
  ...numbered('C', 10),
  ...numbered('D', 6),
  ...numbered('E', 5),
  ...numbered('F', 6),
  ...numbered('G', 7),
  'H',
  ...numbered('I', 7),
  ...numbered('R', 9),
  ...numbered('O', 6),
];

interface Reference {
  file: string;
  title: string;
}

interface Row {
  /** The promise; what people ask for has none. */
  id: string;
  tests: Reference[];
}

/** The rows of the page's tables. In the last cell each title belongs to the link before it. */
function readRows(): Row[] {
  const page = readFileSync(join(root, 'docs/promises.md'), 'utf8');
  const lines = page.split('\n').filter((line) => /^\| (?!---|asked for)[^|]/u.test(line) && !line.startsWith('|  |'));
  return lines.map((line) => {
    const cells = line.split(' | ');
    const tests: Reference[] = [];
    let file = '';
    for (const [, text = '', target, title] of (cells.at(-1) ?? '').matchAll(/\[([^\]]+)\]\(([^)]+)\)|`([^`]+)`/gu)) {
      if (title === undefined) {
        expect(target).toBe(`../${text}`);
        file = text;
      } else {
        tests.push({ file, title });
      }
    }
    return { id: (cells[0] ?? '').slice(2), tests };
  });
}

/** The titles of all tests and of what they are grouped in, by file: as written, with `%s` for what changes. */
function readTitles(): Map<string, Set<string>> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'list', '--staticParse', '--json', '--project', 'all'];
  const listed = JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })) as {
    name: string;
    file: string;
  }[];
  const titles = new Map<string, Set<string>>();
  for (const { name, file } of listed) {
    const path = relative(root, file);
    const known = titles.get(path) ?? new Set();
    // Titles come as they are written after a transform, which puts them in double quotes.
    for (const title of name.split(' > ')) known.add(title.replaceAll('\\"', '"'));
    titles.set(path, known);
  }
  return titles;
}

/** The promises that a title begins with: O6 and C4 for `O6 C4 a delay ...`. */
function idsOf(title: string): string[] {
  return /^(?:[A-IOR]\d*,? )+/u.exec(title)?.[0].match(/[A-IOR]\d*/gu) ?? [];
}

describe('docs/promises.md', () => {
  const rows = readRows();
  const promised = rows.filter(({ id }) => /^[A-Z]\d*$/u.test(id));
  const titles = readTitles();

  it('has a row for every promise, in order, and none for anything else', () => {
    expect(promised.map(({ id }) => id)).toEqual(PROMISES);
  });

  it('has a test in every row', () => {
    expect(rows.filter(({ tests }) => tests.length === 0)).toEqual([]);
  });

  it('names only tests that are there, in the file that it says', () => {
    const missing = rows.flatMap(({ tests }) => tests.filter(({ file, title }) => !titles.get(file)?.has(title)));
    expect(missing).toEqual([]);
  });

  it('names tests that say which promise they keep', () => {
    for (const { id, tests } of promised) {
      // What is about a letter as a whole is about each of its numbers.
      const others = tests.filter(({ title }) => !idsOf(title).some((cited) => cited === id || cited === id.charAt(0)));
      expect(others, `of ${id}`).toEqual([]);
    }
  });

  it('names every test of test/scenarios', () => {
    const named = new Set(rows.flatMap(({ tests }) => tests.map(({ file, title }) => `${file}: ${title}`)));
    const scenarios = [...titles].filter(([file]) => file.startsWith('test/scenarios/'));
    const tests = scenarios.flatMap(([file, known]) =>
      [...known].filter((title) => idsOf(title).length > 0).map((title) => `${file}: ${title}`),
    );
    expect(tests.length).toBeGreaterThan(80);
    expect(tests.filter((test) => !named.has(test))).toEqual([]);
  });
});
