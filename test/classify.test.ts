import type { TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  type ClassifyOptions,
  classifyCloseCode,
  classifyErrorCode,
  classifyHttpStatus,
  classifyUsual,
  parseRetryAfter,
  type Verdict,
} from '../src/classify';
import { Failure, ReconnectTimeoutError } from '../src/index';
import { type TcpOptions, tcp } from '../src/tcp';
import { websocket } from '../src/websocket';
import { attempt, rejection } from './support/attempts';
import {
  afterTest,
  certificate,
  closedPort,
  httpServer,
  tcpServer,
  tlsServer,
  webSocketServer,
} from './support/servers';
import './support/unhandled';

/** The verdict on a failed attempt, or on a session's end: nothing of the usual ones depends on which. */
function usual(error: unknown, options?: ClassifyOptions): Verdict {
  return classifyUsual(options)({ error, attempt: 1, phase: 'connect', uptime: 0 });
}

const fresh = { refreshesToken: true };

describe('parseRetryAfter', () => {
  // Wed, 21 Oct 2026 07:27:30 GMT
  const now = Date.UTC(2026, 9, 21, 7, 27, 30);

  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
    ['31536000000', 31_536_000_000_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 30_000],
    ['Wednesday, 21-Oct-26 07:28:00 GMT', 30_000],
    ['Wed Oct 21 07:28:00 2026', 30_000],
    ['Sun Nov  1 07:27:30 2026', 11 * 86_400_000],
    ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
  ])('reads %j', (header, ms) => {
    expect(parseRetryAfter(header, now)).toBe(ms);
  });

  it('RFC 9110 5.6.7 takes a year of two digits for one that is at most fifty years ahead', () => {
    expect(parseRetryAfter('Sunday, 06-Nov-94 08:49:37 GMT', now)).toBe(0);
    expect(parseRetryAfter('Wednesday, 21-Oct-75 07:27:30 GMT', now)).toBe(Date.UTC(2075, 9, 21, 7, 27, 30) - now);
  });

  it('measures a date against the clock by default', () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const ms = parseRetryAfter(date);
    expect(ms).toBeLessThanOrEqual(3_600_000);
    expect(ms).toBeGreaterThan(0);
  });

  it.each([
    null,
    undefined,
    '',
    ' ',
    '-5',
    '1.5',
    '1e3',
    '0x10',
    '5s',
    '5, 10',
    'soon',
    '2026-10-21T07:28:00Z',
    'Wed, 21 Okt 2026 07:28:00 GMT',
    'Wed, 99 Oct 2026 07:28:00 GMT',
    'Wed, 21 Oct 2026 07:28:00 +0200',
    '9'.repeat(400),
  ])('takes %j for neither form', (header) => {
    expect(parseRetryAfter(header, now)).toBeUndefined();
  });
});

describe('classifyHttpStatus', () => {
  it.each([301, 302, 307, 308, 400, 403, 404, 405, 407, 410, 413, 426, 451, 499])('%i gives up', (status) => {
    expect(classifyHttpStatus(status)).toBe('give-up');
    expect(classifyHttpStatus(status, undefined, fresh)).toBe('give-up');
  });

  it.each([200, 204, 408, 425, 429, 500, 501, 502, 503, 504, 511, 599])('%i retries', (status) => {
    expect(classifyHttpStatus(status)).toBe('retry');
  });

  it('401 gives up, unless the token is refreshed', () => {
    expect(classifyHttpStatus(401)).toBe('give-up');
    expect(classifyHttpStatus(401, undefined, { refreshesToken: false })).toBe('give-up');
    expect(classifyHttpStatus(401, undefined, fresh)).toBe('retry-now');
  });

  it('waits as long as the server asked, in ms or in the words of its header, also where it would have given up', () => {
    expect(classifyHttpStatus(429, 1_500)).toEqual({ retryAfter: 1_500 });
    expect(classifyHttpStatus(503, '2')).toEqual({ retryAfter: 2_000 });
    expect(classifyHttpStatus(503, 'Sun, 06 Nov 1994 08:49:37 GMT')).toEqual({ retryAfter: 0 });
    expect(classifyHttpStatus(403, '60')).toEqual({ retryAfter: 60_000 });
    expect(classifyHttpStatus(401, '60', fresh)).toEqual({ retryAfter: 60_000 });
  });

  it('does not wait for the end of a redirect that nobody follows', () => {
    expect(classifyHttpStatus(302, '60')).toBe('give-up');
  });

  it.each([null, undefined, 'soon', Number.NaN, -1, Number.POSITIVE_INFINITY])('a wait of %j says nothing', (wait) => {
    expect(classifyHttpStatus(503, wait)).toBe('retry');
    expect(classifyHttpStatus(404, wait)).toBe('give-up');
  });
});

describe('classifyCloseCode', () => {
  it.each([
    [1002, 'protocol error'],
    [1003, 'unsupported data'],
    [1007, 'invalid payload data'],
    [1009, 'message too big'],
    [1010, 'mandatory extension'],
    [1015, 'TLS handshake failed'],
    [3003, 'forbidden'],
    [4400, 'bad request'],
    [4403, 'forbidden'],
    [4404, 'not found'],
    [4406, 'subprotocol not acceptable'],
    [4409, 'conflict'],
    [4410, 'gone'],
  ])('%i, %s, gives up', (code) => {
    expect(classifyCloseCode(code)).toBe('give-up');
    expect(classifyCloseCode(code, fresh)).toBe('give-up');
  });

  it.each([
    [1008, 'policy violation'],
    [3000, 'unauthorized'],
    [4401, 'unauthorized'],
  ])('%i, %s, gives up, unless the token is refreshed', (code) => {
    expect(classifyCloseCode(code)).toBe('give-up');
    expect(classifyCloseCode(code, fresh)).toBe('retry-now');
  });

  it.each([
    [1000, 'normal closure'],
    [1001, 'going away'],
    [1005, 'no status received'],
    [1006, 'abnormal closure'],
    [1011, 'internal error'],
    [1012, 'service restart'],
    [1013, 'try again later'],
    [1014, 'bad gateway'],
    [3008, 'timeout'],
    [4408, 'request timeout'],
    [4429, 'too many requests'],
    [4000, 'whatever was agreed on'],
    [4500, 'whatever was agreed on'],
  ])('%i, %s, retries', (code) => {
    expect(classifyCloseCode(code)).toBe('retry');
  });
});

describe('classifyErrorCode', () => {
  it.each([
    'CERT_HAS_EXPIRED',
    'CERT_REVOKED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    // As Node 20 and Node 22 name the same alert.
    'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'ERR_SSL_UNSUPPORTED_PROTOCOL',
  ])('%s gives up', (code) => {
    expect(classifyErrorCode(code)).toBe('give-up');
  });

  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EPIPE',
    'EAI_AGAIN',
    'ENOTFOUND',
    'UND_ERR_CONNECT_TIMEOUT',
    'ERR_TLS_HANDSHAKE_TIMEOUT',
    'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
    // Time mends it: the device has not set its clock, or the certificate starts tomorrow.
    'CERT_NOT_YET_VALID',
    '',
  ])('%j retries', (code) => {
    expect(classifyErrorCode(code)).toBe('retry');
  });
});

describe('classifyUsual, with real servers', () => {
  it.each([
    [1000, 'retry', 'retry'],
    [1002, 'give-up', 'give-up'],
    [1008, 'give-up', 'retry-now'],
    [1011, 'retry', 'retry'],
    [1012, 'retry', 'retry'],
    [1013, 'retry', 'retry'],
    [3000, 'give-up', 'retry-now'],
    [3003, 'give-up', 'give-up'],
    [4401, 'give-up', 'retry-now'],
    [4403, 'give-up', 'give-up'],
    [4429, 'retry', 'retry'],
  ])('a session closed with %i: %s, or %s with a fresh token', async (code, plain, refreshed) => {
    const server = await webSocketServer((peer) => peer.close(code));
    const session = await websocket(`ws://127.0.0.1:${server.port}`, { WebSocket })(attempt());
    const end = await session.closed;
    expect(end.code).toBe(code);
    expect(usual(end)).toBe(plain);
    expect(usual(end, fresh)).toBe(refreshed);
  });

  it('a session that was lost: retry', async () => {
    const server = await webSocketServer((peer) => peer.terminate());
    const session = await websocket(`ws://127.0.0.1:${server.port}`, { WebSocket })(attempt());
    expect(usual(await session.closed)).toBe('retry');
  });

  const answers: [status: number, header: string | undefined, plain: Verdict, refreshed: Verdict][] = [
    [401, undefined, 'give-up', 'retry-now'],
    [403, undefined, 'give-up', 'give-up'],
    [404, undefined, 'give-up', 'give-up'],
    [429, '3', { retryAfter: 3_000 }, { retryAfter: 3_000 }],
    [503, undefined, 'retry', 'retry'],
    [503, 'Sun, 06 Nov 1994 08:49:37 GMT', { retryAfter: 0 }, { retryAfter: 0 }],
  ];

  it.each(answers)('an upgrade answered with %i and Retry-After %j', async (status, header, plain, refreshed) => {
    const server = await httpServer((_, response) => {
      response.writeHead(status, header === undefined ? {} : { 'retry-after': header }).end();
    });
    const error = await rejection(websocket(`ws://127.0.0.1:${server.port}`, { WebSocket })(attempt()));
    expect(usual(error)).toEqual(plain);
    expect(usual(error, fresh)).toEqual(refreshed);
  });

  it.each(answers)('a fetch answered with %i and Retry-After %j', async (status, header, plain, refreshed) => {
    const server = await httpServer((_, response) => {
      const headers = header === undefined ? {} : { 'retry-after': header };
      response.writeHead(status, { ...headers, connection: 'close' }).end();
    });
    const response = await fetch(`http://127.0.0.1:${server.port}`);
    await response.arrayBuffer();
    const thrown = [response, { response }, new Error('no token', { cause: response })];
    expect(thrown.map((error) => usual(error))).toEqual([plain, plain, plain]);
    expect(thrown.map((error) => usual(error, fresh))).toEqual([refreshed, refreshed, refreshed]);
  });

  it('nobody listens: retry, whichever client says so', async () => {
    const port = await closedPort();
    const errors = [
      await rejection(tcp({ host: '127.0.0.1', port })(attempt())),
      await rejection(tcp({ host: 'localhost', port })(attempt())),
      await rejection(websocket(`ws://localhost:${port}`, { WebSocket })(attempt())),
      await rejection(fetch(`http://127.0.0.1:${port}`)),
    ];
    expect(errors.map((error) => usual(error))).toEqual(['retry', 'retry', 'retry', 'retry']);
  });

  const trusting = { ca: certificate.cert };
  it.each<[what: string, server: TlsOptions, client: NonNullable<TcpOptions['tls']>]>([
    ['its certificate is self-signed', {}, true],
    ['its certificate is of another name', {}, { ...trusting, servername: 'other.example' }],
    ['it speaks no version of TLS that we do', { minVersion: 'TLSv1.3' }, { ...trusting, maxVersion: 'TLSv1.2' }],
    ['it wants a certificate of ours', { requestCert: true, maxVersion: 'TLSv1.2' }, trusting],
  ])('a TLS server: %s: give-up', async (_, options, secure) => {
    const server = await tlsServer(undefined, 0, options);
    const error = await rejection(tcp({ host: '127.0.0.1', port: server.port, tls: secure })(attempt()));
    expect(usual(error)).toBe('give-up');
  });

  it('a TLS 1.3 server that wants a certificate of ours ends the session it had begun: give-up', async () => {
    const server = await tlsServer(undefined, 0, { requestCert: true, minVersion: 'TLSv1.3' });
    const session = await tcp({ host: '127.0.0.1', port: server.port, tls: trusting })(attempt());
    session.socket.resume();
    expect(usual(await session.closed)).toBe('give-up');
  });

  it('a TLS server whose certificate is self-signed, through a WebSocket: give-up', async () => {
    const server = await tlsServer();
    expect(usual(await rejection(websocket(`wss://localhost:${server.port}`, { WebSocket })(attempt())))).toBe(
      'give-up',
    );
  });

  it('a server that speaks no TLS: give-up; one that hangs up on it: retry', async () => {
    const plain = await tcpServer((peer) => peer.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const closing = await tcpServer((peer) => peer.destroy());
    const verdictOf = async (port: number): Promise<Verdict> =>
      usual(await rejection(tcp({ host: '127.0.0.1', port, tls: true })(attempt())));
    expect(await verdictOf(plain.port)).toBe('give-up');
    expect(await verdictOf(closing.port)).toBe('retry');
  });

  it('a TCP session that was reset: retry', async () => {
    const server = await tcpServer();
    const session = await tcp({ host: '127.0.0.1', port: server.port })(attempt());
    afterTest(() => session.socket.destroy());
    const peer = await server.peers.next();
    peer.resetAndDestroy();
    expect(usual(await session.closed)).toBe('retry');
  });
});

describe('classifyUsual, by shape', () => {
  const expired = Object.assign(new Error('expired'), { code: 'CERT_HAS_EXPIRED' });
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const busy = { status: 503, headers: { 'retry-after': '5' } };

  it.each([undefined, null, 0, 401, 'CERT_HAS_EXPIRED', Symbol('x'), 1n, () => expired, {}, new Error('x'), []])(
    'E nothing to go by in %o: retry',
    (error) => {
      expect(usual(error)).toBe('retry');
    },
  );

  it('looks through causes, errors and wrappers', () => {
    expect(usual(new Error('a', { cause: new Error('b', { cause: expired }) }))).toBe('give-up');
    expect(usual({ error: expired })).toBe('give-up');
    expect(usual(new Failure(expired))).toBe('give-up');
    expect(usual(new ReconnectTimeoutError(1_000, { code: 4403 }))).toBe('give-up');
  });

  it('reads statuses and headers as clients of HTTP give them', () => {
    expect(usual({ statusCode: 404 })).toBe('give-up');
    expect(usual({ status: 'closed', statusCode: 404 })).toBe('give-up');
    expect(usual(busy)).toEqual({ retryAfter: 5_000 });
    expect(usual({ status: 503, headers: new Headers({ 'Retry-After': '5' }) })).toEqual({ retryAfter: 5_000 });
    expect(usual({ status: 429, retryAfter: 250 })).toEqual({ retryAfter: 250 });
    expect(usual({ status: 429, retryAfter: '2' })).toEqual({ retryAfter: 2_000 });
    expect(usual({ code: 'ERR_BAD_RESPONSE', status: 503, response: busy })).toEqual({ retryAfter: 5_000 });
  });

  it('takes for a status or a close code only what can be one', () => {
    for (const error of [{ status: 200 }, { status: 4_030 }, { status: 403.5 }, { status: '403' }, { code: 20 }]) {
      expect(usual(error), JSON.stringify(error)).toBe('retry');
    }
    // What says nothing does not hide what does.
    expect(usual({ status: 200, code: 20, cause: expired })).toBe('give-up');
  });

  it('gives up on several errors only when all of them are final', () => {
    expect(usual(new AggregateError([expired, { status: 403 }]))).toBe('give-up');
    expect(usual(new AggregateError([expired, refused]))).toBe('retry');
    expect(usual(new AggregateError([expired, busy]))).toEqual({ retryAfter: 5_000 });
    expect(usual(new AggregateError([expired, 'unknown']))).toBe('retry');
    expect(usual(new AggregateError([]))).toBe('retry');
    expect(usual(new Error('x', { cause: new AggregateError([expired, expired]) }))).toBe('give-up');
  });

  it('O4 survives hostile errors: cyclic, endless, throwing, revoked', () => {
    const cyclic: { cause?: unknown; errors?: unknown[] } = {};
    cyclic.cause = cyclic;
    cyclic.errors = [cyclic, cyclic, expired];
    let read = 0;
    const endless = {
      get cause() {
        read += 1;
        return Object.create(endless);
      },
      get errors() {
        read += 1;
        return [Object.create(endless), Object.create(endless)];
      },
    };
    const throwing = new Proxy(
      {},
      {
        get() {
          throw new Error('hands off');
        },
      },
    );
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    const lying = { status: 429, headers: { get: () => ({ trim: 1 }) } };
    const rejecting = { status: 503, headers: { get: () => Promise.resolve('5') } };
    const hostile = [cyclic, endless, throwing, revoked, lying, rejecting, { errors: revoked }, Object.create(null)];
    expect(hostile.map((error) => usual(error))).toEqual(hostile.map(() => 'retry'));
    expect(read).toBeLessThan(200);
  });
});
