/** Fails a test that leaves an uncaught exception or an unhandled rejection behind. Import for effect. */
import { afterEach, expect } from 'vitest';

const unhandled: unknown[] = [];
const collect = (error: unknown): void => void unhandled.push(error);
process.on('unhandledRejection', collect);
process.on('uncaughtException', collect);

afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(unhandled.splice(0)).toEqual([]);
});
