/** I: what happens around a connection to a real server. That pages and processes tell it, real ones, is tested elsewhere. */
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { waitFor } from 'xstate';
import type { EnvironmentEvent, EnvironmentSource, ReconnectHandleOptions } from '../../src/index';
import { websocket } from '../../src/websocket';
import { keep, ping, quiet, type Session, to } from '../support/connections';
import type { Behaviour, FaultServer } from '../support/fault-server';
import { faultServer, serverProcess } from '../support/servers';
import '../support/unhandled';

type Word = EnvironmentEvent['type'];

/** A source of the environment that says what the test says. */
function saying(...first: Word[]) {
  let send: ((event: EnvironmentEvent) => void) | undefined;
  const environment: EnvironmentSource = (listener) => {
    send = listener;
    for (const type of first) listener({ type });
    return () => {
      send = undefined;
    };
  };
  const say = (...words: Word[]): void => {
    for (const type of words) send?.({ type });
  };
  return { environment, say, isHeard: () => send !== undefined };
}

/** A connection to `server` whose environment is the test's. Where a wait is cut, it is cut to nothing. */
function keepIn(server: { url: string }, first: Word[], options: Partial<ReconnectHandleOptions<Session>>) {
  const { environment, ...rest } = saying(...first);
  return { ...rest, ...keep({ connect: to(server), environment, random: () => 0, ...options }) };
}

describe('I1', () => {
  it('I1 offline while backing off: the attempts go on, and the server is found though nobody says online', async () => {
    const server = await faultServer();
    server.stopListening();
    const { connection, story, say } = keepIn(server, [], { backoff: { initial: 10, max: 10, timeout: 0 } });
    await story.next('retrying');
    say('offline');
    await story.next('retrying');
    await story.next('retrying');
    await server.listen();
    await connection.connected();
    expect(connection.summary()).toMatchObject({ state: 'connected', online: false });
  });

  it('I1 online while backing off, an hour before its time: exactly one dial, at once, however often it is said', async () => {
    const server = await faultServer({ behaviour: { kind: 'hang-up' } });
    const { connection, story, say } = keepIn(server, [], { backoff: { initial: '1h', max: '1h' } });
    await story.next('retrying');
    server.treat({ kind: 'serve' });
    say('offline', 'online', 'online', 'offline', 'online');
    await connection.connected();
    await quiet();
    expect(server.dials).toHaveLength(2);
    expect(connection.snapshot.context.reason).toBe('online');
  });
});

it('I2 an environment that lies, and says offline for ever: it connects, and comes back from a kill -9', async () => {
  const server = await serverProcess();
  const { connection } = keepIn(server, ['offline'], { backoff: { initial: 10, max: 50, timeout: 0 } });
  const first = await connection.connected();
  await server.kill();
  await first.closed;
  await server.start();
  const { socket } = await connection.connected();
  expect(socket.readyState).toBe(WebSocket.OPEN);
  expect(connection.summary().online).toBe(false);
});

describe('I3', () => {
  /** A connection that is suspended, and whose wait is over. */
  async function held(server: FaultServer, words: Word[]) {
    server.treatNext({ kind: 'hang-up' });
    const kept = keepIn(server, [], { backoff: { initial: 5, max: 5 } });
    kept.say(...words);
    await kept.story.next('retrying');
    await waitFor(kept.connection.actor, ({ context }) => context.waitReason === 'suspended');
    await quiet();
    expect(server.dials).toHaveLength(1);
    expect(kept.connection.summary()).toMatchObject({ state: 'backingOff', suspended: true, retryIn: undefined });
    return kept;
  }

  it('I3 hidden, then shown (pagehide, pageshow): no dial meanwhile, and one after', async () => {
    const server = await faultServer();
    const { connection, say } = await held(server, ['suspend']);
    say('resume');
    await connection.connected();
    await quiet();
    expect(server.dials).toHaveLength(2);
  });

  it('I3 hidden more often than shown does not latch off', async () => {
    const server = await faultServer();
    const { connection, say } = await held(server, ['suspend', 'suspend', 'suspend']);
    say('resume');
    await connection.connected();
  });

  it('I3 stopped while hidden and started when shown: what was said before the stop holds nothing back', async () => {
    const server = await faultServer();
    const { connection, story } = await held(server, ['suspend', 'offline']);
    server.treatNext({ kind: 'hang-up' });
    connection.actor.send({ type: 'stop' });
    connection.actor.send({ type: 'start' });
    await story.next('retrying');
    await connection.connected();
    expect(server.dials).toHaveLength(3);
  });

  it('I3 a person who asks is not held back either', async () => {
    const server = await faultServer();
    const { connection } = await held(server, ['suspend']);
    connection.retry();
    await connection.connected();
  });
});

it.each(['online', 'resume', 'wake'] as const)('I4 a manual stop is not undone by %s', async (word) => {
  const server = await faultServer();
  const { connection, say, isHeard } = keepIn(server, [], {});
  await connection.connected();
  say('offline', 'suspend');
  connection.actor.send({ type: 'stop' });
  expect(isHeard()).toBe(false);
  connection.actor.send({ type: word });
  say(word);
  await Promise.all(server.dials.map(({ ended }) => ended));
  await quiet();
  expect(connection.snapshot.value).toBe('idle');
  expect(server.dials).toHaveLength(1);
});

describe('I5', () => {
  const words = ['wake', 'resume', 'online'] as const;

  it.each(words)(
    'I5 after %s, open is no proof: a probe finds the link dead, an hour before the next one was due',
    async (word) => {
      const server = await faultServer();
      const { connection, story, say } = keepIn(server, [], {
        liveness: { every: '1h', within: 50, probe: ping },
        backoff: { minUptime: 0 },
      });
      const session = await connection.connected();
      (await server.nextDial()).silence();
      expect(session.socket.readyState).toBe(WebSocket.OPEN);
      say(word);
      expect(await story.next('disconnected')).toMatchObject({ error: { name: 'HalfOpenError' } });
      expect(await connection.connected()).not.toBe(session);
    },
  );

  it.each(words)('I5 after %s, a peer that answers keeps its session', async (word) => {
    const server = await faultServer();
    let answered!: () => void;
    const answer = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const { connection, story, say } = keepIn(server, [], {
      liveness: {
        every: '1h',
        within: '30s',
        async probe(session, signal) {
          await ping(session, signal);
          answered();
        },
      },
    });
    const session = await connection.connected();
    say(word);
    await answer;
    await quiet();
    expect(connection.session).toBe(session);
    expect({ lost: story.all('disconnected'), dials: server.dials.length }).toEqual({ lost: [], dials: 1 });
  });
});

it('I6 online, and whatever else is said, while dialing: no second dial', async () => {
  const server = await faultServer({ behaviour: { kind: 'silence', after: 12 } });
  const { connection, story, say } = keepIn(server, [], { backoff: { initial: 5 } });
  const dial = await server.nextDial();
  say('online', 'offline', 'online', 'wake', 'resume');
  await quiet();
  expect(server.dials).toHaveLength(1);
  server.treat({ kind: 'serve' });
  dial.reset();
  expect(await story.next('retrying')).toMatchObject({ attempt: 1 });
  await connection.connected();
  expect(server.dials).toHaveLength(2);
});

describe('I7', () => {
  interface Target {
    url: URL;
    protocols: readonly string[];
  }

  const targetOf = ({ url }: FaultServer): Target => ({ url: new URL(url), protocols: ['v1'] });

  /** A connection whose target can be changed. */
  function keepTo(server: FaultServer) {
    const connect = websocket<Target, WebSocket>(({ input }) => input.url, { WebSocket });
    return keep<Session, Target>({ connect, input: targetOf(server), backoff: { initial: '1h', max: '1h' } });
  }

  it.each([
    ['connecting', { kind: 'silence', after: 0 }],
    ['connected', { kind: 'serve' }],
    ['backingOff', { kind: 'hang-up' }],
  ] satisfies [string, Behaviour][])(
    'I7 an equal URL in a new object is no change, while %s',
    async (state, behaviour) => {
      const server = await faultServer({ behaviour });
      const { connection } = keepTo(server);
      await server.nextDial();
      const before = await waitFor(connection.actor, ({ value }) => value === state);
      connection.update(targetOf(server));
      await quiet();
      expect(connection.snapshot).toBe(before);
      expect(server.dials).toHaveLength(1);
    },
  );

  it('I7 another URL is one: the session is replaced, by one dial', async () => {
    const [server, other] = [await faultServer(), await faultServer()];
    const { connection, story } = keepTo(server);
    const first = await connection.connected();
    connection.update(targetOf(other));
    await first.closed;
    expect(await story.next('disconnected')).toMatchObject({ error: undefined });
    const { socket } = await connection.connected();
    expect(socket.url).toBe(`${other.url}/`);
    await quiet();
    expect([server.dials.length, other.dials.length, server.open.length]).toEqual([1, 1, 0]);
  });
});
