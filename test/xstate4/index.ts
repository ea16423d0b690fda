/** XState 4 and the receivers of its inspector: what a viewer is made of. */
export { createWebSocketReceiver, createWindowReceiver, type ParsedReceiverEvent } from '@xstate/inspect';
export { type AnyState, type AnyStateMachine, createMachine, State, type StateNode } from 'xstate';
