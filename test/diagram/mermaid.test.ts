import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createMachine } from 'xstate';
import { chartOf } from '../../src/diagram/chart';
import { toMermaid as draw } from '../../src/diagram/mermaid';
import { createReconnectMachine } from '../../src/index';

const toMermaid = (machine: AnyStateMachine): string => draw(chartOf(machine));
const chart = () => createReconnectMachine({ connect: () => Promise.reject(new Error('never asked')) });

describe('the diagram', () => {
  it('has the five states and starts at idle', () => {
    const text = toMermaid(chart());
    expect(text.split('\n')[0]).toBe('stateDiagram-v2');
    const states = [...text.matchAll(/^ {2}state "(\w+)" as (\w+)$/gmu)].map(([, label, id]) => [label, id]);
    expect(states).toEqual(['idle', 'connecting', 'connected', 'backingOff', 'failed'].map((name) => [name, name]));
    expect(text).toContain('\n  [*] --> idle\n');
  });

  it('names events and guards in words', () => {
    const text = toMermaid(chart());
    expect(text).toContain('\n  connecting --> connected: connect done\n');
    expect(text).toContain('\n  connecting --> backingOff: connect failed\n');
    expect(text).toContain('\n  connected --> connecting: dead / closed done / closed failed [isSessionStable]\n');
    expect(text).toContain('\n  backingOff --> failed: wait done / wait failed [isWindowSpent]\n');
    expect(text).not.toContain('xstate.');
  });

  it('draws one arrow for the events that lead to the same state', () => {
    const arrows = [...toMermaid(chart()).matchAll(/^ {2}(\w+ --> \w+): (?:.*(\[\w+\]))?/gmu)].map(([, ...arrow]) =>
      String(arrow),
    );
    expect(new Set(arrows).size).toBe(arrows.length);
    expect(toMermaid(chart())).toContain('\n  failed --> connecting: start / retry / update\n');
  });

  it('draws what every state does, but not where a state does otherwise', () => {
    const stops = toMermaid(chart()).match(/^.*: stop$/gmu);
    expect(stops?.map((line) => line.trim())).toEqual(
      ['connecting', 'connected', 'backingOff', 'failed'].map((name) => `${name} --> idle: stop`),
    );
  });

  it('is the same text each time', () => {
    expect(toMermaid(chart())).toBe(toMermaid(chart()));
  });

  it('draws nested, final and oddly named states', () => {
    const machine = createMachine({
      initial: 'at work',
      states: {
        'at work': {
          initial: 'one',
          states: { one: { after: { 1000: 'two' } }, two: { type: 'final' } },
          onDone: 'over',
        },
        over: { type: 'final', on: { 'a:b;': {} } },
      },
    });
    expect(toMermaid(machine)).toBe(
      [
        'stateDiagram-v2',
        '  state "at work" as at_32_work {',
        '    state "one" as at_32_work__one',
        '    state "two" as at_32_work__two',
        '    [*] --> at_32_work__one',
        '    at_32_work__one --> at_32_work__two: after 1000',
        '    at_32_work__two --> [*]',
        '  }',
        '  state "over" as over',
        '  [*] --> at_32_work',
        '  at_32_work --> over: (machine).at work done',
        '  over --> [*]',
        '',
      ].join('\n'),
    );
  });

  it('lets no name mean anything to Mermaid', () => {
    const machine = createMachine({ initial: 'a', states: { a: { on: { 'x; y: #1': 'b' } }, b: {} } });
    expect(toMermaid(machine)).toContain('a --> b: x#59; y#58; #35;1');
  });
});
