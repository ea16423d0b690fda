/** XState's names of its own events: version 4's for version 5's. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** Translates the type of an event from XState 5 to XState 4. Types of the app's own stay as they are. */
export type Translate = (type: string) => string;

const PREFIXES = [
  ['xstate.done.actor.', 'done.invoke.'],
  ['xstate.error.actor.', 'error.platform.'],
  ['xstate.done.state.', 'done.state.'],
] as const;

export const translateEventType: Translate = (type) => {
  for (const [current, former] of PREFIXES) {
    if (type.startsWith(current)) return former + type.slice(current.length);
  }
  return type;
};

/** Translates the events of `machine`, those of its delays among them: only the machine knows where in them its ids begin. */
export function createTranslator(machine: AnyStateMachine): Translate {
  const delayed = new Map<string, string>();
  const collect = (node: AnyStateNode): void => {
    for (const { eventType, delay } of node.after) delayed.set(eventType, `xstate.after(${String(delay)})#${node.id}`);
    for (const child of Object.values(node.states)) collect(child);
  };
  collect(machine.root);
  return (type) => delayed.get(type) ?? translateEventType(type);
}

/** Whether an event is one that XState sends itself, by either version's name, or that no actor survives. */
export function isReserved(type: string): boolean {
  return type === '*' || type.startsWith('xstate.') || PREFIXES.some(([, former]) => type.startsWith(former));
}
