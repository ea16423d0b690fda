/** E: a `connect` that misbehaves, in front of a server that does not. */
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { AttemptTimeoutError, type ConnectArgs } from '../../src/index';
import { websocket } from '../../src/websocket';
import { keep, quiet, type Session, to } from '../support/connections';
import { faultServer } from '../support/servers';
import '../support/unhandled';

type Connect = (args: ConnectArgs<void>) => Session | PromiseLike<Session>;

/** A connection whose first attempt is `first`, and whose others are made to a real server. */
async function misbehaving(first: (dial: Connect) => Connect) {
  const server = await faultServer();
  const dial = to(server);
  const misbehave = first(dial);
  const attempts: { attempt: number; lastError: unknown }[] = [];
  const { connection, story } = keep({
    connect(args) {
      attempts.push({ attempt: args.attempt, lastError: args.lastError });
      return attempts.length === 1 ? misbehave(args) : dial(args);
    },
    backoff: { initial: 5 },
  });
  return { server, connection, story, attempts };
}

/** What became of the first attempt, once the second one has connected. */
async function failureOf(first: (dial: Connect) => Connect): Promise<unknown> {
  const { server, connection, story, attempts } = await misbehaving(first);
  const { error } = await story.next('retrying');
  const { socket } = await connection.connected();
  expect(socket.readyState).toBe(WebSocket.OPEN);
  expect(attempts).toEqual([
    { attempt: 1, lastError: undefined },
    { attempt: 2, lastError: error },
  ]);
  await quiet();
  expect({ dials: server.dials.length, failures: story.all('retrying').length }).toEqual({ dials: 1, failures: 1 });
  return error;
}

it('E1 connect throws synchronously: a failed attempt, and the next one connects', async () => {
  const error = new Error('no URL yet');
  const thrown = await failureOf(() => () => {
    throw error;
  });
  expect(thrown).toBe(error);
});

it.each([undefined, null, 'refused', Object.freeze({ code: 1 }), Object.freeze(new Error('frozen'))])(
  'E2 connect rejects with %o: a failed attempt with just that, and the next one connects',
  async (error) => {
    expect(await failureOf(() => () => Promise.reject(error))).toBe(error);
  },
);

it.each([
  ['undefined', undefined, 'undefined'],
  ['something without closed', {}, 'undefined'],
  ['something whose closed is a flag', { closed: false }, 'false'],
  ['something whose closed is a method', { closed: () => {} }, 'a function'],
])(
  'E3 connect resolves to %s: a failed attempt that says what was expected, and the next one connects',
  async (_, session, got) => {
    const error = await failureOf(() => async () => session as never);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain('connect: expected a session with a `closed` promise');
    expect(String(error)).toContain(`\`closed\` is ${got}`);
  },
);

describe('E4', () => {
  const backoff = { initial: 5, max: 5, timeout: 0, attemptTimeout: 60 };

  it('E4 the provider of the URL never answers: the attempt times out, and the next one asks again', async () => {
    const server = await faultServer();
    let asked = 0;
    const url = (): string | Promise<string> => {
      asked += 1;
      return asked === 1 ? new Promise<never>(() => {}) : server.url;
    };
    const { connection, story } = keep({ connect: websocket<void, WebSocket>(url, { WebSocket }), backoff });
    expect((await story.next('retrying')).error).toBeInstanceOf(AttemptTimeoutError);
    await connection.connected();
    expect(asked).toBeGreaterThan(1);
  });

  it('E4 the handshake never ends: the attempt times out, its socket is gone, and the next one connects', async () => {
    const server = await faultServer();
    server.treatNext({ kind: 'silence', after: 0 });
    const { connection, story } = keep({ connect: to(server), backoff });
    expect(await story.next('retrying')).toMatchObject({ attempt: 1, reason: 'attempt-timeout' });
    await server.dials[0]?.ended;
    await connection.connected();
  });

  it('E4 it never settles and nobody set a limit: a stop ends it, and so does a retry that asks for a restart', async () => {
    const server = await faultServer({ behaviour: { kind: 'silence', after: 12 } });
    const { connection } = keep({ connect: to(server) });
    const first = await server.nextDial();
    connection.retry();
    connection.retry({ restart: true });
    const second = await server.nextDial();
    await first.ended;
    connection.stop();
    await second.ended;
    await quiet();
    expect(server.dials).toHaveLength(2);
  });
});

describe('E5', () => {
  /** As libraries give that bring a promise of their own. */
  const thenable = (promise: Promise<Session>, settleTwice: boolean): PromiseLike<Session> => ({
    then(onResolve, onReject) {
      return promise.then(
        (session) => {
          onResolve?.(session);
          if (settleTwice) onReject?.(new Error('settled already'));
          return undefined as never;
        },
        (error: unknown) => {
          onReject?.(error);
          return undefined as never;
        },
      );
    },
  });

  it.each([false, true])(
    'E5 connect returns a thenable (that settles twice: %s): the first time counts',
    async (twice) => {
      const { server, connection, story } = await misbehaving(
        (dial) => (args) => thenable(Promise.resolve(dial(args)), twice),
      );
      const { socket } = await connection.connected();
      expect(socket.readyState).toBe(WebSocket.OPEN);
      await quiet();
      expect({ dials: server.dials.length, failures: story.all('retrying').length }).toEqual({ dials: 1, failures: 0 });
    },
  );

  it('E5 connect returns a thenable that rejects, or whose then throws: a failed attempt, and the next one connects', async () => {
    const error = new Error('refused');
    expect(await failureOf(() => () => thenable(Promise.reject(error), false))).toBe(error);
    const broken = (): PromiseLike<never> => ({
      then: () => {
        throw error;
      },
    });
    expect(await failureOf(() => broken)).toBe(error);
  });
});
