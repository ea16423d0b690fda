/** The options whose state spaces are explored: each feature by itself, and all of them together. */
import { type Backoff, defaultBackoff, originBackoff, resilientBackoff } from '../../../src/index';

/** What a machine is made with. User code is said to be there, and brought by the world. */
export interface OptionSet {
  readonly name: string;
  readonly backoff: Partial<Backoff>;
  readonly autoStart?: boolean;
  readonly classify?: boolean;
  readonly healthy?: 'event' | 'promise';
  readonly liveness?: { readonly every: number; readonly within: number };
  readonly maxSessionAge?: number;
  readonly environment?: boolean;
  /** The shortest way to `failed`. Default: the first attempt fails, and everything sleeps until its window is over. */
  readonly wayToFailed?: readonly string[];
}

/** Short, so that delays reach their maximum and windows their end within a few steps. */
const brief = { max: 4_000, timeout: 9_000 };
const liveness = { every: 2_000, within: 1_500 };

export const optionSets: readonly OptionSet[] = [
  { name: 'origin', backoff: originBackoff },
  { name: 'default', backoff: { ...defaultBackoff, ...brief }, autoStart: true },
  { name: 'resilient', backoff: { ...resilientBackoff, ...brief, attemptTimeout: 3_000, maxAttempts: 4 } },
  { name: 'classify', backoff: { ...brief, deadline: 'strict', maxAttempts: 3 }, classify: true },
  { name: 'healthy-event', backoff: brief, healthy: 'event' },
  { name: 'healthy-promise', backoff: brief, healthy: 'promise' },
  { name: 'liveness', backoff: brief, liveness },
  { name: 'rotation', backoff: { ...brief, attemptTimeout: 3_000 }, maxSessionAge: 20_000 },
  {
    name: 'environment',
    backoff: { ...brief, timeout: 3_000, deadline: 'strict' },
    environment: true,
    wayToFailed: ['start', 'fail', 'next', 'fail', 'next'],
  },
  {
    name: 'everything',
    backoff: { ...resilientBackoff, ...brief, attemptTimeout: 3_000, maxAttempts: 4, jitter: 'decorrelated' },
    classify: true,
    healthy: 'promise',
    liveness,
    maxSessionAge: 20_000,
    environment: true,
    wayToFailed: ['start', 'fail!classify=give-up'],
  },
];
