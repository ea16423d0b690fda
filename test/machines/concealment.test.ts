import { describe, expect, it } from 'vitest';
import { createActor, type InspectionEvent } from 'xstate';
import { createReconnectMachine } from '../../src/index';

const closed = new Promise(() => {});

function cyclic(): object {
  const session: Record<string, unknown> = { closed, secret: 'SECRET', deep: { fn: () => 'SECRET' } };
  session['self'] = session;
  return session;
}

const sessions: [string, () => object][] = [
  ['cyclic', cyclic],
  [
    'with throwing getters',
    () =>
      Object.defineProperty({ closed }, 'boom', {
        enumerable: true,
        get: () => {
          throw new Error('SECRET');
        },
      }),
  ],
  [
    'a Proxy that answers anything',
    () =>
      new Proxy(
        { closed },
        { get: (target, key) => (key === 'closed' ? target.closed : key === 'then' ? undefined : () => 'SECRET') },
      ),
  ],
  [
    'a Proxy that refuses to be walked',
    () =>
      new Proxy(
        { closed },
        {
          ownKeys: () => {
            throw new Error('SECRET');
          },
        },
      ),
  ],
];

/** Visits what a viewer would: every enumerable property, as deep as it goes. */
function walk(value: unknown, visit: (value: unknown) => void, seen = new Set<unknown>()): void {
  visit(value);
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  for (const key in value) walk((value as Record<string, unknown>)[key], visit, seen);
}

describe('snapshots stay serialisable whatever the session is', () => {
  it.each(sessions)('%s', async (_, make) => {
    const session = make();
    const inspected: InspectionEvent[] = [];
    const machine = createReconnectMachine<object>({ connect: async () => session, close: () => {} });
    const actor = createActor(machine, { inspect: (event) => inspected.push(event) }).start();
    await new Promise((resolve) => setTimeout(resolve));
    const snapshot = actor.getSnapshot();
    expect(snapshot.value).toBe('connected');
    expect(snapshot.context.session).toBe(session);

    expect(JSON.stringify(snapshot)).not.toContain('SECRET');
    expect(JSON.parse(JSON.stringify(snapshot)).context.lease).toBe('live');
    expect(JSON.stringify(actor.getPersistedSnapshot())).not.toContain('SECRET');
    walk(snapshot.context, (value) => {
      expect(value === session).toBe(false);
      expect(typeof value).not.toBe('function');
    });
    expect(inspected.length).toBeGreaterThan(0);
    for (const event of inspected) {
      const shown =
        'snapshot' in event ? { event: event.event, snapshot: event.snapshot } : 'event' in event ? event.event : {};
      expect(JSON.stringify(shown)).not.toContain('SECRET');
      if ('event' in event) walk(event.event, (value) => expect(value === session).toBe(false));
    }
    actor.stop();
  });

  it('an error is shown by name and message, and read as it was given', async () => {
    const error = Object.assign(new TypeError('refused'), { socket: cyclic() });
    const actor = createActor(
      createReconnectMachine({ connect: () => Promise.reject<{ closed: Promise<void> }>(error) }),
    ).start();
    await new Promise((resolve) => setTimeout(resolve));
    const snapshot = actor.getSnapshot();
    expect(snapshot.context.error).toBe(error);
    expect(JSON.parse(JSON.stringify(snapshot)).context.failure).toEqual({ name: 'TypeError', message: 'refused' });
    actor.stop();
  });

  it('an error that cannot be read is shown by its type', async () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('hostile');
        },
        has: () => true,
      },
    );
    const actor = createActor(
      createReconnectMachine({ connect: () => Promise.reject<{ closed: Promise<void> }>(hostile) }),
    ).start();
    await new Promise((resolve) => setTimeout(resolve));
    expect(JSON.parse(JSON.stringify(actor.getSnapshot())).context.failure).toEqual({
      message: 'an unreadable object',
    });
    actor.stop();
  });
});
