/** A machine as it comes over the wire, as the chart that is drawn of it. */
import { type Chart, type ChartState, type ChartTransition, gatherArrows, stateId } from '../diagram/chart';
import type { MachineDefinition, StateNodeDefinition, TakenTransition, TransitionData } from '../inspect';
import { activePaths } from './state-value';

/** A chart, and where in it what an actor tells is found. */
export interface WireChart {
  readonly chart: Chart;
  /** The ids of the states that are active in `value`. */
  activeStates(value: unknown): string[];
  /** The index of the arrow that stands for a transition out of `before`; undefined where none does. */
  arrowOf(taken: TakenTransition, before: unknown): number | undefined;
}

/**
 * The chart of `machine`. All transitions from one state to another are one arrow, whatever their guards: here the arrow that was
 * taken says which of them it was.
 */
export function chartOfDefinition(machine: MachineDefinition): WireChart {
  const paths = new Map<string, readonly string[]>();
  collectPaths(machine, [], paths);
  const idOf = (reference: string): string | undefined => {
    const path = paths.get(reference);
    return path && stateId(path);
  };
  const transitions = Object.entries(machine.states).flatMap(([key, child]) =>
    transitionsWithin(child, [key], machine, idOf),
  );
  const arrows = gatherArrows(unique(transitions));
  const indexes = new Map(arrows.map(({ from, to }, index) => [JSON.stringify([from, to]), index]));
  return {
    chart: { root: stateOf(machine, []), arrows },
    activeStates: (value) => activePaths(value).map(stateId),
    arrowOf({ source, target }, before) {
      const to = target?.[0] === undefined ? undefined : idOf(target[0]);
      if (to === undefined) return undefined;
      // What the whole machine does is drawn for each of its states.
      const from = paths.get(source)?.length === 0 ? activePaths(before)[0]?.slice(0, 1) : paths.get(source);
      return from && indexes.get(JSON.stringify([stateId(from), to]));
    },
  };
}

function collectPaths(node: StateNodeDefinition, path: readonly string[], into: Map<string, readonly string[]>): void {
  into.set(`#${node.id}`, path);
  for (const [key, child] of Object.entries(node.states)) collectPaths(child, [...path, key], into);
}

function stateOf({ key, type, initial, states }: StateNodeDefinition, path: readonly string[]): ChartState {
  return {
    id: stateId(path),
    name: key,
    isFinal: type === 'final',
    initial: initial === undefined ? undefined : stateId([...path, initial]),
    states: Object.entries(states).map(([name, child]) => stateOf(child, [...path, name])),
  };
}

type IdOf = (reference: string) => string | undefined;

function transitionsWithin(
  node: StateNodeDefinition,
  path: readonly string[],
  machine: MachineDefinition,
  idOf: IdOf,
): ChartTransition[] {
  const shared = path.length === 1 ? Object.entries(machine.on).filter(([event]) => !(event in node.on)) : [];
  const own = [
    ...Object.entries(node.on).map(([event, list]) => [nameEvent(event), list] as const),
    ...Object.entries(node.after).map(([delay, list]) => [`after ${delay}`, list] as const),
    ['', node.always] as const,
    ...shared.map(([event, list]) => [nameEvent(event), list] as const),
  ];
  const leading = ([event, list]: readonly [string, readonly TransitionData[]]): ChartTransition[] =>
    list.flatMap(({ target }) => {
      const to = target?.[0] === undefined ? undefined : idOf(target[0]);
      return to === undefined ? [] : [{ from: stateId(path), to, event, guard: undefined }];
    });
  const within = Object.entries(node.states).flatMap(([key, child]) =>
    transitionsWithin(child, [...path, key], machine, idOf),
  );
  return [...own.flatMap(leading), ...within];
}

/** Without those that differ from another in their guard alone. */
function unique(transitions: readonly ChartTransition[]): ChartTransition[] {
  const byWhatIsDrawn = transitions.map((each) => [JSON.stringify([each.from, each.to, each.event]), each] as const);
  return [...new Map(byWhatIsDrawn).values()];
}

/** XState 4's names of its own events in words: `done.invoke.connect` is `connect done`. */
export function nameEvent(type: string): string {
  const [, kind, source] = /^(done\.invoke|error\.platform|done\.state)\.(.+)$/su.exec(type) ?? [];
  if (source !== undefined) return `${source} ${kind === 'error.platform' ? 'failed' : 'done'}`;
  return /^xstate\.after\((.*)\)#/su.exec(type)?.[1]?.replace(/^/u, 'after ') ?? type;
}
