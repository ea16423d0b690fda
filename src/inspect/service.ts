/** One actor as viewers know it: a service of XState 4. */
import type {
  AnyActorLogic,
  AnyActorRef,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyTransitionDefinition,
  Snapshot,
} from 'xstate';
import { type Blueprint, describeTransition, isMachine } from './definition';
import type { ActionData, AppMessage, ScxmlEvent, StateData } from './protocol';
import type { Serializer } from './serialize';

/** The actor itself, which XState hands to inspectors under a narrower type. */
export type InspectedActor = AnyActorRef & { readonly logic: AnyActorLogic; readonly _parent?: InspectedActor };

/** What a service needs to know of its surroundings. */
export interface Surroundings {
  serialize: Serializer;
  blueprintOf: (actor: InspectedActor) => Blueprint;
  /** What viewers call an actor. */
  sessionIdOf: (actor: InspectedActor) => string;
}

export class Service {
  readonly actor: InspectedActor;
  readonly sessionId: string;
  readonly #surroundings: Surroundings;
  #lastEvent: AnyEventObject = { type: 'xstate.init' };
  /** What has happened since the last state that was told. */
  #transitions: AnyTransitionDefinition[] = [];
  #actions: ActionData[] = [];

  constructor(actor: InspectedActor, sessionId: string, surroundings: Surroundings) {
    this.actor = actor;
    this.sessionId = sessionId;
    this.#surroundings = surroundings;
  }

  /** Whether the actor still takes events. */
  get active(): boolean {
    return this.#snapshot.status === 'active';
  }

  noteTransitions(transitions: readonly AnyTransitionDefinition[]): void {
    this.#transitions.push(...transitions);
  }

  noteAction({ type, params }: { type: string; params: unknown }): void {
    this.#actions.push({ type, ...(params !== undefined && { params }) });
  }

  /** The state from now on is what `event` led to. */
  noteEvent(event: AnyEventObject): void {
    this.#lastEvent = event;
  }

  register(): AppMessage {
    const { actor, sessionId } = this;
    const { blueprintOf, sessionIdOf } = this.#surroundings;
    return {
      type: 'service.register',
      sessionId,
      id: nameOf(actor),
      ...(actor._parent !== undefined && { parent: sessionIdOf(actor._parent) }),
      ...(typeof actor.src === 'string' && { source: actor.src }),
      machine: blueprintOf(actor).definition,
      state: this.#state(),
    };
  }

  /** Tells of an event on its way to the actor. */
  event(event: AnyEventObject, sender: InspectedActor | undefined): AppMessage {
    const origin = sender && this.#surroundings.sessionIdOf(sender);
    return { type: 'service.event', sessionId: this.sessionId, event: JSON.stringify(this.#envelope(event, origin)) };
  }

  /** Tells of the state, and of what has led to it since this was last asked for. */
  state(): AppMessage {
    const { serialize, blueprintOf } = this.#surroundings;
    const { translate } = blueprintOf(this.actor);
    const transitions = this.#transitions.map((each) => describeTransition(each, translate, serialize));
    const actions = serialize(this.#actions);
    this.#transitions = [];
    this.#actions = [];
    return { type: 'service.state', sessionId: this.sessionId, state: this.#state({ transitions, actions }) };
  }

  stop(): AppMessage {
    return { type: 'service.stop', sessionId: this.sessionId };
  }

  get #snapshot(): Snapshot<unknown> & Partial<AnyMachineSnapshot> {
    return this.actor.getSnapshot();
  }

  #state(news: Pick<StateData, 'transitions' | 'actions'> = { transitions: [], actions: [] }): string {
    const { serialize } = this.#surroundings;
    const snapshot = this.#snapshot;
    const { status, value, tags, output, error } = snapshot;
    const _event = this.#envelope(this.#lastEvent);
    const data: StateData = {
      // A machine that failed before it was in any state is shown where it would have begun.
      value: value ?? (isMachine(this.actor.logic) ? {} : status),
      context: serialize('context' in snapshot ? snapshot.context : { input: (snapshot as { input?: unknown }).input }),
      event: _event.data,
      _event,
      _sessionid: this.sessionId,
      ...news,
      children: this.#children(snapshot.children ?? {}),
      tags: [...(tags ?? [])],
      meta: serialize(snapshot.getMeta?.() ?? {}),
      done: status === 'done',
      status,
      ...(output !== undefined && { output: serialize(output as unknown) }),
      ...(error !== undefined && { error: serialize(error) }),
      at: performance.now(),
      activities: {},
      events: [],
    };
    return JSON.stringify(data);
  }

  #children(children: Record<string, unknown>): StateData['children'] {
    const entries = Object.entries(children as Record<string, InspectedActor | undefined>);
    return Object.fromEntries(
      entries.flatMap(([id, child]) =>
        child === undefined ? [] : [[id, { id, sessionId: this.#surroundings.sessionIdOf(child) }]],
      ),
    );
  }

  #envelope(event: AnyEventObject, origin?: string): ScxmlEvent {
    const { serialize, blueprintOf } = this.#surroundings;
    const name = blueprintOf(this.actor).translate(event.type);
    return {
      name,
      data: { ...serialize(event), type: name },
      $$type: 'scxml',
      type: 'external',
      ...(origin !== undefined && { origin }),
    };
  }
}

/** An actor that nobody named has its session id for a name; its machine's says more. */
export function nameOf({ id, sessionId, logic }: InspectedActor): string {
  return id === sessionId && isMachine(logic) ? logic.id : id;
}
