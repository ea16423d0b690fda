/** A statechart as a Mermaid diagram. */
import { type Chart, type ChartState, labelOf } from './chart';

/** Writes `chart` as a Mermaid `stateDiagram-v2`. */
export function toMermaid({ root, arrows }: Chart): string {
  const lines = (state: ChartState, indent: string): string[] => {
    const inside = new Set(state.states.map(({ id }) => id));
    return [
      ...state.states.flatMap((child) => {
        const inner = lines(child, `${indent}  `);
        const name = `${indent}state "${escapeText(child.name)}" as ${child.id}`;
        return inner.length === 0 ? [name] : [`${name} {`, ...inner, `${indent}}`];
      }),
      ...(state.initial === undefined ? [] : [`${indent}[*] --> ${state.initial}`]),
      ...arrows
        .filter(({ from }) => inside.has(from))
        .map((arrow) => {
          const label = escapeText(labelOf(arrow));
          return `${indent}${arrow.from} --> ${arrow.to}${label && `: ${label}`}`;
        }),
      ...state.states.filter(({ isFinal }) => isFinal).map(({ id }) => `${indent}${id} --> [*]`),
    ];
  };
  return `${['stateDiagram-v2', ...lines(root, '  ')].join('\n')}\n`;
}

/** Text in which nothing means anything to Mermaid. */
function escapeText(text: string): string {
  return text.replace(/[#;:"{}<>\n\r]/gu, (character) => `#${character.charCodeAt(0)};`);
}
