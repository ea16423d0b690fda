/** The words of `@xstate/inspect` 0.8: what an app and its viewers say to each other. */

/** What the app says to a viewer. Payloads are JSON within JSON: text that the viewer parses. */
export type AppMessage =
  /** An actor that runs: sent when it starts, and for each that does when a viewer says `xstate.inspecting`. */
  | {
      type: 'service.register';
      /** The actor among all: what the other messages about it say. */
      sessionId: string;
      /** Its name for people; several actors may share one. */
      id: string;
      /** The `sessionId` of its parent. */
      parent?: string;
      /** The name of its logic, where it has one. */
      source?: string;
      /** A {@link MachineDefinition} as JSON. */
      machine: string;
      /** A {@link StateData} as JSON. */
      state: string;
    }
  /** An event on its way to the actor; `event` is a {@link ScxmlEvent} as JSON. */
  | { type: 'service.event'; sessionId: string; event: string }
  /** What the actor made of an event; `state` is a {@link StateData} as JSON. */
  | { type: 'service.state'; sessionId: string; state: string }
  /** The actor is done, has failed or was stopped. */
  | { type: 'service.stop'; sessionId: string }
  /** There is nothing more to come: the inspector was stopped, or the page is gone. */
  | { type: 'xstate.disconnect' };

/** What a viewer says to the app. */
export type ViewerMessage =
  /** The viewer is ready: tell it all. May be said again at any time. */
  | { type: 'xstate.inspecting' }
  /**
   * An event for an actor, which `sessionId`, `service` or the event's own `origin` names, the first that is given. `event` is a
   * {@link ScxmlEvent} or a bare event (`{"type":"retry"}`) as JSON.
   */
  | { type: 'xstate.event'; event: string; sessionId?: string; service?: string };

/** An event in XState 4's envelope. */
export interface ScxmlEvent {
  /** The type of the event, in XState 4's words. */
  name: string;
  /** The event itself. */
  data: { type: string; [field: string]: unknown };
  $$type: 'scxml';
  type: 'external';
  /** The `sessionId` of the sender, where it is known. */
  origin?: string;
}

export interface ActionData {
  type: string;
  params?: unknown;
}

/** A guard, as version 4 writes one that is given by name. */
export interface GuardData {
  type: 'xstate.guard';
  name: string;
  params?: unknown;
}

/** A transition in a definition. */
export interface TransitionData {
  /** `#` and the id of a state, each; none for a transition that changes no state. */
  target?: string[];
  /** The guard. */
  cond?: GuardData;
  actions: ActionData[];
  /** Whether it leaves states that it would only enter again alone. */
  internal: boolean;
  description?: string;
}

/** A transition that was taken. */
export interface TakenTransition extends TransitionData {
  /** Empty when it needed no event. */
  eventType: string;
  /** `#` and the id of the state it led out of. */
  source: string;
}

/** A state and what is in it, as XState 4 takes it. */
export interface StateNodeDefinition {
  id: string;
  key: string;
  type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** The key of the child that is entered first, of a compound state. */
  initial?: string;
  history?: 'shallow' | 'deep';
  /** Where a history state leads that has nothing to remember. */
  target?: string;
  states: Record<string, StateNodeDefinition>;
  /** By event: `done.invoke.ID` and `error.platform.ID` of an actor, `done.state.ID` of a state, `*` any. */
  on: Record<string, TransitionData[]>;
  /** By delay: milliseconds, or the name of a delay. */
  after: Record<string, TransitionData[]>;
  always: TransitionData[];
  entry: ActionData[];
  exit: ActionData[];
  invoke: { id: string; src: string }[];
  tags: string[];
  meta?: unknown;
  description?: string;
}

/** A machine as XState 4 takes it: give it to version 4's `createMachine`, or draw it. */
export interface MachineDefinition extends StateNodeDefinition {
  /** Keeps version 4 from warning. */
  predictableActionArguments: true;
}

/** The state of an actor, as XState 4 takes it, and what XState 5 has besides. */
export interface StateData {
  /** Of an actor without a machine, its status. */
  value: unknown;
  /** Of an actor without a machine, nothing. */
  context: unknown;
  /** The event that led here, in XState 4's words. */
  event: ScxmlEvent['data'];
  _event: ScxmlEvent;
  /** The actor. */
  _sessionid: string;
  /** What was done on the way here. */
  actions: ActionData[];
  /** What led here, in order; empty in `service.register`. */
  transitions: TakenTransition[];
  children: Record<string, { id: string; sessionId: string }>;
  tags: string[];
  /** By the ids of the states that have any. */
  meta: Record<string, unknown>;
  /** Whether it ended well. */
  done: boolean;
  /** XState 5's own word for how the actor is doing. */
  status: 'active' | 'done' | 'error' | 'stopped';
  /** What it ended with. */
  output?: unknown;
  /** What it failed of. */
  error?: unknown;
  /** When this was said, in ms of the app's `performance.now()`: to tell how long ago, or until when, times in the context are. */
  at: number;
  /** XState 4 wants them; always empty. */
  activities: Record<string, never>;
  events: [];
}

/** An {@link AppMessage} with its payloads parsed. */
export type DecodedMessage =
  | {
      type: 'service.register';
      sessionId: string;
      id: string;
      parent?: string;
      source?: string;
      machine: MachineDefinition;
      state: StateData;
    }
  | { type: 'service.event'; sessionId: string; event: ScxmlEvent }
  | { type: 'service.state'; sessionId: string; state: StateData }
  | { type: 'service.stop'; sessionId: string }
  | { type: 'xstate.disconnect' };
