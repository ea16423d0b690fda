/** A statechart as a drawing sees it: states within states, and arrows between them. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** A state. */
export interface ChartState {
  /** Unlike that of any other state: letters, digits and underscores. */
  readonly id: string;
  /** Its name for people. */
  readonly name: string;
  readonly isFinal: boolean;
  /** The id of the state in it that is entered first; undefined where there is none, or all of them are. */
  readonly initial: string | undefined;
  readonly states: readonly ChartState[];
}

/** All the transitions that lead from one state to another under the same guard. */
export interface ChartArrow {
  /** The id of the state it leads out of. */
  readonly from: string;
  /** The id of the state it leads to. */
  readonly to: string;
  /** What takes it, in words, such as `stop` or `connect failed`; empty when it needs no event. */
  readonly events: readonly string[];
  /** The name of the guard; undefined without one. */
  readonly guard: string | undefined;
}

export interface Chart {
  /** The machine itself, whose states are drawn. */
  readonly root: ChartState;
  readonly arrows: readonly ChartArrow[];
}

/** A transition before it is drawn. */
export interface ChartTransition {
  from: string;
  to: string;
  event: string;
  guard: string | undefined;
}

/**
 * The chart of `machine`. What every state does is drawn for each state. Transitions that change no state are left out. The same
 * machine always gives the same chart.
 */
export function chartOf(machine: AnyStateMachine): Chart {
  const root = stateOf(machine.root);
  return { root, arrows: gatherArrows(transitionsWithin(machine.root)) };
}

/** One arrow for all the events that lead from a state to another under the same guard. */
export function gatherArrows(transitions: readonly ChartTransition[]): ChartArrow[] {
  const arrows = new Map<string, ChartArrow & { events: string[] }>();
  for (const { from, to, event, guard } of transitions) {
    const key = JSON.stringify([from, to, guard]);
    const known = arrows.get(key);
    const events = event === '' ? [] : [event];
    if (known === undefined) arrows.set(key, { from, to, events, guard });
    else known.events.push(...events);
  }
  return [...arrows.values()];
}

/** What is written on an arrow: its events, and its guard in brackets. */
export function labelOf({ events, guard }: ChartArrow): string {
  return [events.join(' / '), guard === undefined ? '' : `[${guard}]`].filter(Boolean).join(' ');
}

/** An id for the state at `path` that no other state has, and that every drawing takes. */
export function stateId(path: readonly string[]): string {
  return path.map((key) => key.replace(/\W/gu, (character) => `_${character.charCodeAt(0)}_`)).join('__');
}

function stateOf(node: AnyStateNode): ChartState {
  return {
    id: stateId(node.path),
    name: node.key,
    isFinal: node.type === 'final',
    initial: node.type === 'compound' ? stateId(node.initial.target[0]?.path ?? []) : undefined,
    states: Object.values(node.states).map(stateOf),
  };
}

function transitionsWithin(node: AnyStateNode): ChartTransition[] {
  return Object.values(node.states).flatMap((child) => [...transitionsOutOf(child), ...transitionsWithin(child)]);
}

/** The transitions out of `node`: its own, and those of the whole machine that it does not replace. */
function transitionsOutOf(node: AnyStateNode): ChartTransition[] {
  const own = [...node.transitions.values(), node.always ?? []].flat();
  const { root } = node.machine;
  const shared = node.parent === root ? [...root.transitions].filter(([event]) => !node.transitions.has(event)) : [];
  const transitions: AnyTransitionDefinition[] = [...own, ...shared.flatMap(([, transitions]) => transitions)];
  return transitions.flatMap(({ target, eventType, guard }) => {
    const to = target?.[0];
    if (to === undefined) return [];
    const condition = guard === undefined ? undefined : nameGuard(guard);
    return { from: stateId(node.path), to: stateId(to.path), event: nameEvent(eventType), guard: condition };
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
