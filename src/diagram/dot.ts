/** A statechart in DOT, the language of Graphviz, which lays it out and draws it. */
import { type Chart, type ChartArrow, type ChartState, labelOf } from './chart';

/**
 * What Graphviz measures text by. It cannot know the reader's font, so it measures generously: {@link TEXT_STYLE} draws smaller, and then
 * a wider font fits too.
 */
const FONT = 'Helvetica';

/** CSS for the text of the SVG that Graphviz makes. */
export const TEXT_STYLE =
  'text{font-family:Helvetica,Arial,sans-serif}.state text{font-size:14px}.arrow text{font-size:10.5px}';

/**
 * Writes `chart` in DOT. In the SVG that Graphviz makes of it each state is a group with the id `state-` and the state's id, and each
 * arrow one with the class `arrow-` and its index in `chart.arrows`; so a page can style them.
 */
export function toDot({ root, arrows }: Chart): string {
  const clusters = new Set<string>();
  const lines = (state: ChartState, indent: string): string[] => {
    const start = state.initial === undefined ? [] : startOf(state, state.initial, indent);
    return [
      ...start,
      ...state.states.flatMap((child) => {
        if (child.states.length === 0) return [`${indent}${quote(child.id)} [${nodeAttributes(child)}]`];
        clusters.add(child.id);
        return [
          `${indent}subgraph ${quote(`cluster_${child.id}`)} {`,
          `${indent}  label=${quote(child.name)} id=${quote(`state-${child.id}`)} class="state" style="rounded"`,
          // An arrow to or from the state itself ends at this point, cut off at the border.
          `${indent}  ${quote(child.id)} [shape=point style=invis width=0 height=0]`,
          ...lines(child, `${indent}  `),
          `${indent}}`,
        ];
      }),
    ];
  };
  const drawn = lines(root, '  ');
  return `${[
    'digraph {',
    `  graph [compound=true nodesep=0.5 ranksep=0.6 bgcolor="transparent" fontname="${FONT}" fontsize=16]`,
    `  node [shape=box style=rounded fontname="${FONT}" fontsize=16 margin="0.25,0.15"]`,
    `  edge [fontname="${FONT}" fontsize=13 arrowsize=0.7]`,
    ...drawn,
    ...linesOf(arrows).map(({ from, to, labels, indices }) => {
      const ends = [
        ...(clusters.has(from) ? [`ltail=${quote(`cluster_${from}`)}`] : []),
        ...(clusters.has(to) ? [`lhead=${quote(`cluster_${to}`)}`] : []),
      ];
      const names = ['arrow', ...indices.map((index) => `arrow-${index}`)].join(' ');
      const attributes = [`class="${names}"`, `label=${quote(labels.map(wrap).join('\n'))}`, ...ends].join(' ');
      return `  ${quote(from)} -> ${quote(to)} [${attributes}]`;
    }),
    '}',
  ].join('\n')}\n`;
}

/** A line that is drawn: an arrow, or all those that lead from a state to itself, which would lie on each other. */
interface Line {
  from: string;
  to: string;
  labels: string[];
  /** Where in the chart's arrows they are. */
  indices: number[];
}

function linesOf(arrows: readonly ChartArrow[]): Line[] {
  const lines: Line[] = [];
  arrows.forEach((arrow, index) => {
    const { from, to } = arrow;
    const loop = from === to ? lines.find((line) => line.from === from && line.to === to) : undefined;
    if (loop === undefined) lines.push({ from, to, labels: [labelOf(arrow)], indices: [index] });
    else {
      loop.labels.push(labelOf(arrow));
      loop.indices.push(index);
    }
  });
  return lines;
}

function nodeAttributes({ id, name, isFinal }: ChartState): string {
  return `id=${quote(`state-${id}`)} class="state" label=${quote(name)}${isFinal ? ' peripheries=2' : ''}`;
}

/** The dot from which an arrow leads to the state that is entered first. */
function startOf({ id }: ChartState, initial: string, indent: string): string[] {
  const dot = quote(`start_${id}`);
  return [
    `${indent}${dot} [shape=point width=0.12 class="start"]`,
    `${indent}${dot} -> ${quote(initial)} [class="start"]`,
  ];
}

/** About as wide as a label may be before it goes on in the next line. */
const LINE = 24;

/** Breaks a label between its words: events first, the guard in a line of its own. */
function wrap(label: string): string {
  const lines: string[] = [];
  for (const word of label.split(' ')) {
    const last = lines.at(-1);
    const fits = last !== undefined && last.length + word.length < LINE && !word.startsWith('[');
    if (fits) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/gu, '\\$&').replace(/\r?\n/gu, '\\n')}"`;
}
