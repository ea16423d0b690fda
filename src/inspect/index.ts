/** Shows XState 5 actors to viewers that speak the protocol of `@xstate/inspect`. */
export {
  createInspector,
  type Inspector,
  type InspectorOptions,
  type ViewerLink,
} from './inspector';
export { decodeMessage } from './messages';
export { plainInspection } from './plain-inspection';
export type {
  ActionData,
  AppMessage,
  DecodedMessage,
  GuardData,
  MachineDefinition,
  ScxmlEvent,
  StateData,
  StateNodeDefinition,
  TakenTransition,
  TransitionData,
  ViewerMessage,
} from './protocol';
export { createSerializer, type Redact, type Serializer, type SerializerOptions } from './serialize';
export { inspectInWindow, type WindowInspector, type WindowInspectorOptions } from './window';
