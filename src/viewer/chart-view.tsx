/** The chart of an actor, drawn once; then its marks move. @jsxImportSource preact */
import { instance } from '@viz-js/viz';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Chart } from '../diagram/chart';
import { toDot } from '../diagram/dot';
import { toneOf } from './format';
import type { Taken, ViewedActor } from './model';

/** By DOT: actors of the same machine share a drawing. */
const drawings = new Map<string, Promise<SVGSVGElement>>();

async function draw(chart: Chart): Promise<SVGSVGElement> {
  const dot = toDot(chart);
  const known = drawings.get(dot);
  if (known !== undefined) return known;
  const drawing = instance().then((viz) => viz.renderSVGElement(dot));
  drawings.set(dot, drawing);
  return drawing;
}

const ZOOMS = [1, 1.5, 2, 3] as const;

export function ChartView({ actor }: { actor: ViewedActor }): JSX.Element {
  const { chart } = actor.chart;
  const host = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<SVGSVGElement>();
  const [problem, setProblem] = useState<string>();
  const [zoom, setZoom] = useState(0);

  useEffect(() => {
    let isWanted = true;
    draw(chart).then(
      (drawing) => {
        if (!isWanted) return;
        const copy = drawing.cloneNode(true) as SVGSVGElement;
        copy.setAttribute('aria-hidden', 'true');
        host.current?.replaceChildren(copy);
        setDrawn(copy);
      },
      (error: unknown) => isWanted && setProblem(String(error)),
    );
    return () => {
      isWanted = false;
    };
  }, [chart]);

  // As text, which is equal to itself.
  const active = actor.presence === 'lost' ? '' : actor.chart.activeStates(actor.state.value).join(' ');
  const tone = toneOf(actor.label);
  useEffect(() => {
    if (drawn !== undefined) markStates(drawn, active.split(' '), tone);
  }, [drawn, active, tone]);

  useEffect(() => {
    if (drawn !== undefined) markArrow(drawn, actor.taken?.arrow);
  }, [drawn, actor.taken]);

  const scale = ZOOMS[zoom]!;
  return (
    <section class="panel chart" aria-labelledby="chart">
      <div class="heading">
        <h3 id="chart">Chart</h3>
        <p class="taken">{describeTaken(actor.taken)}</p>
        <fieldset class="zoom">
          <legend class="unseen">Size of the chart</legend>
          <button type="button" aria-label="Smaller" disabled={zoom === 0} onClick={() => setZoom(zoom - 1)}>
            −
          </button>
          <button
            type="button"
            aria-label="Larger"
            disabled={zoom === ZOOMS.length - 1}
            onClick={() => setZoom(zoom + 1)}
          >
            +
          </button>
        </fieldset>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="canvas" aria-label={`Chart of ${actor.name}`} tabIndex={0}>
        <p class="unseen">{describeChart(actor)}</p>
        <div ref={host} class="drawing" style={{ width: `${scale * 100}%` }} />
        {problem !== undefined && <p class="problem">The chart could not be drawn: {problem}</p>}
      </section>
    </section>
  );
}

function markStates(drawing: SVGSVGElement, active: readonly string[], tone: string): void {
  const ids = new Set(active.map((id) => `state-${id}`));
  for (const group of drawing.querySelectorAll('g.state')) {
    group.setAttribute('class', ids.has(group.id) ? `state active ${tone}` : 'state');
  }
}

function markArrow(drawing: SVGSVGElement, index: number | undefined): void {
  for (const group of drawing.querySelectorAll('g.taken')) group.classList.remove('taken');
  const group = index === undefined ? null : drawing.querySelector(`.arrow-${index}`);
  if (group === null) return;
  // What was taken twice in a row is shown twice: the animation begins anew only once it was seen to be gone.
  group.getBoundingClientRect();
  group.classList.add('taken');
  // Above those that it crosses.
  group.parentElement?.append(group);
}

function describeTaken(taken: Taken | undefined): string {
  if (taken === undefined) return '';
  const { event, guard } = taken;
  return `last: ${event || 'no event'}${guard === undefined ? '' : ` [${guard}]`}`;
}

/** The picture in words. */
function describeChart({ chart: { chart }, label }: ViewedActor): string {
  const names = chart.root.states.map(({ name }) => name).join(', ');
  return `States: ${names}. Active: ${label}.`;
}
