/** A viewer made of `@xstate/inspect`'s own receiver, in the window that the inspector led here. */
import { createWindowReceiver } from '../xstate4';

/** What was heard, in short; of a state, what XState 4 makes of it. */
const heard: {
  type: string;
  sessionId: string;
  id?: string;
  value?: unknown;
  nextEvents?: string[];
  error?: unknown;
}[] = [];
/** The type of every message, of the receiver's or not. */
const messages: string[] = [];
const machines = new Map<string, { resolveState(state: object): { value: unknown; nextEvents: string[] } }>();

addEventListener('message', ({ data }) => messages.push(data?.type));
const receiver = createWindowReceiver();
receiver.subscribe((message) => {
  const { type, sessionId } = message;
  if (message.type === 'service.register') machines.set(sessionId, message.machine);
  if (message.type === 'service.register' || message.type === 'service.state') {
    const { value, nextEvents } = machines.get(sessionId)!.resolveState(message.state);
    const error = (message.state.context as { failure?: unknown }).failure;
    heard.push({ type, sessionId, ...('id' in message && { id: message.id }), value, nextEvents, error });
  } else heard.push({ type, sessionId });
});
const send = (sessionId: string, event: object): void => {
  receiver.send({ type: 'xstate.event', event: JSON.stringify(event), service: sessionId });
};
Object.assign(globalThis, { heard, messages, send });
