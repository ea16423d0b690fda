/** Any value as plain data that JSON can say and a person can read: it never throws, never runs on, and keeps secrets out. */

/**
 * What must not be shown: the names of keys, whatever their case, or a function that is called with each key and value before
 * they are shown and returns what to show in place of the value. A function that throws hides the value.
 */
export type Redact = readonly string[] | ((key: string, value: unknown) => unknown);

export interface SerializerOptions {
  /** Default: nothing is hidden. */
  redact?: Redact | undefined;
}

/**
 * Copies a value as plain data. Typed as what it copies, because that is how inspectors type their `serialize`,
 * `sanitizeContext` and `sanitizeEvent`, but dates and errors, say, come out as text and as plain objects.
 */
export type Serializer = <T>(value: T) => T;

/** The most characters of JSON, about, that one value may take. What is beyond is counted instead of shown. */
export const MAX_CHARACTERS = 2_000_000;
/** The most levels of objects in one another. */
export const MAX_DEPTH = 30;

const HIDDEN = '[redacted]';

/**
 * Creates a copier of values for viewers and logs.
 *
 * JSON's own rules hold for what JSON can say, `toJSON` included. Besides: errors show name, message, stack, cause and fields of
 * their own; bigint as `1n`; maps as `{ Map: [[key, value], ...] }`, sets as `{ Set: [...] }`; cycles as `[circular]`; functions
 * and symbols by name; actors as their `id` and `sessionId`; event emitters, buffers and objects without fields by their class.
 * What throws when it is read shows why. A copy is cut at {@link MAX_CHARACTERS} and {@link MAX_DEPTH}, and says so.
 */
export function createSerializer({ redact }: SerializerOptions = {}): Serializer {
  const hide = createHider(redact);
  return (value) => new Copier(hide).copy('', value) as typeof value;
}

type Hide = (key: string, value: unknown) => unknown;

function createHider(redact: Redact = []): Hide {
  if (typeof redact === 'function') return redact;
  if (redact.length === 0) return (_, value) => value;
  const secret = new Set(redact.map((key) => key.toLowerCase()));
  return (key, value) => (secret.has(key.toLowerCase()) ? HIDDEN : value);
}

/** The making of one copy. */
class Copier {
  /** Characters left. */
  #left = MAX_CHARACTERS;
  /** The objects that the current one is inside of. */
  readonly #around: object[] = [];
  readonly #hide: Hide;

  constructor(hide: Hide) {
    this.#hide = hide;
  }

  copy(key: string, value: unknown): unknown {
    let shown: unknown;
    try {
      shown = this.#hide(key, value);
    } catch {
      return this.#spend(HIDDEN);
    }
    try {
      return this.#copyValue(key, shown, true);
    } catch (error) {
      return this.#spend(`[unreadable: ${messageOf(error)}]`);
    }
  }

  #copyValue(key: string, value: unknown, mayConvert: boolean): unknown {
    switch (typeof value) {
      case 'string':
        return this.#spend(value);
      case 'number':
        return Number.isFinite(value) ? this.#spend(value) : this.#spend(String(value));
      case 'bigint':
        return this.#spend(`${value}n`);
      case 'symbol':
        return this.#spend(String(value));
      case 'function':
        return this.#spend(value.name === '' ? '[function]' : `[function ${value.name}]`);
      case 'object':
        return value === null ? this.#spend(value) : this.#copyObject(key, value, mayConvert);
      default:
        return this.#spend(value);
    }
  }

  #copyObject(key: string, value: object, mayConvert: boolean): unknown {
    if (this.#around.includes(value)) return this.#spend('[circular]');
    const text = inWords(value);
    if (text !== undefined) return this.#spend(text);
    if (this.#around.length >= MAX_DEPTH) return this.#spend(Array.isArray(value) ? '[array]' : `[${classOf(value)}]`);
    this.#around.push(value);
    try {
      if (isError(value)) return this.#copyKeys(value, errorKeys(value));
      if (isActor(value)) return this.#copyKeys(value, ['id', 'sessionId']);
      if (value instanceof Map) return { [this.#spend('Map')]: this.#copyMap(value) };
      if (value instanceof Set) return { [this.#spend('Set')]: this.#copyArray(value, value.size) };
      const { toJSON } = value as { toJSON?: unknown };
      // JSON asks once: what toJSON returns is not asked again.
      if (mayConvert && typeof toJSON === 'function') {
        const converted: unknown = toJSON.call(value, key);
        if (converted !== value) return this.#copyValue(key, converted, false);
      }
      if (Array.isArray(value)) return this.#copyArray(elementsOf(value), value.length);
      const keys = Object.keys(value);
      const name = classOf(value);
      return keys.length === 0 && name !== 'Object' ? this.#spend(`[${name}]`) : this.#copyKeys(value, keys);
    } finally {
      this.#around.pop();
    }
  }

  #copyArray(items: Iterable<unknown>, size: number): unknown[] {
    return this.#copyItems(items, size, (item, index) => this.copy(String(index), item));
  }

  /** A secret is known by its key in a map as well. */
  #copyMap(map: ReadonlyMap<unknown, unknown>): unknown[] {
    return this.#copyItems(map, map.size, ([key, value]) => [
      this.copy('', key),
      this.copy(typeof key === 'string' ? key : '', value),
    ]);
  }

  #copyItems<T>(items: Iterable<T>, size: number, copyItem: (item: T, index: number) => unknown): unknown[] {
    const copies: unknown[] = [];
    for (const item of items) {
      if (this.#left <= 0) {
        copies.push(`… ${size - copies.length} more`);
        break;
      }
      copies.push(copyItem(item, copies.length));
    }
    return copies;
  }

  #copyKeys(value: object, keys: readonly string[]): Record<string, unknown> {
    const entries: [key: string, copy: unknown][] = [];
    for (const [i, key] of keys.entries()) {
      if (this.#left <= 0) {
        entries.push(['…', `${keys.length - i} more`]);
        break;
      }
      entries.push([this.#spend(key), this.copy(key, read(value, key))]);
    }
    // Unlike an assignment, this makes a field even of `__proto__`.
    return Object.fromEntries(entries);
  }

  /** Counts what is shown, and cuts text that is too long. */
  #spend<T>(value: T): T | string;
  #spend(value: string): string;
  #spend(value: unknown): unknown {
    if (typeof value !== 'string') {
      this.#left -= 6;
      return value;
    }
    const left = Math.max(0, this.#left);
    this.#left -= value.length + 3;
    return value.length <= left ? value : `${value.slice(0, left)}… ${value.length - left} more characters`;
  }
}

function* elementsOf(array: readonly unknown[]): Iterable<unknown> {
  for (let i = 0; i < array.length; i += 1) yield read(array, i);
}

/** The value of a field, or why it cannot be read. */
function read(value: object, key: string | number): unknown {
  try {
    return (value as Record<string | number, unknown>)[key];
  } catch (error) {
    return `[unreadable: ${messageOf(error)}]`;
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'no reason given';
  }
}

/** Objects that say more in a word or two than by their fields; undefined for all others. */
function inWords(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `[${classOf(value)}, ${value.byteLength} bytes]`;
  if (listens(value)) return `[${classOf(value)}]`;
  return undefined;
}

/** Whether `value` is an event emitter or an event target, such as a socket, whose fields are nobody's business. */
function listens(value: object): boolean {
  const { addEventListener, addListener } = value as { addEventListener?: unknown; addListener?: unknown };
  return typeof addEventListener === 'function' || typeof addListener === 'function';
}

/** Also one of another realm, such as an iframe's. */
function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function isActor(value: object): boolean {
  const { sessionId, send, getSnapshot } = value as { sessionId?: unknown; send?: unknown; getSnapshot?: unknown };
  return typeof sessionId === 'string' && typeof send === 'function' && typeof getSnapshot === 'function';
}

/** What an error says that is not among its enumerable fields, and its fields. */
function errorKeys(error: Error): string[] {
  const keys = new Set(['name', 'message', 'stack', 'cause', 'errors', ...Object.keys(error)]);
  return [...keys].filter((key) => key in error);
}

function classOf(value: object): string {
  const maker: unknown = value.constructor;
  return (typeof maker === 'function' && maker.name) || 'Object';
}
