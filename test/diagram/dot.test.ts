/** The chart in DOT and as SVG, drawn by Graphviz itself. */
import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf, labelOf } from '../../src/diagram/chart';
import { toDot } from '../../src/diagram/dot';
import { toSvg } from '../../src/diagram/svg';
import { createReconnectMachine } from '../../src/index';

const reconnect = chartOf(createReconnectMachine({ connect: () => Promise.reject(new Error('never asked')) }));

/** How often `pattern` is in `text`. */
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

describe('the chart as SVG', () => {
  it('has a group for each state and a line for each arrow, which a page can style', async () => {
    const svg = await toSvg(reconnect);
    for (const { id } of reconnect.root.states) expect(count(svg, new RegExp(`<g id="state-${id}" `, 'gu'))).toBe(1);
    reconnect.arrows.forEach((arrow, index) => {
      expect(count(svg, new RegExp(`class="[^"]*\\barrow-${index}\\b`, 'gu')), labelOf(arrow)).toBe(1);
    });
  });

  it('writes every event and every guard', async () => {
    const text = [...(await toSvg(reconnect)).matchAll(/<text[^>]*>([^<]*)</gu)].map(([, words]) => words).join(' ');
    for (const { events, guard } of reconnect.arrows) {
      for (const event of events) expect(text).toContain(event.split(' ')[0]);
      if (guard !== undefined) expect(text).toContain(`[${guard}]`);
    }
  });

  it('is the same picture each time, and takes the colour of the text around it', async () => {
    const svg = await toSvg(reconnect);
    expect(await toSvg(reconnect)).toBe(svg);
    expect(svg).not.toContain('"black"');
    expect(svg).toContain('prefers-color-scheme:dark');
  });
});

describe('the chart in DOT', () => {
  const machine = createMachine({
    initial: 'at work',
    states: {
      'at work': {
        initial: 'one',
        states: { one: { after: { 1000: 'two' } }, two: { type: 'final' } },
        onDone: 'over',
      },
      over: { type: 'final' },
      'with "quotes" \\ and <tags>': { on: { 'a "b"': { target: 'over' }, x: 'at work' } },
    },
  });

  it('draws nested, final and oddly named states, and Graphviz takes it', async () => {
    const svg = await toSvg(chartOf(machine));
    expect(svg).toContain('id="state-at_32_work"');
    expect(svg).toContain('id="state-at_32_work__one"');
    expect(svg).toContain('with &quot;quotes&quot; \\ and &lt;tags&gt;');
    expect(svg).toContain('a &quot;b&quot;');
  });

  it('draws one line for all that leads from a state to itself', () => {
    const loops = createMachine({
      initial: 'a',
      states: { a: { on: { x: { target: 'a', reenter: true }, y: { guard: 'may', target: 'a', reenter: true } } } },
    });
    const dot = toDot(chartOf(loops));
    expect(count(dot, /"a" -> "a"/gu)).toBe(1);
    expect(dot).toContain('class="arrow arrow-0 arrow-1"');
  });
});
