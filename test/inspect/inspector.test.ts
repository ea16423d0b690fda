/** Which actors viewers are shown, what they are told of them, and what they can do to them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type AnyActorRef,
  assign,
  createActor,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  raise,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate';
import { createActor as createNewestActor, createMachine as createNewestMachine } from 'xstate-newest';
import { reconnect } from '../../src/index';
import {
  createInspector,
  type DecodedMessage,
  decodeMessage,
  type Inspector,
  type InspectorOptions,
} from '../../src/inspect';
import '../support/unhandled';

/** Someone who looks. */
class Viewer {
  readonly messages: DecodedMessage[] = [];
  readonly link;

  constructor(inspector: Inspector) {
    this.link = inspector.connect((message) => {
      // Over any wire, messages arrive as copies.
      const decoded = decodeMessage(JSON.stringify(message));
      if (decoded === undefined) throw new Error(`no message: ${JSON.stringify(message)}`);
      this.messages.push(decoded);
    });
  }

  inspect(): this {
    this.link.receive({ type: 'xstate.inspecting' });
    return this;
  }

  of<TType extends DecodedMessage['type']>(type: TType, sessionId?: string) {
    return this.messages.filter(
      (message): message is DecodedMessage & { type: TType } =>
        message.type === type &&
        (sessionId === undefined || ('sessionId' in message && message.sessionId === sessionId)),
    );
  }

  /** The ids of those that are shown as alive. */
  get live(): string[] {
    const ended = new Set(this.of('service.stop').map(({ sessionId }) => sessionId));
    const live = this.of('service.register').filter(({ sessionId }) => !ended.has(sessionId));
    return [...new Set(live.map(({ id }) => id))];
  }

  /** The values of the states of one actor, in the order they were told. */
  values(actor: AnyActorRef): unknown[] {
    const states = [...this.of('service.register', actor.sessionId), ...this.of('service.state', actor.sessionId)];
    return states.map(({ state }) => state.value);
  }
}

function inspected(options: InspectorOptions = {}): { inspector: Inspector; viewer: Viewer; errors: Error[] } {
  const errors: Error[] = [];
  const inspector = createInspector({ onError: (error) => errors.push(error), ...options });
  return { inspector, viewer: new Viewer(inspector).inspect(), errors };
}

const light = setup({
  types: {} as { events: { type: 'flip' } | { type: 'break' } },
  actions: { log: () => {} },
}).createMachine({
  id: 'light',
  initial: 'off',
  states: {
    off: { on: { flip: { target: 'on', actions: 'log' } } },
    on: { on: { flip: 'off' } },
  },
  on: {
    break: {
      actions: () => {
        throw new Error('the bulb broke');
      },
    },
  },
});

/** A parent with a child of every kind. */
const family = setup({
  actors: {
    light,
    promise: fromPromise<string, { wait: boolean }>(({ input }) =>
      input.wait ? new Promise(() => {}) : Promise.resolve('kept'),
    ),
    callback: fromCallback(() => {}),
    counter: fromTransition((count: number) => count + 1, 0),
    observable: fromObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) })),
  },
}).createMachine({
  id: 'family',
  initial: 'home',
  states: {
    home: {
      invoke: [
        { src: 'light', id: 'lamp' },
        { src: 'promise', id: 'wait', input: { wait: true } },
        { src: 'callback', id: 'call' },
        { src: 'counter', id: 'count' },
        { src: 'observable', id: 'watch' },
      ],
      on: { leave: 'gone', light: { actions: sendTo('lamp', { type: 'flip' }) } },
    },
    gone: {},
  },
});

describe('what a viewer is shown', () => {
  test('an actor, its children of every kind, and who is whose child', () => {
    const { inspector, viewer } = inspected();
    const actor = createActor(family, { id: 'us', inspect: inspector.inspect }).start();
    expect(viewer.live).toEqual(['us', 'lamp', 'wait', 'call', 'count', 'watch']);
    const registered = viewer.of('service.register');
    expect(registered[0]).not.toHaveProperty('parent');
    for (const { parent } of registered.slice(1)) expect(parent).toBe(actor.sessionId);
    expect(registered.map(({ source }) => source)).toEqual([
      undefined,
      'light',
      'promise',
      'callback',
      'counter',
      'observable',
    ]);
    expect(registered[0]?.state.children).toEqual(
      Object.fromEntries(registered.slice(1).map(({ id, sessionId }) => [id, { id, sessionId }])),
    );
    actor.stop();
    expect(viewer.live).toEqual([]);
  });

  test('an actor without a machine as a chart of its statuses', async () => {
    const { inspector, viewer } = inspected();
    const actor = createActor(
      fromPromise(async () => 'kept'),
      { inspect: inspector.inspect },
    ).start();
    const [{ machine } = { machine: undefined }] = viewer.of('service.register');
    expect(machine?.initial).toBe('active');
    expect(Object.keys(machine?.states ?? {})).toEqual(['active', 'done', 'error', 'stopped']);
    await new Promise((resolve) => actor.subscribe({ complete: () => resolve(undefined) }));
    expect(viewer.of('service.state').at(-1)?.state).toMatchObject({ value: 'done', done: true, output: 'kept' });
    expect(viewer.live).toEqual([]);

    const counter = createActor(
      fromTransition((count: number) => count + 1, 7),
      { inspect: inspector.inspect },
    ).start();
    counter.send({ type: 'tick' });
    expect(viewer.of('service.state', counter.sessionId).at(-1)?.state).toMatchObject({ value: 'active', context: 8 });
  });

  test('a root that nobody named by the name of its machine', () => {
    const { inspector, viewer } = inspected();
    createActor(light, { inspect: inspector.inspect }).start();
    expect(viewer.live).toEqual(['light']);
  });

  test('nothing of an actor that is not started', () => {
    const { inspector, viewer } = inspected();
    const actor = createActor(light, { inspect: inspector.inspect });
    actor.send({ type: 'flip' });
    expect(viewer.messages).toEqual([]);
    actor.start();
    expect(viewer.values(actor)).toEqual(['off', 'off', 'on']);
  });

  test('events as they come, and then what became of them: the state, the transitions taken, the actions done', () => {
    const { inspector, viewer } = inspected();
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    viewer.messages.length = 0;
    actor.send({ type: 'flip' });
    expect(viewer.messages.map(({ type }) => type)).toEqual(['service.event', 'service.state']);
    expect(viewer.of('service.event')[0]?.event).toEqual({
      name: 'flip',
      data: { type: 'flip' },
      $$type: 'scxml',
      type: 'external',
    });
    expect(viewer.of('service.state')[0]?.state).toMatchObject({
      value: 'on',
      event: { type: 'flip' },
      _event: { name: 'flip' },
      _sessionid: actor.sessionId,
      actions: [{ type: 'log' }],
      transitions: [{ eventType: 'flip', source: '#light.off', target: ['#light.on'], actions: [{ type: 'log' }] }],
      at: expect.any(Number),
    });
    actor.send({ type: 'flip' });
    expect(viewer.of('service.state')[1]?.state).toMatchObject({
      actions: [],
      transitions: [{ source: '#light.on', target: ['#light.off'] }],
    });
  });

  test('every transition on the way, not only the one that an event asked for', () => {
    const { inspector, viewer } = inspected();
    const relay = setup({}).createMachine({
      id: 'relay',
      initial: 'a',
      states: {
        a: { on: { go: 'b' } },
        b: { entry: raise({ type: 'on' }), on: { on: 'c' } },
        c: { always: 'd' },
        d: {},
      },
    });
    createActor(relay, { inspect: inspector.inspect }).start().send({ type: 'go' });
    const { transitions = [] } = viewer.of('service.state').at(-1)?.state ?? {};
    expect(transitions.map(({ eventType, target }) => [eventType, target])).toEqual([
      ['go', ['#relay.b']],
      ['on', ['#relay.c']],
      ['', ['#relay.d']],
    ]);
  });

  test("the events of XState's own by XState 4's names, and who sent them", async () => {
    const { inspector, viewer } = inspected();
    const machine = setup({ actors: { ask: fromPromise(async () => 42) } }).createMachine({
      id: 'm',
      initial: 'asking',
      states: {
        asking: { invoke: { id: 'ask', src: 'ask', onDone: 'waiting' } },
        waiting: { after: { 5: 'over' } },
        over: { type: 'final' },
      },
    });
    const actor = createActor(machine, { inspect: inspector.inspect }).start();
    await new Promise((resolve) => actor.subscribe({ complete: () => resolve(undefined) }));
    const events = viewer.of('service.event', actor.sessionId).map(({ event }) => event);
    expect(events.map(({ name }) => name)).toEqual(['xstate.init', 'done.invoke.ask', 'xstate.after(5)#m.waiting']);
    expect(events[1]?.data).toMatchObject({ type: 'done.invoke.ask', output: 42 });
    const child = viewer.of('service.register').find(({ id }) => id === 'ask');
    expect(events[1]?.origin).toBe(child?.sessionId);
    expect(viewer.of('service.state', actor.sessionId).at(-1)?.state).toMatchObject({ value: 'over', done: true });
  });

  test('our own chart: failures by name and message, sessions in a word', async () => {
    const { inspector, viewer } = inspected();
    let attempts = 0;
    const connection = reconnect({
      connect: () => {
        attempts += 1;
        if (attempts === 1) throw new Error('refused');
        return { closed: new Promise(() => {}), secret: 'inside' };
      },
      backoff: { initial: 1 },
      inspect: inspector.inspect,
    });
    await connection.connected();
    const states = viewer.of('service.state', connection.actor.sessionId).map(({ state }) => state);
    expect(states.map(({ value }) => value)).toEqual(['connecting', 'backingOff', 'connecting', 'connected']);
    expect(states[1]?.context).toMatchObject({ failure: { name: 'Error', message: 'refused' } });
    expect(states[3]?.context).toMatchObject({ lease: 'live' });
    expect(JSON.stringify(viewer.messages)).not.toContain('inside');
    connection.stop();
  });
});

describe('actors that end', () => {
  test('stopped by their parent', () => {
    const { inspector, viewer } = inspected();
    const parent = setup({ actors: { light } }).createMachine({
      entry: spawnChild('light', { id: 'lamp' }),
      on: { smash: { actions: stopChild('lamp') } },
    });
    const actor = createActor(parent, { id: 'parent', inspect: inspector.inspect }).start();
    expect(viewer.live).toEqual(['parent', 'lamp']);
    actor.send({ type: 'smash' });
    expect(viewer.live).toEqual(['parent']);
  });

  test('by a throw in an action, of which XState tells inspectors nothing', async () => {
    const { inspector, viewer, errors } = inspected();
    const actor = createActor(light, { inspect: inspector.inspect });
    const thrown = new Promise((resolve) => actor.subscribe({ error: resolve }));
    actor.start();
    actor.send({ type: 'break' });
    // Before anybody could know.
    viewer.link.receive({ type: 'xstate.event', event: '{"type":"flip"}', service: actor.sessionId });
    expect(errors[0]?.message).toContain('is not running');
    expect(await thrown).toMatchObject({ message: 'the bulb broke' });
    expect(viewer.of('service.state').at(-1)?.state).toMatchObject({
      value: 'off',
      status: 'error',
      done: false,
      error: { name: 'Error', message: 'the bulb broke' },
    });
    expect(viewer.live).toEqual([]);
  });

  test('by a throw before they were in any state: shown where they would have begun', async () => {
    const { inspector, viewer } = inspected();
    const stillborn = setup({
      guards: {
        broken: () => {
          throw new Error('cannot tell');
        },
      },
    }).createMachine({
      id: 'stillborn',
      initial: 'a',
      states: { a: { always: { guard: 'broken', target: 'b' } }, b: {} },
    });
    const actor = createActor(stillborn, { inspect: inspector.inspect });
    const thrown = new Promise((resolve) => actor.subscribe({ error: resolve }));
    actor.start();
    await thrown;
    // Older XStates have no value for it then, and XState 4 reads {} as the initial state.
    expect(['a', {}]).toContainEqual(viewer.of('service.state').at(-1)?.state.value);
    expect(viewer.of('service.state').at(-1)?.state).toMatchObject({
      status: 'error',
      error: { message: expect.stringContaining('cannot tell') },
    });
    expect(viewer.live).toEqual([]);
  });

  test('and start again, the same one', () => {
    const { inspector, viewer } = inspected();
    const actor = createActor(
      fromCallback(() => {}),
      { id: 'again', inspect: inspector.inspect },
    ).start();
    actor.stop();
    // What React's StrictMode does to an actor.
    (actor as unknown as { _snapshot: object })._snapshot = { status: 'active' };
    actor.start();
    expect(viewer.messages.map(({ type }) => type).filter((type) => /register|stop/u.test(type))).toEqual([
      'service.register',
      'service.stop',
      'service.register',
    ]);
  });

  test('are not kept: a viewer that comes later does not hear of them', () => {
    const { inspector } = inspected();
    const actor = createActor(family, { inspect: inspector.inspect }).start();
    actor.stop();
    expect(new Viewer(inspector).inspect().messages).toEqual([]);
  });
});

describe('viewers that come late', () => {
  test('see everything as it is: opened in the middle, or reloaded', () => {
    const inspector = createInspector();
    const actor = createActor(family, { id: 'us', inspect: inspector.inspect }).start();
    actor.send({ type: 'light' });
    const viewer = new Viewer(inspector).inspect();
    expect(viewer.live).toEqual(['us', 'lamp', 'wait', 'call', 'count', 'watch']);
    const lamp = viewer.of('service.register').find(({ id }) => id === 'lamp');
    expect(lamp?.state).toMatchObject({ value: 'on', event: { type: 'flip' } });

    actor.send({ type: 'light' });
    viewer.messages.length = 0;
    viewer.inspect();
    const again = viewer.of('service.register').find(({ id }) => id === 'lamp');
    expect(again?.state.value).toBe('off');
    expect(viewer.of('service.register')).toHaveLength(6);
    actor.stop();
  });

  test('each is told everything once', () => {
    const { inspector, viewer } = inspected();
    const other = new Viewer(inspector).inspect();
    createActor(light, { inspect: inspector.inspect }).start().send({ type: 'flip' });
    expect(other.messages).toEqual(viewer.messages);
    expect(viewer.of('service.register')).toHaveLength(1);
  });

  test('are told nothing before they ask, nor after they left', () => {
    const inspector = createInspector();
    const viewer = new Viewer(inspector);
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    expect(viewer.messages).toEqual([]);
    viewer.inspect();
    expect(viewer.messages).toHaveLength(1);
    viewer.link.close();
    actor.send({ type: 'flip' });
    expect(viewer.messages).toHaveLength(1);
  });

  test('50 actors at once, and a context of 1 MB', () => {
    const inspector = createInspector();
    const big = setup({ types: {} as { context: { text: string } } }).createMachine({
      id: 'big',
      context: { text: 'x'.repeat(1_048_576) },
    });
    for (let i = 0; i < 50; i += 1) createActor(light, { id: `light ${i}`, inspect: inspector.inspect }).start();
    createActor(big, { inspect: inspector.inspect }).start();
    const viewer = new Viewer(inspector).inspect();
    expect(viewer.live).toHaveLength(51);
    expect(viewer.of('service.register').at(-1)?.state.context).toEqual({ text: 'x'.repeat(1_048_576) });
  });
});

describe('inspectors that come late', () => {
  test('attach shows an actor that runs, its parents and their other children, and who comes later', () => {
    const actor = createActor(family, { id: 'us' }).start();
    actor.send({ type: 'light' });
    const { inspector, viewer } = inspected();
    const lamp = actor.getSnapshot().children['lamp'] as AnyActorRef;
    inspector.attach(lamp);
    expect(viewer.live).toEqual(['us', 'lamp', 'wait', 'call', 'count', 'watch']);
    actor.send({ type: 'light' });
    expect(viewer.values(lamp)).toEqual(['on', 'off']);
    actor.send({ type: 'leave' });
    expect(viewer.live).toEqual(['us']);
    actor.stop();
  });

  test('attached twice, or inspected already: told once', () => {
    const { inspector, viewer } = inspected();
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    const other = createActor(light).start();
    inspector.attach(actor);
    inspector.attach(other);
    inspector.attach(other);
    viewer.messages.length = 0;
    actor.send({ type: 'flip' });
    other.send({ type: 'flip' });
    expect(viewer.of('service.state')).toHaveLength(2);
  });

  test('given to a running system: each actor is shown from its next event, after its parents', () => {
    const actor = createActor(family, { id: 'us' }).start();
    const { inspector, viewer } = inspected();
    actor.system.inspect(inspector.inspect);
    expect(viewer.live).toEqual([]);
    (actor.getSnapshot().children['lamp'] as AnyActorRef).send({ type: 'flip' });
    expect(viewer.live).toEqual(['us', 'lamp']);
    expect(viewer.of('service.state').at(-1)?.state).toMatchObject({ value: 'on', event: { type: 'flip' } });
    actor.stop();
  });

  test('an actor that has ended is not shown', () => {
    const { inspector, viewer } = inspected();
    const actor = createActor(light).start();
    actor.stop();
    inspector.attach(actor);
    expect(viewer.messages).toEqual([]);
  });
});

describe('events that a viewer sends', () => {
  const flip = JSON.stringify({ type: 'flip' });
  const scxml = (fields: object): string =>
    JSON.stringify({ name: 'flip', data: { type: 'flip' }, $$type: 'scxml', type: 'external', ...fields });

  test.each<[where: string, message: (id: string) => unknown]>([
    ['service, a bare event', (id) => ({ type: 'xstate.event', event: flip, service: id })],
    ['service, in an envelope', (id) => ({ type: 'xstate.event', event: scxml({}), service: id })],
    [
      "sessionId, as Stately's visualizer does",
      (id) => ({ type: 'xstate.event', event: scxml({ origin: null }), sessionId: id }),
    ],
    ['origin, as XState 4 does', (id) => ({ type: 'xstate.event', event: scxml({ origin: id }) })],
    [
      'sessionId before service before origin',
      (id) => ({ type: 'xstate.event', event: scxml({ origin: 'x' }), service: 'y', sessionId: id }),
    ],
    ['as JSON', (id) => JSON.stringify({ type: 'xstate.event', event: flip, service: id })],
  ])('reach the actor that is named by %s', (_, message) => {
    const { inspector, viewer, errors } = inspected();
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    const other = createActor(light, { inspect: inspector.inspect }).start();
    viewer.link.receive(message(actor.sessionId));
    expect([actor.getSnapshot().value, other.getSnapshot().value]).toEqual(['on', 'off']);
    expect(viewer.of('service.event', actor.sessionId).at(-1)?.event.name).toBe('flip');
    expect(errors).toEqual([]);
  });

  test('reach children, with all they carry', () => {
    const { inspector, viewer } = inspected();
    const adder = setup({
      types: {} as { context: { sum: number }; events: { type: 'add'; n: number } },
    }).createMachine({
      context: { sum: 1 },
      on: { add: { actions: assign({ sum: ({ context, event }) => context.sum + event.n }) } },
    });
    const parent = setup({ actors: { adder } }).createMachine({ invoke: { src: 'adder', id: 'adder' } });
    const actor = createActor(parent, { inspect: inspector.inspect }).start();
    const { sessionId } = actor.getSnapshot().children['adder'] as AnyActorRef;
    viewer.link.receive({ type: 'xstate.event', event: JSON.stringify({ type: 'add', n: 2 }), sessionId });
    expect(viewer.of('service.state', sessionId).at(-1)?.state.context).toEqual({ sum: 3 });
  });

  test.each<[what: string, message: unknown, said: RegExp]>([
    [
      'no text',
      { type: 'xstate.event', event: { type: 'flip' }, service: 'ID' },
      /expected "event" to be text, got object/u,
    ],
    ['no JSON', { type: 'xstate.event', event: '{', service: 'ID' }, /expected "event" to be JSON, got \{/u],
    [
      'no object',
      { type: 'xstate.event', event: '"flip"', service: 'ID' },
      /expected "event" to hold an object with a type/u,
    ],
    [
      'no type',
      { type: 'xstate.event', event: '{"a":1}', service: 'ID' },
      /expected "event" to hold an object with a type/u,
    ],
    [
      'an empty envelope',
      { type: 'xstate.event', event: '{"$$type":"scxml"}', service: 'ID' },
      /an object with a type/u,
    ],
    ['for nobody', { type: 'xstate.event', event: flip }, /expected "sessionId" or "service" to name an actor/u],
    [
      'for a stranger',
      { type: 'xstate.event', event: flip, service: 'x:none' },
      /sent "flip" to "x:none", which is not running/u,
    ],
    ['a stop', { type: 'xstate.event', event: '{"type":"xstate.stop"}', service: 'ID' }, /for XState itself to send/u],
    [
      'an end of a child',
      { type: 'xstate.event', event: '{"type":"done.invoke.a"}', service: 'ID' },
      /for XState itself to send/u,
    ],
    [
      'the wildcard, which no actor survives',
      { type: 'xstate.event', event: '{"type":"*"}', service: 'ID' },
      /for XState itself/u,
    ],
  ])('%s: said to onError, and the actor goes on', (_, message, said) => {
    const { inspector, viewer, errors } = inspected();
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    viewer.link.receive(JSON.parse(JSON.stringify(message).replace('"ID"', JSON.stringify(actor.sessionId))));
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(said);
    expect(actor.getSnapshot()).toMatchObject({ status: 'active', value: 'off' });
  });

  test('an actor that has stopped gets none', () => {
    const { inspector, viewer, errors } = inspected();
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    actor.stop();
    viewer.link.receive({ type: 'xstate.event', event: flip, service: actor.sessionId });
    expect(errors[0]?.message).toContain('is not running');
  });

  test('what is none of the protocol is ignored', () => {
    const { viewer, errors } = inspected();
    for (const noise of [undefined, null, 7, 'hello', '[1]', [], { type: 'webpackOk' }, { type: 1 }, new Map()]) {
      viewer.link.receive(noise);
    }
    expect(errors).toEqual([]);
  });
});

describe('an app that is inspected', () => {
  test('pays for no copy while nobody looks', () => {
    const inspector = createInspector();
    let reads = 0;
    const machine = setup({ types: {} as { context: object; events: { type: 'tick' } } }).createMachine({
      context: {
        get costly() {
          reads += 1;
          return 1;
        },
      },
      on: { tick: { reenter: true } },
    });
    const actor = createActor(machine, { inspect: inspector.inspect }).start();
    actor.send({ type: 'tick' });
    expect(reads).toBe(0);
    new Viewer(inspector).inspect();
    expect(reads).toBe(1);
  });

  test('is not hurt by a wire that throws, nor by an onError that does', () => {
    const inspector = createInspector({
      onError: () => {
        throw new Error('broken reporter');
      },
    });
    let sends = 0;
    const link = inspector.connect(() => {
      sends += 1;
      throw new Error('broken wire');
    });
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    createActor(light, { inspect: inspector.inspect }).start();
    link.receive({ type: 'xstate.inspecting' });
    actor.send({ type: 'flip' });
    expect(actor.getSnapshot().value).toBe('on');
    // A broken wire is not tried again.
    expect(sends).toBe(1);
  });

  test('is not hurt by a context that throws', () => {
    const { inspector, viewer, errors } = inspected();
    const machine = setup({}).createMachine({
      context: {
        get open() {
          throw new Error('hands off');
        },
      },
    });
    createActor(machine, { inspect: inspector.inspect }).start();
    expect(viewer.of('service.register')[0]?.state.context).toEqual({ open: '[unreadable: hands off]' });
    expect(errors).toEqual([]);
  });

  test('keeps its secrets: in contexts, events, inputs and what actions are given', () => {
    const { inspector, viewer } = inspected({ redact: ['token'] });
    const machine = setup({
      types: {} as { context: { token: string }; input: { token: string }; events: { type: 'login'; token: string } },
      actions: { log: (_, _params: { token: string }) => {} },
    }).createMachine({
      context: ({ input }) => input,
      on: { login: { actions: { type: 'log', params: ({ event }) => ({ token: event.token }) } } },
    });
    const actor = createActor(machine, { input: { token: 'hush' }, inspect: inspector.inspect }).start();
    actor.send({ type: 'login', token: 'hush' });
    expect(JSON.stringify(viewer.messages)).toContain('[redacted]');
    expect(JSON.stringify(viewer.messages)).not.toContain('hush');
  });

  test('may have two copies of XState: their actors are told apart', () => {
    const { inspector, viewer } = inspected();
    const newest = createNewestMachine({ id: 'newest', initial: 'a', states: { a: { on: { flip: 'b' } }, b: {} } });
    // Each copy has types of its own.
    const inspect = inspector.inspect as never;
    const others = Array.from({ length: 300 }, () => createNewestActor(newest, { inspect }).start());
    const actor = createActor(light, { inspect: inspector.inspect }).start();
    const registered = viewer.of('service.register');
    expect(new Set(registered.map(({ sessionId }) => sessionId)).size).toBe(301);
    // One of the others has the same session id.
    expect(others.map(({ sessionId }) => sessionId)).toContain(actor.sessionId);
    const { sessionId } = registered.find(({ id }) => id === 'light')!;
    viewer.link.receive({ type: 'xstate.event', event: '{"type":"flip"}', sessionId });
    expect(actor.getSnapshot().value).toBe('on');
    expect(others.every((other) => other.getSnapshot().value === 'a')).toBe(true);
  });
});

test('stop says goodbye, and shows nothing from then on', () => {
  const { inspector, viewer, errors } = inspected();
  const actor = createActor(light, { inspect: inspector.inspect }).start();
  const attached = createActor(light).start();
  inspector.attach(attached);
  viewer.messages.length = 0;
  inspector.stop();
  actor.send({ type: 'flip' });
  attached.send({ type: 'flip' });
  viewer.inspect();
  viewer.link.receive({ type: 'xstate.event', event: '{"type":"flip"}', sessionId: actor.sessionId });
  inspector.stop();
  expect(viewer.messages).toEqual([{ type: 'xstate.disconnect' }]);
  expect(actor.getSnapshot().value).toBe('on');
  expect(errors).toEqual([]);
});

test('docs/inspect.md shows messages as they are', () => {
  const text = readFileSync(new URL('../../docs/inspect.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```json\n(.*?)^```/gmsu)].map(([, block = '']) => block);
  const [said = '', node = '', state = '', asked = ''] = blocks;
  const documented = [said, asked].map((block) =>
    block
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  );

  const { inspector, errors } = inspected();
  const sent: object[] = [];
  const link = inspector.connect((message) => sent.push(message));
  const [inspecting, event] = documented[1] as [object, object];
  link.receive(inspecting);
  const connection = reconnect({ connect: () => Promise.reject(new Error('refused')), inspect: inspector.inspect });
  link.receive({ ...event, service: connection.actor.sessionId });
  expect(errors).toEqual([]);
  connection.stop();
  inspector.stop();
  for (const message of documented[0] as { type: string }[]) {
    const alike = sent
      .filter((one) => (one as { type: string }).type === message.type)
      .map((one) => Object.keys(one).sort());
    expect(alike, message.type).toContainEqual(Object.keys(message).sort());
  }
  const decoded = sent.map(decodeMessage).find((message) => message?.type === 'service.register');
  if (decoded?.type !== 'service.register') throw new Error('nothing is registered');
  expect(Object.keys(decoded.state).sort()).toEqual(Object.keys(JSON.parse(state)).sort());
  expect(Object.keys(decoded.machine.states['backingOff'] ?? {}).sort()).toEqual(Object.keys(JSON.parse(node)).sort());
});

describe('decodeMessage', () => {
  test.each<[message: unknown, said: RegExp]>([
    [{ type: 'service.stop' }, /^service\.stop: expected "sessionId" to be text, got undefined$/u],
    [
      { type: 'service.state', sessionId: 'x:1', state: { value: 'a' } },
      /^service\.state: expected "state" to be text, got object$/u,
    ],
    [{ type: 'service.event', sessionId: 'x:1', event: '{' }, /^service\.event: expected "event" to be JSON, got \{$/u],
  ])('says what is wrong with %j', (message, said) => {
    expect(() => decodeMessage(message)).toThrow(said);
  });

  test.each([undefined, null, 'hello', '{}', { type: 'other' }, []])('%j is none', (message) => {
    expect(decodeMessage(message)).toBeUndefined();
  });
});
