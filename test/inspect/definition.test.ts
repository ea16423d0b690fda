/** What XState 4 itself makes of the definitions that are sent: the same states, transitions and steps as XState 5 has. */

import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot, AnyStateMachine as AnyStateMachine5 } from 'xstate';
import { and, createMachine as createMachine5, fromPromise, initialTransition, not, setup, transition } from 'xstate';
import { createReconnectMachine } from '../../src/index';
import { createBlueprint } from '../../src/inspect/definition';
import type { MachineDefinition } from '../../src/inspect/protocol';
import { createSerializer } from '../../src/inspect/serialize';
import { type AnyStateMachine, createMachine, type StateNode } from '../xstate4';

const logic = fromPromise(async () => 1);

/** One of everything that a chart can have. */
const chart = setup({
  types: {} as { events: { type: string } },
  actors: { load: logic },
  guards: { yes: () => true, no: () => false },
  actions: { note: () => {}, leave: () => {} },
  delays: { soon: 1_000, 'a.b': 2_000 },
}).createMachine({
  id: 'chart',
  initial: 'atomic',
  description: 'the chart',
  on: {
    HOME: { target: '.atomic', actions: { type: 'note', params: { why: 'home' } } },
    STAY: { actions: 'note' },
    AGAIN: { target: '.nested', reenter: true },
  },
  states: {
    atomic: {
      entry: ['note', () => {}],
      exit: 'leave',
      tags: ['calm', 'first'],
      meta: { note: 'meta' },
      description: 'a state',
      on: {
        NEXT: [{ guard: 'no', target: 'final' }, { guard: 'yes', target: 'nested' }, { target: 'final' }],
        SELF: { target: 'atomic' },
        SELF_AGAIN: { target: 'atomic', reenter: true },
        HOME: {},
        BOTH: { guard: and(['yes', not('no')]), target: 'parallel' },
        PARAMS: { guard: { type: 'yes', params: { limit: 1 } }, target: 'loading' },
        FAR: { target: '#deep' },
        REMEMBER: { target: 'nested.memory' },
        REMEMBER_ALL: { target: 'parallel.memory' },
      },
    },
    any: { on: { '*': 'nested' } },
    nested: {
      id: 'nest',
      initial: 'one',
      onDone: { target: 'final' },
      states: {
        one: { on: { NEXT: 'two' } },
        two: {
          initial: 'inner',
          states: { inner: { id: 'deep', on: { NEXT: 'other' } }, other: { on: { NEXT: '#nest.end' } } },
        },
        end: { type: 'final' },
        memory: { type: 'history', history: 'deep', target: 'two' },
      },
      on: { LEAVE: '#chart.atomic' },
    },
    parallel: {
      type: 'parallel',
      on: { LEAVE: 'atomic' },
      states: {
        left: { initial: 'off', states: { off: { on: { NEXT: 'on' } }, on: {} } },
        right: { initial: 'off', states: { off: { on: { OTHER: 'on' } }, on: { on: { OTHER: 'off' } } } },
        memory: { type: 'history' },
      },
    },
    loading: {
      invoke: [
        { id: 'the.loader', src: 'load', onDone: 'passing', onError: [{ guard: 'no', target: 'any' }, 'atomic'] },
        { src: logic },
      ],
      after: { 500: 'atomic', soon: [{ guard: 'no', target: 'any' }, { target: 'parallel' }], 'a.b': 'final' },
    },
    passing: {
      always: [
        { guard: 'no', target: 'any' },
        { target: 'nested', actions: 'note' },
      ],
    },
    final: { type: 'final' },
  },
});

const serialize = createSerializer();
const blueprintOf = (machine: AnyStateMachine5) => {
  const { definition, translate } = createBlueprint(machine, machine.id, serialize);
  return { definition: JSON.parse(definition) as MachineDefinition, translate };
};
/** What a viewer makes of what it is told. */
const decode = (machine: AnyStateMachine5, guards: Record<string, () => boolean> = {}): AnyStateMachine => {
  // XState 4 infers its types from a literal.
  const create = createMachine as unknown as (definition: MachineDefinition, options: object) => AnyStateMachine;
  return create(blueprintOf(machine).definition, { guards, delays: { soon: 1, 'a.b': 1 } });
};

const decoded = decode(chart);
const nodeOf = (id: string): StateNode => decoded.getStateNodeById(id) as StateNode;
/** The transitions of a state by event, as XState 4 has them. */
const transitionsOf = (id: string, event: string) =>
  nodeOf(id)
    .transitions.filter(({ eventType }) => eventType === event)
    .map(
      ({
        target,
        cond,
        actions,
        internal,
        delay,
      }: (typeof StateNode.prototype.transitions)[number] & { delay?: unknown }) => ({
        target: target?.map((node) => node.id),
        cond: (cond as { name?: string } | undefined)?.name,
        actions: actions.map(({ type }) => type),
        internal,
        ...(delay !== undefined && { delay }),
      }),
    );

describe('a definition of XState 5, read by XState 4', () => {
  test('guard -> cond, under the name that viewers show', () => {
    expect(transitionsOf('chart.atomic', 'NEXT')).toEqual([
      { target: ['chart.final'], cond: 'no', actions: [], internal: true },
      { target: ['nest'], cond: 'yes', actions: [], internal: true },
      { target: ['chart.final'], cond: undefined, actions: [], internal: true },
    ]);
    expect(transitionsOf('chart.atomic', 'BOTH')).toMatchObject([{ cond: 'and(yes, not(no))' }]);
    expect(blueprintOf(chart).definition.states['atomic']?.on['PARAMS']?.[0]?.cond).toEqual({
      type: 'xstate.guard',
      name: 'yes',
      params: { limit: 1 },
    });
  });

  test('reenter -> not internal', () => {
    expect(transitionsOf('chart.atomic', 'SELF')).toMatchObject([{ target: ['chart.atomic'], internal: true }]);
    expect(transitionsOf('chart.atomic', 'SELF_AGAIN')).toMatchObject([{ target: ['chart.atomic'], internal: false }]);
    expect(transitionsOf('chart', 'AGAIN')).toMatchObject([{ target: ['nest'], internal: false }]);
  });

  test('delays -> after, by milliseconds and by name', () => {
    const loading = nodeOf('chart.loading');
    expect(transitionsOf('chart.loading', 'xstate.after(500)#chart.loading')).toMatchObject([
      { target: ['chart.atomic'], delay: 500 },
    ]);
    expect(transitionsOf('chart.loading', 'xstate.after(soon)#chart.loading')).toMatchObject([
      { target: ['chart.any'], cond: 'no', delay: 'soon' },
      { target: ['chart.parallel'], cond: undefined, delay: 'soon' },
    ]);
    // XState 4 starts and cancels them itself. Those of XState 5 would come on top.
    expect(loading.onEntry.map(({ type }) => type)).toEqual(['xstate.send', 'xstate.send', 'xstate.send']);
    expect(loading.onExit.map(({ type }) => type)).toEqual(['xstate.cancel', 'xstate.cancel', 'xstate.cancel']);
  });

  test('actors: their ids, and what they end with', () => {
    expect(nodeOf('chart.loading').invoke.map(({ id, src }) => ({ id, src }))).toEqual([
      { id: 'the.loader', src: 'load' },
      { id: '1.chart.loading', src: 'xstate.invoke.1.chart.loading' },
    ]);
    expect(transitionsOf('chart.loading', 'done.invoke.the.loader')).toMatchObject([{ target: ['chart.passing'] }]);
    expect(transitionsOf('chart.loading', 'error.platform.the.loader')).toMatchObject([
      { target: ['chart.any'], cond: 'no' },
      { target: ['chart.atomic'] },
    ]);
  });

  test('always, which the definition of XState 5 itself leaves out', () => {
    expect(transitionsOf('chart.passing', '')).toMatchObject([
      { target: ['chart.any'], cond: 'no' },
      { target: ['nest'], actions: ['note'] },
    ]);
  });

  test('initial states, onDone, history, tags, meta, description and actions', () => {
    const nested = nodeOf('nest');
    expect([nested.type, nested.initial, nested.key]).toEqual(['compound', 'one', 'nested']);
    expect(transitionsOf('nest', 'done.state.nest')).toMatchObject([{ target: ['chart.final'] }]);
    const memory = nodeOf('chart.nested.memory');
    expect([memory.type, memory.history, memory.target]).toEqual(['history', 'deep', 'two']);
    expect(nodeOf('chart.parallel').type).toBe('parallel');

    const atomic = nodeOf('chart.atomic');
    expect(atomic.tags).toEqual(['calm', 'first']);
    expect(atomic.meta).toEqual({ note: 'meta' });
    expect(atomic.description).toBe('a state');
    expect(atomic.onEntry.map(({ type }) => type)).toEqual(['note', '(anonymous)']);
    expect(atomic.onExit.map(({ type }) => type)).toEqual(['leave']);
    expect(blueprintOf(chart).definition.on['HOME']?.[0]?.actions).toEqual([{ type: 'note', params: { why: 'home' } }]);
  });

  test('secrets in params and meta are redacted, and states are not', () => {
    const machine = createMachine5({
      id: 'm',
      initial: 'token',
      entry: { type: 'log', params: { token: 'hush' } },
      states: { token: { meta: { token: 'hush' } } },
    });
    const text = createBlueprint(machine, 'm', createSerializer({ redact: ['token'] })).definition;
    expect(text).not.toContain('hush');
    expect((JSON.parse(text) as MachineDefinition).states['token']?.id).toBe('m.token');
  });
});

/** Steps both versions through every sequence of `length` events and compares after each step. Returns the steps compared. */
function compareSteps(
  machine: AnyStateMachine5,
  guards: Record<string, () => boolean>,
  events: readonly { type: string; [field: string]: unknown }[],
  length: number,
  input?: unknown,
): number {
  const { translate } = blueprintOf(machine);
  const machine4 = decode(machine, guards);
  const initial5 = initialTransition(machine, input)[0] as AnyMachineSnapshot;
  const initial4 = machine4.initialState;
  let steps = 0;
  const walk = (before5: AnyMachineSnapshot, before4: typeof initial4, path: readonly string[]): void => {
    expect(before4.value, path.join(' ')).toEqual(before5.value);
    expect([...before4.tags].sort(), path.join(' ')).toEqual([...before5.tags].sort());
    const next5 = before5._nodes.flatMap((node) => node.ownEvents).map(translate);
    expect(new Set(before4.nextEvents.filter((event) => event !== '')), path.join(' ')).toEqual(new Set(next5));
    steps += 1;
    if (path.length === length || before5.status !== 'active') return;
    for (const event of events) {
      const after5 = transition(machine, before5, event)[0] as AnyMachineSnapshot;
      const after4 = machine4.transition(before4, { ...event, type: translate(event.type) });
      walk(after5, after4, [...path, event.type]);
    }
  };
  walk(initial5, initial4, []);
  return steps;
}

describe('XState 4 takes the same steps as XState 5', () => {
  test('through a chart that has one of everything', () => {
    const events = [
      ...['NEXT', 'HOME', 'STAY', 'AGAIN', 'SELF', 'BOTH', 'PARAMS', 'FAR', 'LEAVE', 'OTHER'],
      ...['UNKNOWN', 'xstate.done.actor.the.loader', 'xstate.after.soon.chart.loading'],
      ...['xstate.after.a.b.chart.loading', 'xstate.after.500.chart.loading'],
    ].map((type) => ({ type }));
    const steps = compareSteps(chart, { yes: () => true, no: () => false, 'and(yes, not(no))': () => true }, events, 3);
    expect(steps).toBeGreaterThan(3_000);
  });

  test.each([true, false])('through the reconnect chart, with guards that say %s', (answer) => {
    const chart = createReconnectMachine({ connect: () => ({ closed: new Promise(() => {}) }), autoStart: false });
    const names = Object.keys(chart.implementations.guards);
    const guards = Object.fromEntries(names.map((name) => [name, () => answer]));
    const machine = chart.provide({ guards });
    const events = [
      { type: 'start' },
      { type: 'stop' },
      { type: 'retry' },
      { type: 'xstate.done.actor.connect', output: { closed: new Promise(() => {}) } },
      { type: 'xstate.error.actor.connect', error: new Error('refused') },
      { type: 'xstate.done.actor.closed', output: 'bye' },
      { type: 'xstate.done.actor.wait', output: undefined },
    ];
    expect(compareSteps(machine, guards, events, 4)).toBeGreaterThan(1_900);
  });
});
