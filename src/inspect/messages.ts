/** Reads what came over the wire: on the viewer's side the app's messages, on the app's side the viewer's. */
import type { DecodedMessage, ScxmlEvent } from './protocol';

type Fields = Record<string, unknown>;

/**
 * Reads a message of the app, given as an object or as JSON; undefined when it is none of this protocol's, such as what others
 * post to the same window.
 *
 * @throws {TypeError} naming the message, the field and what was expected, when it is one but is malformed.
 */
export function decodeMessage(data: unknown): DecodedMessage | undefined {
  const message = parseObject(data);
  if (message === undefined) return undefined;
  const { type } = message;
  switch (type) {
    case 'service.register':
      return {
        type,
        sessionId: text(message, 'sessionId'),
        id: text(message, 'id'),
        ...(message['parent'] !== undefined && { parent: text(message, 'parent') }),
        ...(message['source'] !== undefined && { source: text(message, 'source') }),
        machine: json(message, 'machine'),
        state: json(message, 'state'),
      };
    case 'service.event':
      return { type, sessionId: text(message, 'sessionId'), event: json(message, 'event') };
    case 'service.state':
      return { type, sessionId: text(message, 'sessionId'), state: json(message, 'state') };
    case 'service.stop':
      return { type, sessionId: text(message, 'sessionId') };
    case 'xstate.disconnect':
      return { type };
    default:
      return undefined;
  }
}

/** What a viewer asks for. */
export type Request =
  | { type: 'inspecting' }
  /** An event for an actor, in XState 5's shape. */
  | { type: 'event'; sessionId: string; event: { type: string } };

/**
 * Reads a message of a viewer, given as an object or as JSON; undefined when it is none of this protocol's.
 *
 * @throws {TypeError} naming the field and what was expected, when it is one but is malformed.
 */
export function readRequest(data: unknown): Request | undefined {
  const message = parseObject(data);
  if (message?.['type'] === 'xstate.inspecting') return { type: 'inspecting' };
  if (message?.['type'] !== 'xstate.event') return undefined;
  const sent = json<unknown>(message, 'event');
  const { $$type, data: inner, origin } = isObject(sent) ? (sent as Partial<ScxmlEvent>) : {};
  const event = $$type === 'scxml' ? inner : sent;
  if (!isObject(event) || typeof event['type'] !== 'string') {
    throw new TypeError(
      `xstate.event: expected "event" to hold an object with a type, got ${preview(message['event'])}`,
    );
  }
  // Version 4 puts the receiver into `origin`; Stately's visualizer names it in `sessionId` and leaves `origin` null.
  const sessionId = message['sessionId'] ?? message['service'] ?? origin;
  if (typeof sessionId !== 'string') {
    throw new TypeError('xstate.event: expected "sessionId" or "service" to name an actor, got neither');
  }
  return { type: 'event', sessionId, event: event as { type: string } };
}

/** `data` as an object, or what it is the JSON of; undefined when it is neither. */
function parseObject(data: unknown): Fields | undefined {
  if (typeof data !== 'string') return isObject(data) ? data : undefined;
  try {
    return parseObject(JSON.parse(data) as unknown);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function text(message: Fields, field: string): string {
  const value = message[field];
  if (typeof value === 'string') return value;
  throw new TypeError(`${message['type']}: expected "${field}" to be text, got ${preview(value)}`);
}

/** The payload in `field`, taken at its word: both sides speak the same protocol, or the text is not even JSON. */
function json<T>(message: Fields, field: string): T {
  const payload = text(message, field);
  try {
    return JSON.parse(payload) as T;
  } catch {
    throw new TypeError(`${message['type']}: expected "${field}" to be JSON, got ${preview(payload)}`);
  }
}

function preview(value: unknown): string {
  const shown = typeof value === 'string' ? value : typeof value;
  return shown.length > 100 ? `${shown.slice(0, 100)}…` : shown;
}
