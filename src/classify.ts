/** What the usual failures mean: ready-made answers for `classify`, from close codes, HTTP statuses and TLS errors. */
import type { Classify, Verdict } from '../machines/classification';
import { parseRetryAfter } from './retry-after';

export type { Classify, FailureFacts, Verdict } from '../machines/classification';
export { parseRetryAfter } from './retry-after';

export interface ClassifyOptions {
  /**
   * Whether `connect` gets itself a fresh token once the old one was refused. `unauthorized` then means `retry-now`. Default
   * false: it means `give-up`, since the same token would be refused again.
   */
  refreshesToken?: boolean;
}

/** Temporary by their definition: request timeout (RFC 9110), too early (RFC 8470), too many requests (RFC 6585). */
const TEMPORARY_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * What an HTTP status means that answered instead of a session.
 *
 * | status | verdict | why |
 * |---|---|---|
 * | 400 and up, with `retryAfter` | `{ retryAfter }` | the server says when to come again (RFC 9110 section 10.2.3); some say so with 403 or 413 |
 * | 401 | `give-up`, or `retry-now` with `refreshesToken` | the same credentials would be refused again (RFC 9110 section 15.5.2) |
 * | 408, 425, 429 | `retry` | temporary by their definition |
 * | 3xx, other 4xx | `give-up` | a redirect nobody followed, or an error of this side: the same request gets the same answer |
 * | 5xx, anything else | `retry` | an error of the server's side |
 *
 * @param retryAfter what the server asked to wait: ms as a number, or the text of its `Retry-After` header.
 */
export function classifyHttpStatus(
  status: number,
  retryAfter?: number | string | null,
  { refreshesToken = false }: ClassifyOptions = {},
): Verdict {
  const wait = typeof retryAfter === 'string' ? parseRetryAfter(retryAfter) : retryAfter;
  if (status >= 400 && typeof wait === 'number' && Number.isFinite(wait) && wait >= 0) return { retryAfter: wait };
  if (status === 401 && refreshesToken) return 'retry-now';
  const isFinal = status >= 300 && status < 500 && !TEMPORARY_STATUSES.has(status);
  return isFinal ? 'give-up' : 'retry';
}

/**
 * Close codes that stand for an HTTP status. 3000 and 3003 by their registration with IANA; those from 4400 by the convention of
 * adding 4000, as graphql-ws and others follow it. 1008 is all that many servers have for a refused or expired token.
 */
const STATUS_OF_CLOSE_CODE: Readonly<Record<number, number>> = {
  1008: 401,
  3000: 401,
  3003: 403,
  4400: 400,
  4401: 401,
  4403: 403,
  4404: 404,
  4406: 406,
  4409: 409,
  4410: 410,
};

/** What this side speaks or needs was refused, and it would be again (RFC 6455 section 7.4.1). 1015: a failed TLS handshake. */
const FINAL_CLOSE_CODES: ReadonlySet<number> = new Set([1002, 1003, 1007, 1009, 1010, 1015]);

/**
 * What the close code of a WebSocket means.
 *
 * | code | verdict | why |
 * |---|---|---|
 * | 1002, 1003, 1007, 1009, 1010 | `give-up` | what this side sends or needs was refused, and would be again (RFC 6455 section 7.4.1) |
 * | 1015 | `give-up` | the TLS handshake failed: see {@link classifyErrorCode} |
 * | 1008, 3000, 4401 | `give-up`, or `retry-now` with `refreshesToken` | unauthorized; 1008 (policy violation) is what many servers say for it |
 * | 3003, 4400, 4403, 4404, 4406, 4409, 4410 | `give-up` | as the HTTP statuses they are named after |
 * | 1000, 1001, 1005, 1006, 1011 to 1014 | `retry` | the server or the network went away, restarts or is overloaded; proxies say 1000 too |
 * | anything else | `retry` | it means what the two sides have agreed on, which nobody told this package |
 */
export function classifyCloseCode(code: number, options?: ClassifyOptions): Verdict {
  const status = STATUS_OF_CLOSE_CODE[code];
  if (status !== undefined) return classifyHttpStatus(status, undefined, options);
  return FINAL_CLOSE_CODES.has(code) ? 'give-up' : 'retry';
}

/**
 * The certificate was refused by this side: Node's list of X509 error codes, but for `OUT_OF_MEM` and for what is not valid *yet*,
 * which time mends, most often on a device that has not set its clock.
 */
const CERTIFICATE_ERRORS: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CRL_SIGNATURE_FAILURE',
  'CERT_HAS_EXPIRED',
  'CRL_HAS_EXPIRED',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'INVALID_CA',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_PURPOSE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * The handshake was refused: the two sides have no version, cipher or protocol in common, the other side speaks no TLS, or it does
 * not take our certificate (the alerts of RFC 8446 section 6.2). Patterns, because OpenSSL renames: Node 20 says
 * `ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE`, Node 22 `ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE`.
 */
const HANDSHAKE_ERRORS = [
  /^ERR_SSL_(?:WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL)$/u,
  /^ERR_SSL_.+_ALERT_(?:HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|PROTOCOL_VERSION|NO_APPLICATION_PROTOCOL)$/u,
  /^ERR_SSL_.+_ALERT_(?:(?:BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_(?:EXPIRED|REQUIRED|REVOKED|UNKNOWN))$/u,
  /^ERR_SSL_.+_ALERT_(?:ACCESS_DENIED|UNKNOWN_CA)$/u,
];

/**
 * What the `code` of a Node error means.
 *
 * | code | verdict | why |
 * |---|---|---|
 * | `CERT_HAS_EXPIRED`, `DEPTH_ZERO_SELF_SIGNED_CERT`, `ERR_TLS_CERT_ALTNAME_INVALID` and the like | `give-up` | the certificate is refused until somebody changes it |
 * | `ERR_SSL_WRONG_VERSION_NUMBER`, `ERR_SSL_..._ALERT_HANDSHAKE_FAILURE` and the like | `give-up` | the two sides cannot agree on TLS, or ours is not let in |
 * | `ECONNREFUSED`, `ECONNRESET`, `ETIMEDOUT`, `EAI_AGAIN`, `ENOTFOUND`, anything else | `retry` | networks, servers and name servers come back |
 */
export function classifyErrorCode(code: string): Verdict {
  const isFinal = CERTIFICATE_ERRORS.has(code) || HANDSHAKE_ERRORS.some((pattern) => pattern.test(code));
  return isFinal ? 'give-up' : 'retry';
}

/** Causes may be cyclic, and those of a hostile error endless. */
const MAX_ERRORS_READ = 50;

/**
 * A `classify` for the usual failures, by the shape of the error. The first of these that says something decides:
 *
 * 1. `response`, as clients of HTTP add it to their errors: the same rules for it
 * 2. `status` or `statusCode` from 300 to 599, as of a `WebSocketConnectError` or a `Response` that was thrown:
 *    {@link classifyHttpStatus}, with its `retryAfter` in ms or its header `Retry-After`
 * 3. `code`, a number from 1000 to 4999, as of a `WebSocketClosed` or a `CloseEvent`: {@link classifyCloseCode}
 * 4. `code`, a text, as of a `TcpConnectError`: {@link classifyErrorCode}, if it says `give-up`
 * 5. `errors`, as of an `AggregateError`: `give-up` if that is what all of them mean, else the first other verdict
 * 6. `cause`, then `error`: the same rules for it
 *
 * Anything else is `retry`. Never throws, whatever was thrown.
 */
export function classifyUsual(options?: ClassifyOptions): Classify {
  return ({ error }) => {
    try {
      return judge(error, { options, left: MAX_ERRORS_READ }) ?? 'retry';
    } catch {
      // A getter of the error's threw.
      return 'retry';
    }
  };
}

interface Reading {
  readonly options: ClassifyOptions | undefined;
  /** How many more errors may be read. */
  left: number;
}

/** The verdict on one error; undefined when there is nothing to go by. */
function judge(value: unknown, reading: Reading): Verdict | undefined {
  const error = asRecord(value);
  if (error === undefined || reading.left === 0) return undefined;
  reading.left -= 1;
  return (
    judge(error['response'], reading) ??
    judgeStatus(error, reading) ??
    judgeCode(error['code'], reading) ??
    judgeAll(error['errors'], reading) ??
    judge(error['cause'], reading) ??
    judge(error['error'], reading)
  );
}

function judgeStatus(error: Readonly<Record<string, unknown>>, { options }: Reading): Verdict | undefined {
  const status = [error['status'], error['statusCode']].find((value) => isWithin(value, 300, 599));
  return status === undefined ? undefined : classifyHttpStatus(status, retryAfterOf(error), options);
}

function judgeCode(code: unknown, { options }: Reading): Verdict | undefined {
  if (isWithin(code, 1_000, 4_999)) return classifyCloseCode(code, options);
  return typeof code === 'string' && classifyErrorCode(code) === 'give-up' ? 'give-up' : undefined;
}

function judgeAll(errors: unknown, reading: Reading): Verdict | undefined {
  if (!Array.isArray(errors) || errors.length === 0) return undefined;
  const verdicts = errors.slice(0, MAX_ERRORS_READ).map((error) => judge(error, reading) ?? 'retry');
  return verdicts.find((verdict) => verdict !== 'give-up') ?? 'give-up';
}

/** What the server asked to wait: ms, or its header as it came. */
function retryAfterOf({ retryAfter, headers }: Readonly<Record<string, unknown>>): number | string | undefined {
  if (typeof retryAfter === 'number' || typeof retryAfter === 'string') return retryAfter;
  const fields = asRecord(headers);
  const header = typeof fields?.['get'] === 'function' ? fields['get']('retry-after') : fields?.['retry-after'];
  return typeof header === 'string' ? header : undefined;
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  // Any property may be asked for, and may be anything.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}
