/** The HTTP header `Retry-After` (RFC 9110 section 10.2.3): how long a server asks to be left alone. */

const FIFTY_YEARS_MS = 50 * 365.25 * 86_400_000;

/** An HTTP-date: the form of today, and the two older ones that must still be read (RFC 9110 section 5.6.7). */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/u,
  /^[A-Z][a-z]+day, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/u,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/u,
];

/**
 * Reads a `Retry-After` header in both of its forms: a number of seconds (`120`) and a date (`Wed, 21 Oct 2026 07:28:00 GMT`).
 *
 * @param header what `headers.get('retry-after')` gave; null or undefined when there was none.
 * @param now the time a date is measured against, in ms since the epoch. Default: `Date.now()`.
 * @returns how long to wait, in ms; 0 for a date in the past, undefined for anything that is neither form.
 */
export function parseRetryAfter(header: string | null | undefined, now: number = Date.now()): number | undefined {
  const text = header?.trim() ?? '';
  const ms = /^\d+$/u.test(text) ? Number(text) * 1_000 : parseHttpDate(text, now) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Milliseconds since the epoch; NaN for what is no HTTP-date. */
function parseHttpDate(text: string, now: number): number {
  for (const form of HTTP_DATES) {
    const { day = '', month, year = '', time } = form.exec(text)?.groups ?? {};
    if (month === undefined) continue;
    const inYear = (fullYear: string): number => Date.parse(`${day.trim()} ${month} ${fullYear} ${time} GMT`);
    if (year.length === 4) return inYear(year);
    // A year of two digits is one of the past when it would otherwise be more than fifty years ahead.
    const date = inYear(`20${year}`);
    return date - now > FIFTY_YEARS_MS ? inYear(`19${year}`) : date;
  }
  return Number.NaN;
}
