/** Whether two inputs are the same: an equal URL in a new object is no change. */

/**
 * Compares by value: primitives, arrays, plain objects, maps, sets, typed arrays, dates and URLs. Functions and other objects are
 * equal only to themselves, and what cannot be read is different: a needless reconnect is better than a token that is ignored.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  try {
    return equal(a, b, new Map());
  } catch {
    return false;
  }
}

/** `compared` holds, for each object, what it is being compared with further up: in a cycle they are taken as equal. */
function equal(a: unknown, b: unknown, compared: Map<unknown, Set<unknown>>): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const prototype = Object.getPrototypeOf(a);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  const others = compared.get(a) ?? new Set();
  if (others.has(b)) return true;
  compared.set(a, others.add(b));
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (isURL(a) && isURL(b)) return a.href === b.href;
  if ((a instanceof Map && b instanceof Map) || (a instanceof Set && b instanceof Set)) {
    return equal([...a], [...b], compared);
  }
  const isTypedArray = ArrayBuffer.isView(a) && !(a instanceof DataView);
  const isData = Array.isArray(a) || isTypedArray || prototype === Object.prototype || prototype === null;
  if (!isData) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(read(a, key), read(b, key), compared))
  );
}

/** The chart knows no platform, but every platform has a `URL`. */
function isURL(value: object): value is { href: string } {
  return Object.prototype.toString.call(value) === '[object URL]';
}

function read(object: object, key: string): unknown {
  return (object as Record<string, unknown>)[key];
}
