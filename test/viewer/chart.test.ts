/** The chart that the viewer draws is the machine's, though all it has is what comes over the wire. */
import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, createActor, createMachine } from 'xstate';
import { chartOf } from '../../src/diagram/chart';
import { createReconnectMachine } from '../../src/index';
import { createInspector, type DecodedMessage, decodeMessage, type MachineDefinition } from '../../src/inspect';
import { possibleEvents } from '../../src/viewer/possible-events';
import { activeNodes, nameState } from '../../src/viewer/state-value';
import { chartOfDefinition } from '../../src/viewer/wire-chart';

type Registration = DecodedMessage & { type: 'service.register' };
type News = DecodedMessage & { type: 'service.state' };

/** What a viewer is told of an actor of `machine` that is sent `events`. */
function tell(machine: AnyStateMachine, ...events: string[]): { first: Registration; news: News[] } {
  const inspector = createInspector();
  const heard: DecodedMessage[] = [];
  inspector.connect((message) => heard.push(decodeMessage(message)!)).receive({ type: 'xstate.inspecting' });
  const actor = createActor(machine, { inspect: inspector.inspect }).start();
  for (const type of events) actor.send({ type });
  actor.stop();
  const own = heard.filter((message) => 'sessionId' in message && message.sessionId === actor.sessionId);
  return {
    first: own.find((message): message is Registration => message.type === 'service.register')!,
    news: own.filter((message): message is News => message.type === 'service.state'),
  };
}

const connection = createReconnectMachine({ connect: () => new Promise(() => {}), autoStart: false });
const player = createMachine({
  id: 'player',
  initial: 'off',
  on: { unplug: '.off', volume: { actions: () => {} } },
  states: {
    off: { on: { plug: 'on', unplug: {} } },
    on: {
      type: 'parallel',
      on: { plug: 'off' },
      states: {
        sound: { initial: 'mute', states: { mute: { on: { up: 'loud' } }, loud: { after: { 1000: 'mute' } } } },
        tape: {
          initial: 'still',
          states: { still: { on: { play: 'turning' } }, turning: { always: { target: 'still', guard: () => false } } },
        },
      },
      onDone: 'broken',
    },
    broken: { type: 'final' },
  },
});

const definitionOf = (machine: AnyStateMachine): MachineDefinition => tell(machine).first.machine;
const pairs = (arrows: readonly { from: string; to: string }[]): string[] =>
  [...new Set(arrows.map(({ from, to }) => `${from} -> ${to}`))].sort();

describe.each([
  ['the connection', connection],
  ['a machine with states in states, delays and parallel ones', player],
])('%s', (_, machine) => {
  const { chart } = chartOfDefinition(definitionOf(machine));

  test('its states are those of the machine', () => {
    const { root } = chartOf(machine);
    expect(chart.root.states).toEqual(root.states);
    expect(chart.root.initial).toBe(root.initial);
  });

  test('its arrows lead where those of the machine do, one from a state to another', () => {
    expect(pairs(chart.arrows)).toEqual(pairs(chartOf(machine).arrows));
    expect(chart.arrows).toHaveLength(pairs(chart.arrows).length);
  });

  test('its arrows name the same events', () => {
    const named = (arrows: typeof chart.arrows): Record<string, string[]> => {
      const byPair: Record<string, string[]> = {};
      for (const { from, to, events } of arrows) {
        const known = byPair[`${from} -> ${to}`] ?? [];
        byPair[`${from} -> ${to}`] = [...new Set([...known, ...events])].sort();
      }
      return byPair;
    };
    expect(named(chart.arrows)).toEqual(named(chartOf(machine).arrows));
  });
});

describe('where it is', () => {
  const { chart, activeStates, arrowOf } = chartOfDefinition(definitionOf(player));
  const arrow = (index: number | undefined): string | undefined =>
    index === undefined ? undefined : `${chart.arrows[index]?.from} -> ${chart.arrows[index]?.to}`;

  test('all states that are active are found, the inner ones too', () => {
    const { news } = tell(player, 'plug', 'up');
    expect(activeStates(news.at(-2)!.state.value)).toEqual([
      'on',
      'on__sound',
      'on__sound__loud',
      'on__tape',
      'on__tape__still',
    ]);
    expect(nameState(news.at(-2)!.state.value)).toBe('on.sound.loud, on.tape.still');
  });

  test('the arrow that was taken is found, also one of the whole machine', () => {
    const { first, news } = tell(player, 'plug', 'up', 'unplug');
    const befores = [first, ...news].map(({ state }) => state.value);
    const taken = news.map(({ state }, index) =>
      arrow(state.transitions[0] && arrowOf(state.transitions[0], befores[index])),
    );
    expect(taken).toEqual(expect.arrayContaining(['off -> on', 'on__sound__mute -> on__sound__loud', 'on -> off']));
  });

  test('one that changes no state has no arrow', () => {
    const { news } = tell(player, 'volume');
    const transition = news.flatMap(({ state }) => state.transitions).find(({ eventType }) => eventType === 'volume')!;
    expect(arrowOf(transition, 'off')).toBeUndefined();
  });
});

describe('the events that can be sent', () => {
  const events = (machine: AnyStateMachine, value: unknown): string[] => {
    const { main, others } = possibleEvents(definitionOf(machine), value);
    return [...main, ...others];
  };

  test.each([
    ['idle', ['start', 'update'], ['online', 'offline', 'suspend', 'resume']],
    ['connecting', ['retry', 'update', 'stop'], ['online', 'resume', 'wake', 'offline', 'suspend']],
    ['connected', ['retry', 'update', 'stop'], ['healthy', 'online', 'offline', 'resume', 'wake', 'suspend']],
    ['backingOff', ['retry', 'update', 'stop'], ['online', 'resume', 'wake', 'offline', 'suspend']],
    ['failed', ['start', 'retry', 'update', 'stop'], ['online', 'offline', 'suspend', 'resume']],
  ])('of a connection that is %s: those of people first, and none of its own actors', (value, main, others) => {
    expect(possibleEvents(definitionOf(connection), value)).toEqual({ main, others });
  });

  test('those of the states around, but for what an inner one keeps from them; no delays', () => {
    expect(events(player, 'off')).toEqual(['plug', 'volume']);
    expect(events(player, { on: { sound: 'loud', tape: 'still' } })).toEqual(['play', 'plug', 'unplug', 'volume']);
  });

  test('a state that the definition does not know has those of the machine', () => {
    expect(activeNodes(definitionOf(player), 'elsewhere').map(({ key }) => key)).toEqual(['player']);
  });
});
