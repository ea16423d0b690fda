/** Where the Chromium that the tests drive is. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/**
 * The path of a Chromium: the environment variable CHROMIUM, or the first one on the PATH; undefined when there is none.
 *
 * @throws when CHROMIUM is set but no program.
 */
export function findChromium(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env;
  if (CHROMIUM !== undefined && CHROMIUM !== '') {
    if (isProgram(CHROMIUM)) return CHROMIUM;
    throw new Error(`CHROMIUM: expected the path of a Chromium program, got ${JSON.stringify(CHROMIUM)}`);
  }
  const folders = PATH.split(delimiter).filter((folder) => folder !== '');
  return [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), MAC].find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
