/** A statechart as a Mermaid diagram, drawn from the machine itself. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/**
 * Draws `machine` as a Mermaid `stateDiagram-v2`: its states, where it starts, and each transition with its event and, in
 * brackets, its guard. What every state does is drawn for each state. The same machine always gives the same text.
 *
 * Transitions that change no state are left out.
 */
export function toMermaid(machine: AnyStateMachine): string {
  return `${['stateDiagram-v2', ...drawChildren(machine.root, '  ')].join('\n')}\n`;
}

function drawChildren(node: AnyStateNode, indent: string): string[] {
  const children = Object.values(node.states);
  const lines = children.flatMap((child) => {
    const inner = drawChildren(child, `${indent}  `);
    const name = `${indent}state "${escapeText(child.key)}" as ${idOf(child)}`;
    return inner.length === 0 ? [name] : [`${name} {`, ...inner, `${indent}}`];
  });
  const initial = node.type === 'compound' ? [`${indent}[*] --> ${idOf(node.initial.target[0])}`] : [];
  const transitions = children.flatMap((child) => [
    ...drawTransitions(child).map((line) => `${indent}${line}`),
    ...(child.type === 'final' ? [`${indent}${idOf(child)} --> [*]`] : []),
  ]);
  return [...lines, ...initial, ...transitions];
}

/** The transitions out of `node`: its own, and those of the whole machine that it does not replace. */
function transitionsOf(node: AnyStateNode): AnyTransitionDefinition[] {
  const own = [...node.transitions.values(), node.always ?? []].flat();
  const { root } = node.machine;
  const shared = node.parent === root ? [...root.transitions].filter(([event]) => !node.transitions.has(event)) : [];
  return [...own, ...shared.flatMap(([, transitions]) => transitions)].filter(({ target }) => target !== undefined);
}

/** One arrow for all the events that lead from `from` to the same state under the same guard. */
function drawTransitions(from: AnyStateNode): string[] {
  const arrows = new Map<string, { arrow: string; events: string[]; guard: string }>();
  for (const { target, eventType, guard } of transitionsOf(from)) {
    const arrow = `${idOf(from)} --> ${idOf(target?.[0])}`;
    const condition = guard === undefined ? '' : `[${nameGuard(guard)}]`;
    const key = `${arrow} ${condition}`;
    const known = arrows.get(key);
    if (known === undefined) arrows.set(key, { arrow, events: [nameEvent(eventType)], guard: condition });
    else known.events.push(nameEvent(eventType));
  }
  return [...arrows.values()].map(({ arrow, events, guard }) => {
    const label = [events.filter(Boolean).join(' / '), guard].filter(Boolean).map(escapeText).join(' ');
    return `${arrow}${label && `: ${label}`}`;
  });
}

/** XState's own events in words: `xstate.done.actor.connect` is `connect done`. */
function nameEvent(type: string): string {
  const [, kind, source] = /^xstate\.(done\.actor|error\.actor|done\.state|after)\.(.+)$/su.exec(type) ?? [];
  if (kind === undefined || source === undefined) return type;
  if (kind === 'after') return `after ${source.replace(/\..*$/su, '')}`;
  return `${source} ${kind === 'error.actor' ? 'failed' : 'done'}`;
}

function nameGuard(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  const { type, name } = guard as { type?: string; name?: string };
  return type ?? (name || 'guard');
}

/** A name that Mermaid takes, and that no other state has. */
function idOf(node: AnyStateNode | undefined): string {
  return (node?.path ?? []).map((key) => key.replace(/\W/gu, (character) => `_${character.charCodeAt(0)}_`)).join('__');
}

/** Text in which nothing means anything to Mermaid. */
function escapeText(text: string): string {
  return text.replace(/[#;:"{}<>\n\r]/gu, (character) => `#${character.charCodeAt(0)};`);
}
