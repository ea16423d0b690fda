/** Installs what the tests need and npm does not have: a Chromium. Run by `npm test`; does nothing where there is one. */
import { spawnSync } from 'node:child_process';
import { findChromium } from './support/chromium';

const COMMANDS = [
  ['apt-get', 'update'],
  ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'],
] as const;

function install(): void {
  for (const [command, ...args] of COMMANDS) {
    const { status } = spawnSync(command, args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: 'inherit',
    });
    if (status !== 0) return;
  }
}

if (findChromium() === undefined && process.getuid?.() === 0) install();
if (findChromium() === undefined) {
  const commands = COMMANDS.map((words) => words.join(' ')).join(' && ');
  console.error(
    [
      'The tests drive a real browser, and there is no Chromium on the PATH. Install one:',
      `  on Debian, as root: ${commands}`,
      '  elsewhere: Chromium or Google Chrome, with its path in the environment variable CHROMIUM',
    ].join('\n'),
  );
  process.exitCode = 1;
}
