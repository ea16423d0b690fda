/** Fails a test that leaves an uncaught exception or an unhandled rejection behind. Import for effect. */
import { afterEach, expect } from 'vitest';
import { strayErrors } from './stray-errors';

afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(strayErrors.splice(0)).toEqual([]);
});
