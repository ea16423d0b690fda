/** The actors that run, and what there is to tell about them. */
import type { AnyActorLogic, InspectionEvent } from 'xstate';
import { type Blueprint, createBlueprint, isMachine } from './definition';
import type { AppMessage } from './protocol';
import type { Serializer } from './serialize';
import { type InspectedActor, nameOf, Service, type Surroundings } from './service';

/** Those who are told. A message is only made when somebody listens. */
export interface Audience {
  readonly present: boolean;
  tell(message: () => AppMessage): void;
}

export class Registry {
  readonly #audience: Audience;
  readonly #serialize: Serializer;
  readonly #services = new Map<InspectedActor, Service>();
  readonly #bySessionId = new Map<string, Service>();
  readonly #blueprints = new WeakMap<AnyActorLogic, Blueprint>();
  readonly #surroundings: Surroundings;
  /** Services with an event that no snapshot has answered yet. */
  readonly #unanswered = new Set<Service>();

  constructor(audience: Audience, serialize: Serializer) {
    this.#audience = audience;
    this.#serialize = serialize;
    this.#surroundings = {
      serialize,
      blueprintOf: (actor) => this.#blueprintOf(actor),
      sessionIdOf: (actor) => this.#services.get(actor)?.sessionId ?? actor.sessionId,
    };
  }

  find(sessionId: string): Service | undefined {
    return this.#bySessionId.get(sessionId);
  }

  /** Parents come before their children. */
  all(): Service[] {
    return [...this.#services.values()];
  }

  /** Takes what XState tells inspectors. */
  observe(event: InspectionEvent): void {
    const actor = event.actorRef as InspectedActor;
    switch (event.type) {
      case '@xstate.microstep':
        if (this.#audience.present) this.#services.get(actor)?.noteTransitions(event._transitions);
        break;
      case '@xstate.action':
        if (this.#audience.present) this.#services.get(actor)?.noteAction(event.action);
        break;
      case '@xstate.event': {
        // Not before it starts, when it may not have a snapshot yet: its first event says that it does.
        const service = event.event.type === 'xstate.init' ? this.add(actor) : this.#services.get(actor);
        if (service === undefined) break;
        this.#audience.tell(() => service.event(event.event, event.sourceRef as InspectedActor | undefined));
        this.#expectAnswer(service);
        break;
      }
      case '@xstate.snapshot': {
        const service = this.#services.get(actor) ?? (isActive(actor) ? this.add(actor) : undefined);
        service?.noteEvent(event.event);
        if (service !== undefined) this.#tellState(service, event.event.type);
        break;
      }
    }
  }

  /** Registers an actor, after its parents. */
  add(actor: InspectedActor): Service {
    const known = this.#services.get(actor);
    if (known !== undefined) return known;
    if (actor._parent !== undefined && isActive(actor._parent)) this.add(actor._parent);
    let sessionId = actor.sessionId;
    for (let copy = 2; this.#bySessionId.has(sessionId); copy += 1) sessionId = `${actor.sessionId}#${copy}`;
    const service = new Service(actor, sessionId, this.#surroundings);
    this.#services.set(actor, service);
    this.#bySessionId.set(sessionId, service);
    this.#audience.tell(() => service.register());
    return service;
  }

  /** Forgets them all. */
  clear(): void {
    this.#services.clear();
    this.#bySessionId.clear();
  }

  /** XState says nothing of an actor in which something threw. It is found out once the event was handled. */
  #expectAnswer(service: Service): void {
    this.#unanswered.add(service);
    if (this.#unanswered.size > 1) return;
    queueMicrotask(() => {
      const services = [...this.#unanswered];
      this.#unanswered.clear();
      for (const each of services) if (!each.active && this.#services.has(each.actor)) this.#tellState(each);
    });
  }

  #tellState(service: Service, eventType?: string): void {
    this.#unanswered.delete(service);
    this.#audience.tell(() => service.state());
    // Not by its status alone: the logic of `fromTransition` says "active" of an actor that was stopped.
    if (service.active && eventType !== 'xstate.stop') return;
    this.#services.delete(service.actor);
    this.#bySessionId.delete(service.sessionId);
    this.#audience.tell(() => service.stop());
  }

  #blueprintOf(actor: InspectedActor): Blueprint {
    const { logic } = actor;
    const known = this.#blueprints.get(logic);
    if (known !== undefined) return known;
    const blueprint = createBlueprint(logic, nameOf(actor), this.#serialize);
    // Those of other logics have the actor's name in them.
    if (isMachine(logic)) this.#blueprints.set(logic, blueprint);
    return blueprint;
  }
}

function isActive(actor: InspectedActor): boolean {
  return (actor.getSnapshot() as { status?: string } | undefined)?.status === 'active';
}
