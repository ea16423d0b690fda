/** The app with two connections, run as people run it. */
import { expect, it } from 'vitest';
import { runExample } from '../support/example';

it('talks over the fallback while the primary server is down, and over the primary again once it is back', async () => {
  const { status, stdout, stderr } = await runExample('parent');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const routes = [...stdout.matchAll(/app +now (\w+)/gu)].map(([, route]) => route);
  // Whichever connects first is used first.
  expect(routes.filter((route) => route !== 'offline').slice(-3)).toEqual(['onPrimary', 'onFallback', 'onPrimary']);
  const [, primary, fallback] = /by the primary server (\d+), by the fallback (\d+)/u.exec(stdout) ?? [];
  expect(Number(primary)).toBeGreaterThanOrEqual(10);
  expect(Number(fallback)).toBeGreaterThanOrEqual(5);
});
