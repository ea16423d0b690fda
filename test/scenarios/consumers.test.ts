/** G: what consumers do: listeners that throw, and calls from everywhere, in any order. */
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { type CloseReason, createReconnectMachine, type ReconnectMachineOptions } from '../../src/index';
import { keep, quiet, type Session, Story, to } from '../support/connections';
import type { FaultServer } from '../support/fault-server';
import { afterTest, faultServer } from '../support/servers';
import '../support/unhandled';

const QUICK = { initial: 5, max: 5, timeout: 0 };

/** An actor that is not started yet, stopped after the test, which writes down why each of its sessions was closed. */
function actorOf(server: FaultServer, options: Partial<ReconnectMachineOptions<Session>> = {}) {
  const closes = new Map<Session, CloseReason[]>();
  const machine = createReconnectMachine<Session>({
    connect: to(server),
    backoff: QUICK,
    ...options,
    close(session, reason) {
      closes.set(session, [...(closes.get(session) ?? []), reason]);
      options.close?.(session, reason);
      session.close();
    },
  });
  const actor = createActor(machine);
  afterTest(() => actor.stop());
  return { actor, story: new Story(actor), closes };
}

/** Nothing is left on the server's side, and no session was closed twice. */
async function expectNothingLeft(server: FaultServer, closes: Map<Session, CloseReason[]>): Promise<void> {
  await quiet();
  await Promise.all(server.dials.map(({ ended }) => ended));
  expect([...closes.values()].every((reasons) => reasons.length === 1)).toBe(true);
}

/** One session is up, the last dial's, and every other one was closed once. */
async function expectOneSession(server: FaultServer, { actor, closes }: ReturnType<typeof actorOf>): Promise<void> {
  await quiet();
  expect(actor.getSnapshot().value).toBe('connected');
  await Promise.all(server.dials.slice(0, -1).map(({ ended }) => ended));
  expect(server.dials.at(-1)?.open).toBe(true);
  expect([...closes.values()].every((reasons) => reasons.length === 1)).toBe(true);
  expect(closes.size).toBe(actor.getSnapshot().context.sessions - 1);
}

it('G1 a listener throws: it is reported, the others hear, and the connection comes back', async () => {
  const server = await faultServer();
  const errors: string[] = [];
  const onError = (error: unknown, source: string): void => void errors.push(`${source}: ${(error as Error).message}`);
  const { connection } = keep({ connect: to(server), backoff: QUICK, onError });
  const boom = (name: string) => (): void => {
    throw new Error(name);
  };
  for (const type of ['connecting', 'connected', 'disconnected', 'retrying'] as const)
    connection.actor.on(type, boom(type));
  connection.actor.subscribe(boom('subscribe'));
  connection.onNotice(boom('notice'));
  const story = new Story(connection.actor);
  await connection.connected();
  server.treatNext({ kind: 'reset' });
  server.hangUp();
  await story.next('disconnected');
  await story.next('retrying');
  await connection.connected();
  await quiet();
  expect(story.all('connected')).toHaveLength(2);
  expect({ dials: server.dials.length, open: server.open.length }).toEqual({ dials: 3, open: 1 });
  for (const name of ['connecting', 'connected', 'disconnected', 'retrying', 'subscribe', 'notice'])
    expect(errors).toContain(`listener: ${name}`);
});

describe('G2', () => {
  /** How many dials there are in the end, where the call does not end it. */
  const places = [
    { place: 'a listener', start: 1, retry: 2 },
    { place: 'connect', start: 1, retry: 1 },
    { place: 'classify', start: 2, retry: 2 },
    { place: 'close', start: 2, retry: 2 },
  ] as const;

  /** A connection that calls once, from that place, and whose line was cut if that is what it takes. */
  async function callFrom(place: (typeof places)[number]['place'], type: 'start' | 'stop' | 'retry') {
    const server = await faultServer();
    let isDone = false;
    let done!: () => void;
    const called = new Promise<void>((resolve) => {
      done = resolve;
    });
    const call = (): void => {
      if (isDone) return;
      isDone = true;
      actor.send({ type });
      done();
    };
    const dial = to(server);
    const made = actorOf(server, {
      connect(args) {
        if (place === 'connect') call();
        return dial(args);
      },
      classify() {
        if (place === 'classify') call();
        return 'retry';
      },
      close() {
        if (place === 'close') call();
      },
    });
    const { actor } = made;
    if (place === 'a listener') actor.on('connected', call);
    if (place === 'classify' || place === 'close') {
      const first = actor.on('connected', () => {
        first.unsubscribe();
        server.hangUp();
      });
    }
    actor.start();
    await called;
    return { server, ...made };
  }

  it.each(places)('G2 stop called from inside $place: it ends, and nothing is left', async ({ place }) => {
    const { server, actor, closes } = await callFrom(place, 'stop');
    await expectNothingLeft(server, closes);
    expect(actor.getSnapshot().value).toBe('idle');
    const { length } = server.dials;
    expect(length).toBeLessThanOrEqual(1);
    await quiet();
    expect(server.dials).toHaveLength(length);
  });

  it.each(places)(
    'G2 start called from inside $place: it is running already, and one session is up',
    async ({ place, start }) => {
      const { server, ...made } = await callFrom(place, 'start');
      for (let count = 0; count < start; count += 1) await made.story.next('connected');
      await expectOneSession(server, made);
      expect(server.dials).toHaveLength(start);
    },
  );

  it.each(places)('G2 retry called from inside $place: one session is up, by one dial', async ({ place, retry }) => {
    const { server, ...made } = await callFrom(place, 'retry');
    for (let count = 0; count < retry; count += 1) await made.story.next('connected');
    await expectOneSession(server, made);
    expect(server.dials).toHaveLength(retry);
  });

  it('G2 a session that a listener replaces as soon as it is up is not given to those who wait for one', async () => {
    const server = await faultServer();
    const { connection } = keep({ connect: to(server) });
    const first = new Promise<Session | undefined>((resolve) => {
      const { unsubscribe } = connection.actor.on('connected', () => {
        unsubscribe();
        resolve(connection.session);
        connection.retry();
      });
    });
    const session = await connection.connected();
    expect(session).toBeDefined();
    expect(session).not.toBe(await first);
    expect(session.socket.readyState).toBe(session.socket.OPEN);
  });
});

it('G3 unsubscribing inside a callback: that one hears no more, and the others hear everything', async () => {
  const server = await faultServer();
  const { actor, story } = actorOf(server);
  const heard = { once: 0, never: 0, snapshots: 0, states: [] as unknown[] };
  const once = actor.on('connected', () => {
    heard.once += 1;
    once.unsubscribe();
    never.unsubscribe();
  });
  const never = actor.on('connected', () => {
    heard.never += 1;
  });
  const snapshots = actor.subscribe(() => {
    heard.snapshots += 1;
    snapshots.unsubscribe();
  });
  actor.subscribe(({ value }) => void heard.states.push(value));
  actor.start();
  for (let round = 0; round < 3; round += 1) {
    await story.next('connected');
    server.hangUp();
    await story.next('disconnected');
  }
  expect(story.all('connected')).toHaveLength(3);
  expect(heard.once).toBe(1);
  // Whoever is told of the same event in the same breath may still hear it.
  expect(heard.never).toBeLessThanOrEqual(1);
  expect(heard.snapshots).toBe(1);
  expect(heard.states.filter((value) => value === 'connected')).toHaveLength(3);
});

it('G4 started twice, and told to start at any time: one dial, one session', async () => {
  const server = await faultServer();
  const made = actorOf(server);
  const { actor, story } = made;
  actor.start();
  actor.start();
  actor.send({ type: 'start' });
  await story.next('connected');
  actor.start();
  actor.send({ type: 'start' });
  await expectOneSession(server, made);
  expect(server.dials).toHaveLength(1);
});

it('G5 stopped twice, by event, by handle and with its actor: one end, one close', async () => {
  const server = await faultServer();
  const { actor, story, closes } = actorOf(server);
  actor.start();
  await story.next('connected');
  actor.send({ type: 'stop' });
  actor.send({ type: 'stop' });
  actor.stop();
  actor.stop();
  const { connection, story: told } = keep({ connect: to(server) });
  const ends = [connection.closed(), connection.closed()];
  await connection.connected();
  connection.stop();
  connection.stop();
  connection.actor.stop();
  expect(await Promise.all(ends)).toEqual([undefined, undefined]);
  await expectNothingLeft(server, closes);
  expect([story.all('stopped'), told.all('stopped')]).toEqual([[{ type: 'stopped' }], [{ type: 'stopped' }]]);
  expect([...closes.values()]).toEqual([['stopped']]);
});

describe('G6', () => {
  it('G6 stopped before it was started: no dial, and a start after it works', async () => {
    const server = await faultServer();
    const made = actorOf(server, { autoStart: false });
    const { actor, story } = made;
    actor.start();
    actor.send({ type: 'stop' });
    await quiet();
    expect(server.dials).toEqual([]);
    actor.send({ type: 'start' });
    await story.next('connected');
    await expectOneSession(server, made);
  });

  it('G6 an actor and a handle that are stopped before they do anything: no dial', async () => {
    const server = await faultServer();
    actorOf(server).actor.stop();
    const { connection } = keep({ connect: to(server), autoStart: false });
    connection.stop();
    expect(await connection.closed()).toBeUndefined();
    await quiet();
    expect(server.dials).toEqual([]);
  });
});

it.each(['connecting', 'connected', 'backingOff'])(
  'G7 stop and start in one tick, while %s: one session in the end',
  async (state) => {
    const server = await faultServer();
    const made = actorOf(server, { backoff: { initial: '1h', minUptime: '1h' } });
    const { actor, story } = made;
    actor.start();
    if (state !== 'connecting') await story.next('connected');
    if (state === 'backingOff') {
      server.hangUp();
      await story.next('retrying');
    }
    expect(actor.getSnapshot().value).toBe(state);
    actor.send({ type: 'stop' });
    actor.send({ type: 'start' });
    await story.next('connected');
    await expectOneSession(server, made);
  },
);
