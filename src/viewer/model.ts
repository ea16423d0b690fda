/** What the viewer knows of the actors: how they are, and what it has seen of them. */
import type { DecodedMessage, ScxmlEvent, StateData, TakenTransition } from '../inspect';
import { nameState } from './state-value';
import { type Stretch, Timeline } from './timeline';
import { chartOfDefinition, nameEvent, type WireChart } from './wire-chart';

/** How many of an actor's last events are kept. */
export const LOG_LENGTH = 200;

/** How many actors that ended are kept. A connection has a new child for each of its attempts. */
const ENDED_KEPT = 30;

/** An event that an actor was sent, and what it made of it. */
export interface LogEntry {
  /** Unlike that of any other entry of the actor. */
  readonly id: number;
  /** When it was heard of, in ms since the epoch. */
  readonly time: number;
  /** XState's own events in words. */
  readonly name: string;
  /** What came with it, cut short; empty when nothing did. */
  readonly data: string;
  /** The name of the sender; undefined when it is not known. */
  readonly origin: string | undefined;
  /** The state that it led to; undefined when it changed none, or has not been answered. */
  ledTo: string | undefined;
}

/** A transition that was taken, and the arrow of the chart that stands for it. */
export interface Taken {
  /** The arrow; undefined where none is drawn. */
  readonly arrow: number | undefined;
  readonly event: string;
  readonly guard: string | undefined;
}

/** An actor, as far as it was told of. */
export interface ViewedActor {
  readonly sessionId: string;
  readonly name: string;
  readonly parent: string | undefined;
  readonly chart: WireChart;
  readonly machine: Registration['machine'];
  readonly state: StateData;
  /** The state in a few words. */
  readonly label: string;
  /** `performance.now()` of this page at the app's time 0. */
  readonly appStart: number;
  /** Whether it runs, ended, or is out of sight because the app is. */
  readonly presence: 'running' | 'ended' | 'lost';
  readonly timeline: readonly Stretch[];
  /** Newest last. */
  readonly log: readonly LogEntry[];
  /** The last transition that changed the state; undefined before the first. */
  readonly taken: Taken | undefined;
}

type Registration = DecodedMessage & { type: 'service.register' };

/** The actors by their session ids. Each change makes a new object of the actor that changed, and of no other. */
export class Model {
  readonly #actors = new Map<string, ViewedActor>();
  readonly #timelines = new Map<string, Timeline>();
  readonly #onChange: () => void;
  #entries = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** In the order they were told of. */
  get actors(): ViewedActor[] {
    return [...this.#actors.values()];
  }

  /** Takes what the app says. `now` is `performance.now()`. */
  apply(message: DecodedMessage, now: number): void {
    switch (message.type) {
      case 'service.register':
        this.#register(message, now);
        break;
      case 'service.event':
        this.#change(message.sessionId, (actor) => ({ log: this.#logged(actor, message.event) }));
        break;
      case 'service.state':
        this.#change(message.sessionId, (actor) => this.#moved(actor, message.state, now));
        break;
      case 'service.stop':
        this.#change(message.sessionId, (actor) => this.#gone(actor, 'ended', now));
        this.#forget(this.actors.filter(({ presence }) => presence === 'ended').slice(0, -ENDED_KEPT));
        break;
      case 'xstate.disconnect':
        this.lose(now);
        return;
    }
    this.#onChange();
  }

  /** The app is out of sight: nobody knows how its actors are until they are told of again. */
  lose(now: number): void {
    for (const { sessionId, presence } of this.actors) {
      if (presence === 'running') this.#change(sessionId, (actor) => this.#gone(actor, 'lost', now));
    }
    this.#onChange();
  }

  /** Forgets the actors that do not run. */
  forgetEnded(): void {
    this.#forget(this.actors.filter(({ presence }) => presence !== 'running'));
    this.#onChange();
  }

  #forget(actors: readonly ViewedActor[]): void {
    for (const { sessionId } of actors) {
      this.#actors.delete(sessionId);
      this.#timelines.delete(sessionId);
    }
  }

  #register({ sessionId, id, parent, machine, state }: Registration, now: number): void {
    const known = this.#actors.get(sessionId);
    // A process that was started anew has actors of the same session ids, and they need not be of the same machine.
    const isSame = known !== undefined && JSON.stringify(known.machine) === JSON.stringify(machine);
    const timeline = (isSame && this.#timelines.get(sessionId)) || new Timeline();
    this.#timelines.set(sessionId, timeline);
    const label = nameState(state.value);
    const appStart = now - state.at;
    timeline.enter(label, Math.min(now, appStart + (beganAt(state) ?? state.at)));
    this.#actors.set(sessionId, {
      sessionId,
      name: id,
      parent,
      machine: isSame ? known.machine : machine,
      chart: isSame ? known.chart : chartOfDefinition(machine),
      state,
      label,
      appStart,
      presence: 'running',
      timeline: timeline.stretches,
      log: isSame ? known.log : [],
      taken: undefined,
    });
  }

  #moved(actor: ViewedActor, state: StateData, now: number): Partial<ViewedActor> {
    const label = nameState(state.value);
    const appStart = now - state.at;
    const timeline = this.#timelines.get(actor.sessionId)!;
    timeline.enter(label, now);
    const taken = state.transitions.filter(({ target }) => target !== undefined).at(-1);
    return {
      state,
      label,
      appStart,
      timeline: timeline.stretches,
      log: this.#answered(actor, state, label),
      ...(taken !== undefined && { taken: this.#taken(actor, taken) }),
    };
  }

  #taken({ chart, state }: ViewedActor, transition: TakenTransition): Taken {
    return {
      arrow: chart.arrowOf(transition, state.value),
      event: nameEvent(transition.eventType),
      guard: transition.cond?.name,
    };
  }

  #gone(actor: ViewedActor, presence: 'ended' | 'lost', now: number): Partial<ViewedActor> {
    const timeline = this.#timelines.get(actor.sessionId)!;
    timeline.leave(now);
    return { presence, timeline: timeline.stretches };
  }

  #logged({ log }: ViewedActor, event: ScxmlEvent): LogEntry[] {
    this.#entries += 1;
    // The name says both.
    const { type: _, actorId: __, ...data } = event.data;
    const entry: LogEntry = {
      id: this.#entries,
      time: Date.now(),
      name: nameEvent(event.name),
      data: Object.keys(data).length === 0 ? '' : preview(data),
      origin: event.origin && this.#actors.get(event.origin)?.name,
      ledTo: undefined,
    };
    return [...log.slice(1 - LOG_LENGTH), entry];
  }

  /** The state is the answer to the last event that was logged, or to one that nobody told of, such as a delay's. */
  #answered(actor: ViewedActor, state: StateData, label: string): readonly LogEntry[] {
    const changed = label !== actor.label || state.transitions.some(({ target }) => target !== undefined);
    if (!changed) return actor.log;
    const log =
      actor.log.at(-1)?.name === nameEvent(state._event.name) ? [...actor.log] : this.#logged(actor, state._event);
    log[log.length - 1] = { ...log.at(-1)!, ledTo: label };
    return log;
  }

  #change(sessionId: string, change: (actor: ViewedActor) => Partial<ViewedActor>): void {
    const actor = this.#actors.get(sessionId);
    if (actor !== undefined) this.#actors.set(sessionId, { ...actor, ...change(actor) });
  }
}

/** Since when a reconnect chart is in its state, in the app's time, as far as it remembers that. */
function beganAt({ context }: StateData): number | undefined {
  const { connectedAt, retryAt, wait } = (context ?? {}) as Record<string, unknown>;
  if (typeof connectedAt === 'number') return connectedAt;
  return typeof retryAt === 'number' && typeof wait === 'number' ? retryAt - wait : undefined;
}

/** About how long the text of what came with an event may be. */
const PREVIEW_LENGTH = 160;

/** The beginning of `value` as JSON, in time that does not depend on how much of it there is. */
function preview(value: unknown): string {
  let left = PREVIEW_LENGTH * 2;
  const cut = (_: string, inner: unknown): unknown => {
    if (left <= 0) return undefined;
    const text = typeof inner === 'string' ? inner.slice(0, PREVIEW_LENGTH) : inner;
    left -= typeof text === 'string' ? text.length + 4 : 4;
    return Array.isArray(text) ? text.slice(0, 50) : text;
  };
  const text = JSON.stringify(value, cut);
  return text.length > PREVIEW_LENGTH ? `${text.slice(0, PREVIEW_LENGTH)}…` : text;
}
