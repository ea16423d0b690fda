/** A machine of XState 5 as XState 4 writes it. */
import type { AnyActorLogic, AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { createTranslator, type Translate, translateEventType } from './event-names';
import type {
  ActionData,
  GuardData,
  MachineDefinition,
  StateNodeDefinition,
  TakenTransition,
  TransitionData,
} from './protocol';
import type { Serializer } from './serialize';

/** What an actor's logic is to a viewer. */
export interface Blueprint {
  /** A {@link MachineDefinition} as JSON. */
  readonly definition: string;
  readonly translate: Translate;
}

/** The blueprint of a machine, or of any other logic, whose states are then the statuses that an actor can have. */
export function createBlueprint(logic: AnyActorLogic, id: string, serialize: Serializer): Blueprint {
  if (!isMachine(logic)) return { definition: JSON.stringify(defineStatuses(id)), translate: translateEventType };
  const translate = createTranslator(logic);
  const definition = JSON.stringify(new Writer(translate, serialize).machine(logic));
  return { definition, translate };
}

/** Not `instanceof`: an app may have several copies of XState. */
export function isMachine(logic: AnyActorLogic): logic is AnyStateMachine {
  return 'root' in logic && 'definition' in logic;
}

/** A transition that was taken. */
export function describeTransition(
  transition: AnyTransitionDefinition,
  translate: Translate,
  serialize: Serializer,
): TakenTransition {
  return {
    ...new Writer(translate, serialize).transition(transition),
    eventType: translate(transition.eventType),
    source: `#${transition.source.id}`,
  };
}

class Writer {
  readonly #translate: Translate;
  readonly #serialize: Serializer;

  constructor(translate: Translate, serialize: Serializer) {
    this.#translate = translate;
    this.#serialize = serialize;
  }

  machine({ root }: AnyStateMachine): MachineDefinition {
    return { ...this.#node(root), predictableActionArguments: true };
  }

  transition({ target, guard, actions, reenter, description }: AnyTransitionDefinition): TransitionData {
    return {
      ...(target !== undefined && { target: target.map(({ id }) => `#${id}`) }),
      ...(guard !== undefined && { cond: this.#guard(guard) }),
      actions: actions.map((action) => this.#action(action)),
      internal: !reenter,
      ...(description !== undefined && { description }),
    };
  }

  #node(node: AnyStateNode): StateNodeDefinition {
    const { id, key, type, history, meta, tags, description, config } = node;
    const delayed = new Set(node.after.map(({ eventType }) => eventType));
    const on: Record<string, TransitionData[]> = {};
    for (const [eventType, transitions] of node.transitions) {
      if (!delayed.has(eventType)) on[this.#translate(eventType)] = transitions.map((each) => this.transition(each));
    }
    const after: Record<string, TransitionData[]> = {};
    for (const transition of node.after) {
      const delay = String(transition.delay);
      after[delay] = [...(after[delay] ?? []), this.transition(transition)];
    }
    return {
      id,
      key,
      type,
      ...(type === 'compound' && { initial: node.initial.target[0]!.key }),
      ...(history !== false && { history }),
      ...(type === 'history' && config.target !== undefined && { target: config.target as string }),
      states: Object.fromEntries(Object.entries(node.states).map(([name, child]) => [name, this.#node(child)])),
      on,
      after,
      always: (node.always ?? []).map((transition) => this.transition(transition)),
      // Not those of the node, which has the starting and the cancelling of its delays among them: version 4 adds its own.
      entry: this.#actions(config.entry),
      exit: this.#actions(config.exit),
      invoke: node.invoke.map((invoke) => ({ id: invoke.id, src: String(invoke.src) })),
      tags,
      ...(meta !== undefined && { meta: this.#serialize(meta) as unknown }),
      ...(description !== undefined && { description }),
    };
  }

  #actions(actions: unknown): ActionData[] {
    const list = Array.isArray(actions) ? actions : actions === undefined ? [] : [actions];
    return list.map((action) => this.#action(action));
  }

  /** An action of a function has the name of its creator (`xstate.assign`) or its own. */
  #action(action: unknown): ActionData {
    const { type, params } = named(action);
    return { type, ...(params !== undefined && { params: this.#serialize(params) }) };
  }

  /** What version 4 makes of a guard that is given by name. */
  #guard(guard: unknown): GuardData {
    const { params } = named(guard);
    return {
      type: 'xstate.guard',
      name: guardName(guard),
      ...(params !== undefined && { params: this.#serialize(params) }),
    };
  }
}

/** The name of an action or a guard, and its params if they are fixed. */
function named(thing: unknown): { type: string; params?: unknown } {
  if (typeof thing === 'string') return { type: thing };
  const { type, params } = thing as { type?: string; params?: unknown };
  if (typeof thing === 'function') return { type: type ?? (thing.name || '(anonymous)') };
  return { type: type ?? '(anonymous)', ...(typeof params !== 'function' && { params }) };
}

/** `not(isOnline)` and the like: XState's own guards are functions that hold others. */
function guardName(guard: unknown): string {
  const { type } = named(guard);
  if (typeof guard !== 'function') return type;
  const { guards, stateValue } = guard as { guards?: readonly unknown[]; stateValue?: unknown };
  if (guards !== undefined) return `${type}(${guards.map(guardName).join(', ')})`;
  return stateValue === undefined ? type : `${type}(${JSON.stringify(stateValue)})`;
}

/** Actors without a machine have a status and no more. */
function defineStatuses(id: string): MachineDefinition {
  const define = (key: string, type: 'atomic' | 'final'): StateNodeDefinition => ({
    ...blank,
    id: `${id}.${key}`,
    key,
    type,
  });
  const states = {
    active: define('active', 'atomic'),
    done: define('done', 'final'),
    error: define('error', 'final'),
    stopped: define('stopped', 'final'),
  };
  return { ...blank, id, key: id, type: 'compound', initial: 'active', states, predictableActionArguments: true };
}

const blank = { states: {}, on: {}, after: {}, always: [], entry: [], exit: [], invoke: [], tags: [] };
