/** What the chart cannot make by itself. */
import type { Report } from './lease';

/** None of these may throw. */
export interface World {
  /** Monotonic time in milliseconds. Always finite. */
  now: () => number;
  /** Milliseconds since the epoch: what a person or another process can make sense of. Nothing waits for it. */
  wallNow: () => number;
  /** A draw from 0 up to, but not including, 1. */
  random: () => number;
  /** Is told of errors in user code that change nothing in the chart (rule O4). */
  report: Report;
}
