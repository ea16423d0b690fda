/** Where errors go that change nothing in the chart. Rule O4. */
import type { ErrorSource, Report } from '../machines/lease';

/** Reports to `onError`, or to the console without one; never throws. */
export function reportTo(onError: Report = logError): Report {
  return (error, source) => {
    try {
      onError(error, source);
    } catch {
      // A reporter that throws has nobody left to be reported to.
    }
  };
}

function logError(error: unknown, source: ErrorSource): void {
  console.error(`xstate-reconnect: an error in ${source}`, error);
}
