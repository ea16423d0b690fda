/** The events that an actor would take now. */
import type { MachineDefinition, StateNodeDefinition, TransitionData } from '../inspect';
import { isReserved } from '../inspect/event-names';
import { activeNodes } from './state-value';

/** What our own chart's actors say to it. Of other machines nobody knows. */
const INTERNAL: ReadonlySet<string> = new Set(['dead', 'restore']);

/** What the environment says to our own chart. To pretend so is of use in a test of an app; most people are here for the others. */
const ENVIRONMENT: ReadonlySet<string> = new Set(['online', 'offline', 'suspend', 'resume', 'wake', 'healthy']);

export interface PossibleEvents {
  readonly main: readonly string[];
  readonly others: readonly string[];
}

/** The types of the events that `value` of `machine` answers, those of the innermost states first. */
export function possibleEvents(machine: MachineDefinition, value: unknown): PossibleEvents {
  const found = new Set<string>();
  const ignored = new Set<string>();
  for (const node of activeNodes(machine, value).reverse()) {
    for (const [type, transitions] of Object.entries(node.on)) {
      if (found.has(type) || ignored.has(type) || !isSendable(type)) continue;
      if (isReconnect(machine) && INTERNAL.has(type)) continue;
      (transitions.every(doesNothing) ? ignored : found).add(type);
    }
  }
  const isMain = (type: string): boolean => !(isReconnect(machine) && ENVIRONMENT.has(type));
  const types = [...found];
  return { main: types.filter(isMain), others: types.filter((type) => !isMain(type)) };
}

/** Whether `machine` is the one of this package. */
export function isReconnect({ id, states }: StateNodeDefinition): boolean {
  return id === 'reconnect' && 'backingOff' in states;
}

function isSendable(type: string): boolean {
  return type !== '' && !type.endsWith('*') && !isReserved(type);
}

/** A transition that is there to keep an event from the states around. */
function doesNothing({ target, actions }: TransitionData): boolean {
  return target === undefined && actions.length === 0;
}
