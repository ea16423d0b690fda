/** B: results that come when nobody wants them any more. */
import { describe, expect, it } from 'vitest';
import type { AnyActorRef } from 'xstate';
import type { CloseReason, ConnectArgs, ReconnectEvent } from '../../src/index';
import { createVirtualClock } from '../../src/testing/index';
import { keep, quiet, type Session, to } from '../support/connections';
import type { FaultServer } from '../support/fault-server';
import { Queue } from '../support/queue';
import { faultServer } from '../support/servers';
import '../support/unhandled';

const QUICK = { initial: 10, max: 10, timeout: 0 };
const PATIENCE = { timeout: 30_000 };

/** A `connect` that does not look at its signal, as careless code does. */
function careless(server: FaultServer) {
  const connect = to(server);
  return (args: object): Promise<Session> =>
    connect({ ...(args as ConnectArgs<void>), signal: new AbortController().signal });
}

/** The same; and its first session, open as it is, is kept back until the test lets go of it. */
function holdFirst(server: FaultServer) {
  const dial = careless(server);
  let letGo!: () => void;
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const opened = new Queue<Session>();
  let calls = 0;
  const connect = async (args: object): Promise<Session> => {
    calls += 1;
    const isFirst = calls === 1;
    const session = await dial(args);
    if (isFirst) {
      opened.push(session);
      await released;
    }
    return session;
  };
  return { connect, first: opened.next(), letGo };
}

/** A close that writes down why. */
function recordCloses() {
  const closes: [Session, CloseReason][] = [];
  const close = (session: Session, reason: CloseReason): void => {
    closes.push([session, reason]);
    session.close();
  };
  const reasonsFor = (session: Session): CloseReason[] =>
    closes.filter(([closed]) => closed === session).map(([, reason]) => reason);
  return { close, reasonsFor };
}

/** Every session that was ever shown in a snapshot. */
function watch({ actor }: { actor: AnyActorRef }): Set<Session> {
  const seen = new Set<Session>();
  actor.subscribe(({ context: { session } }: { context: { session: Session | undefined } }) => {
    if (session !== undefined) seen.add(session);
  });
  return seen;
}

describe('connect resolves after', () => {
  it('B1 connect resolves after stop: the session is closed and never shown', async () => {
    const server = await faultServer();
    const { connect, first, letGo } = holdFirst(server);
    const { close, reasonsFor } = recordCloses();
    const { connection } = keep({ connect, close });
    const seen = watch(connection);
    const session = await first;
    connection.actor.send({ type: 'stop' });
    letGo();
    await (await server.nextDial()).ended;
    expect(reasonsFor(session)).toEqual(['late']);
    expect(seen).toEqual(new Set());
    expect(connection.snapshot.value).toBe('idle');
  });

  it('B2 connect resolves after its attempt timed out: the session is closed and never shown, another one is', async () => {
    const server = await faultServer();
    const { connect, first, letGo } = holdFirst(server);
    const { close, reasonsFor } = recordCloses();
    const { connection, story } = keep({ connect, close, backoff: { ...QUICK, attemptTimeout: 50 } });
    const seen = watch(connection);
    const session = await first;
    expect(await story.next('retrying')).toMatchObject({
      attempt: 1,
      reason: 'attempt-timeout',
      error: { message: 'the attempt timed out after 50ms' },
    });
    await connection.connected();
    letGo();
    await server.dials[0]?.ended;
    expect(reasonsFor(session)).toEqual(['late']);
    expect(seen).not.toContain(session);
    expect(connection.snapshot.value).toBe('connected');
    await expect.poll(() => server.open.length, PATIENCE).toBe(1);
  });

  it('B3 connect resolves after it gave up: the session is closed and never shown', async () => {
    const server = await faultServer();
    const { connect, first, letGo } = holdFirst(server);
    const { close, reasonsFor } = recordCloses();
    const { connection, story } = keep({ connect, close, backoff: { deadline: 'strict', timeout: 30 } });
    const seen = watch(connection);
    const session = await first;
    await story.next('failed');
    letGo();
    await (await server.nextDial()).ended;
    expect(reasonsFor(session)).toEqual(['late']);
    expect(seen).toEqual(new Set());
    expect(connection.snapshot.value).toBe('failed');
    expect(server.dials).toHaveLength(1);
  });

  it.each([
    ['retry', { type: 'retry', restart: true }],
    ['a changed input', { type: 'update', input: 'another' }],
  ] satisfies [string, ReconnectEvent<string>][])(
    'B4 connect resolves after %s: the session is closed and never shown, another one is',
    async (_, event) => {
      const server = await faultServer();
      const { connect, first, letGo } = holdFirst(server);
      const { close, reasonsFor } = recordCloses();
      const { connection } = keep<Session, string>({ connect, close, input: 'one' });
      const seen = watch(connection);
      const session = await first;
      connection.actor.send(event);
      const second = await connection.connected();
      letGo();
      await server.dials[0]?.ended;
      expect(reasonsFor(session)).toEqual(['late']);
      expect(seen).toEqual(new Set([second]));
      expect({ dials: server.dials.length, open: server.open.length }).toEqual({ dials: 2, open: 1 });
    },
  );
});

/** A dial whose handshake stalls, so that the test decides when it fails. Tells how it did. */
async function stalled(server: FaultServer) {
  server.treatNext({ kind: 'silence', after: 0 });
  const dial = careless(server);
  const outcomes: Promise<unknown>[] = [];
  const connect = (args: object): Promise<Session> => {
    const attempt = dial(args);
    outcomes.push(
      attempt.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    return attempt;
  };
  const { connection, story } = keep({ connect, backoff: QUICK });
  const first = await server.nextDial();
  return { connection, story, first, outcomes };
}

it('B5 a late rejection: no state change, no unhandled rejection', async () => {
  const server = await faultServer();
  const { connection, story, first, outcomes } = await stalled(server);
  connection.actor.send({ type: 'stop' });
  first.reset();
  expect(String(await outcomes[0])).toContain('ECONNRESET');
  await quiet();
  expect(connection.snapshot.value).toBe('idle');
  expect(connection.snapshot.context).toMatchObject({ error: undefined, history: [] });
  expect(story.all('retrying')).toEqual([]);
});

describe('B6', () => {
  it('B6 the failure of attempt 1 never reaches attempt 2', async () => {
    const server = await faultServer();
    const { connection, story, first, outcomes } = await stalled(server);
    server.treatNext({ kind: 'silence', after: 0 });
    connection.retry({ restart: true });
    const second = await server.nextDial();
    first.reset();
    await outcomes[0];
    await quiet();
    expect(connection.snapshot.value).toBe('connecting');
    expect(connection.snapshot.context).toMatchObject({ attempt: 2, error: undefined, history: [] });
    second.reset();
    expect(await story.next('retrying')).toMatchObject({ attempt: 2 });
  });

  it('B6 the session of attempt 1 never reaches attempt 2', async () => {
    const server = await faultServer();
    server.treatNext({ kind: 'serve' }, { kind: 'silence', after: 0 });
    const { connect, first, letGo } = holdFirst(server);
    const { close, reasonsFor } = recordCloses();
    const { connection, story } = keep({ connect, close, backoff: QUICK });
    const session = await first;
    connection.retry({ restart: true });
    const [one, two] = [await server.nextDial(), await server.nextDial()];
    letGo();
    await one.ended;
    expect(reasonsFor(session)).toEqual(['late']);
    expect(connection.snapshot.value).toBe('connecting');
    two.reset();
    expect(await story.next('retrying')).toMatchObject({ attempt: 2 });
  });
});

describe('B7', () => {
  // Nobody really closes the old session, so that it can end when the new one is up.
  const close = (): void => {};

  it('B7 the end of a session that was replaced changes nothing for the new one', async () => {
    const server = await faultServer();
    const { connection, story } = keep({ connect: to(server), close });
    await story.next('connected');
    const first = await connection.connected();
    connection.retry();
    await story.next('connected');
    const second = connection.session;
    expect(second).not.toBe(first);
    server.dials[0]?.hangUp();
    await first.closed;
    await quiet();
    expect(connection.session).toBe(second);
    expect({ lost: story.all('disconnected').length, dials: server.dials.length }).toEqual({ lost: 1, dials: 2 });
  });

  it('B7 the end of a session that was rotated changes nothing for the new one', async () => {
    const server = await faultServer();
    const clock = createVirtualClock();
    const { connection, story } = keep({ clock, connect: to(server), close, maxSessionAge: '1h', random: () => 0 });
    const first = await connection.connected();
    await clock.advance(3_600_000);
    await story.next('rotated');
    const second = connection.session;
    server.dials[0]?.hangUp();
    await first.closed;
    await quiet();
    expect(connection.session).toBe(second);
    expect({ lost: story.all('disconnected'), dials: server.dials.length }).toEqual({ lost: [], dials: 2 });
  });
});

it.each([
  [
    'throws',
    () => {
      throw new Error('no');
    },
    ['close: no'],
  ],
  ['rejects', () => Promise.reject(new Error('no')), ['close: no']],
  ['never settles', () => new Promise<void>(() => {}), []],
])(
  'B8 the close of a late session %s: contained and reported, and the next session is up',
  async (_, close, reports) => {
    const server = await faultServer();
    const { connect, first, letGo } = holdFirst(server);
    const errors: string[] = [];
    const onError = (error: unknown, source: string): void =>
      void errors.push(`${source}: ${(error as Error).message}`);
    const { connection } = keep({ connect, close, onError });
    const session = await first;
    connection.retry({ restart: true });
    letGo();
    expect(await connection.connected()).not.toBe(session);
    await quiet();
    expect(errors).toEqual(reports);
    expect(connection.snapshot.value).toBe('connected');
  },
);

describe('B9', () => {
  it.each([
    ['stop, and start', [{ type: 'stop' }, { type: 'start' }]],
    ['a retry that asks for a restart', [{ type: 'retry', restart: true }]],
    ['a changed input', [{ type: 'update', input: 'another' }]],
    ['the timeout of the attempt', []],
  ] satisfies [string, ReconnectEvent<string>[]][])(
    'B9 connect ignores its signal for ever: %s works',
    async (_, events) => {
      const server = await faultServer();
      server.treatNext({ kind: 'silence', after: 0 });
      const backoff = { ...QUICK, attemptTimeout: events.length === 0 ? 50 : 0 };
      const { connection } = keep<Session, string>({ connect: careless(server), input: 'one', backoff });
      const first = await server.nextDial();
      for (const event of events) connection.actor.send(event);
      const { socket } = await connection.connected();
      expect(socket.readyState).toBe(socket.OPEN);
      // Nobody but its owner can release what it holds.
      expect(first.open).toBe(true);
    },
  );
});
