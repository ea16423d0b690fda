/** The tests of the chart must notice when a promise is broken: each mutation here is made to a copy, whose tests must fail. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside the project, so that the copies find its dependencies.
const copies = mkdtempSync(join(root, 'node_modules', '.mutants-'));
afterAll(() => rmSync(copies, { recursive: true, force: true }));

/** Runs the tests of a copy, or those whose name has `name` in it, and returns the titles of those that failed. */
async function failuresOf(copy: string, name = ''): Promise<string[]> {
  const report = join(copy, 'report.json');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--root', copy, '--reporter=json', `--outputFile=${report}`, '--no-isolate', '-t', name];
  await promisify(execFile)(process.execPath, args, { cwd: copy }).catch(() => {});
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: { status: string; title: string }[] }[];
  };
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ title }) => title),
  );
}

let count = 0;
function copyWith(file?: string, original = '', mutant = ''): string {
  const copy = join(copies, String(++count));
  for (const part of ['machines', 'src', 'test/machines', 'test/golden', 'test/support']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  writeFileSync(
    join(copy, 'vitest.config.ts'),
    // Explored deeper, the copies would take too long.
    `export default { test: {
      include: ['test/{machines,golden}/*.test.ts'],
      env: { EXPLORE_DEPTH: '1', SCHEDULES: '500' },
    } };\n`,
  );
  if (file !== undefined) {
    const source = readFileSync(join(copy, file), 'utf8');
    expect(source.split(original).length - 1, `${JSON.stringify(original)} in ${file}`).toBe(1);
    writeFileSync(join(copy, file), source.replace(original, mutant));
  }
  return copy;
}

describe('a broken promise breaks a test', { timeout: 300_000, concurrent: true }, () => {
  it('nothing fails without a mutation', async () => {
    expect(await failuresOf(copyWith())).toEqual([]);
  });

  it.each([
    ['drop minUptime', 'machines/backoff.ts', 'return uptime >= policy.minUptime;', 'return uptime >= 0;', /^A1 /],
    ['swap > for >= in R4', 'machines/backoff.ts', 'now >= end : now > end', 'now >= end : now >= end', /^R4 /],
    [
      'grow the delay before the sleep',
      'machines/context.ts',
      'drawWait(policy, context.delay, world.random())',
      'drawWait(policy, Math.min(context.delay * policy.multiplier, policy.max), world.random())',
      /^R1-R8 /,
    ],
    [
      'give an attempt twice its timeout',
      'machines/backoff.ts',
      'Number.POSITIVE_INFINITY : policy.attemptTimeout',
      'Number.POSITIVE_INFINITY : 2 * policy.attemptTimeout',
      /^E /,
    ],
    [
      'let the last wait overrun a strict deadline',
      'machines/backoff.ts',
      'Math.min(retryAt, windowEnd(policy, retryStart)) : retryAt',
      'retryAt : retryAt',
      /^D2 /,
    ],
    ['make one attempt too many', 'machines/backoff.ts', 'attempt >= policy.max', 'attempt > policy.max', /^D5 /],
    ['retry now for ever', 'machines/context.ts', ' && !context.refreshed', '', /^A5 /],
    ['take uptime for health', 'machines/context.ts', 'isGated && !context.healthy', 'false', /^A4 /],
    [
      'skip closing a session whose attempt was aborted before it connected',
      'machines/ownership.ts',
      "  if (signal.aborted) {\n    lease.release('late');",
      '  if (signal.aborted) {',
      /^O2 B1 /,
    ],
    [
      'skip closing a session whose attempt was aborted a microtask after it connected',
      'machines/ownership.ts',
      "  signal.addEventListener('abort', () => lease.release('late'), { once: true });\n",
      '',
      /^O2 stopped /,
    ],
    [
      'leave the session of a stopped actor open',
      'machines/ownership.ts',
      "    signal.addEventListener('abort', () => lease.release('stopped'), { once: true });\n",
      '',
      /^O1 the actor is stopped/,
    ],
    [
      'take a timer that the process slept through for a verdict',
      'machines/liveness.ts',
      "          if (patient && now() - askedAt - within > OVERSLEPT_MS) return 'unknown';\n",
      '',
      /^C7 /,
    ],
    [
      'go on with a rotation that was stopped as its wait ended',
      'machines/rotation.ts',
      '  if (args.signal.aborted) abort();\n',
      '',
      /^C1 stopped in the very turn/,
    ],
    [
      'judge the session of a rotation by the window of the old one',
      'machines/context.ts',
      '...(events.isRotation(event) && isSessionStable(event, context) && { ...freshWindow(), attempt: 1 }),',
      '',
      /^R3 A1 with /,
    ],
    [
      'stay suspended after a stop',
      'machines/reconnect.ts',
      "['unwatchEnvironment', 'forgetEnvironment'] as const",
      "['unwatchEnvironment'] as const",
      /^H O5 /,
    ],
    ['count the time without a network', 'machines/context.ts', 'online && !suspended;', 'true;', /^I D /],
    [
      'count the time asleep while connected',
      'machines/reconnect.ts',
      '[...goOn.actions, ...probe]',
      "['noteEnvironment', ...probe]",
      /^D6 /,
    ],
    [
      'take an equal input for another one',
      'machines/reconnect.ts',
      "    { guard: 'isSameInput' },\n",
      '',
      /^I connected: an input that equals/,
    ],
    [
      'wait longer because the wall clock was set back',
      'machines/persistence.ts',
      'Math.max(0, world.wallNow() - saved.wall)',
      'world.wallNow() - saved.wall',
      /^C6 backing off /,
    ],
    ['set no limit to an attempt', 'machines/reconnect.ts', '          ...limit,\n', '', /^O1-O4 .*'resilient'/],
    [
      'count the time that was slept',
      'machines/context.ts',
      'events.endsAbsence(event, context) ? { retryStart: world.now() } : {}',
      '({})',
      /^D1 a window that is opened anew/,
    ],
    [
      'set no limit to an attempt that is begun while no window runs',
      'machines/context.ts',
      'isRunning(context) ? context.retryStart : world.now(), world.now()',
      'runningFrom(context, context.retryStart), world.now()',
      /^D1 an attempt that is begun without/,
    ],
    [
      'end what the server asked for with the window that cut it',
      'machines/reconnect.ts',
      "    { ...waitOn, actions: ['fitWait', 'emitRetrying'] },\n",
      '',
      /^A3 it is not over with the window/,
    ],
    [
      'hear what a source says as it is left',
      'machines/reconnect.ts',
      "['forgetEnvironment', 'watchEnvironment'] as const",
      "['watchEnvironment'] as const",
      /^H what a source said as it was left/,
    ],
    [
      'let a restored wait overrun a strict deadline',
      'machines/persistence.ts',
      'cutToWindow(policy, restored.retryStart, now + left)',
      'now + left',
      /^D2 a wait that was begun while no window ran/,
    ],
    [
      'wait as long after restoring as before saving',
      'machines/persistence.ts',
      '- saved.now - away)',
      '- saved.now)',
      /^O1-O4 .*'origin'/,
    ],
    [
      'leave the environment watched after giving up',
      'machines/reconnect.ts',
      "entry: ['emitFailed', ...unwatch]",
      "entry: ['emitFailed']",
      /^O1-O4 .*'environment'/,
    ],
    [
      'begin an attempt while suspended',
      'machines/reconnect.ts',
      "    { guard: 'isSuspended', actions: 'hold' },\n",
      '',
      /^O1-O4 .*'default'/,
    ],
    [
      'forget why it gave up later than it is forgotten',
      'machines/context.ts',
      '({ ...NO_WAIT, gaveUp: undefined })',
      'NO_WAIT',
      /^O1-O4 .*'default'/,
    ],
  ])('%s', async (_, file, original, mutant, broken) => {
    const failures = await failuresOf(copyWith(file, original, mutant), broken.source.slice(1));
    expect(failures.filter((title) => broken.test(title))).not.toEqual([]);
  });
});
