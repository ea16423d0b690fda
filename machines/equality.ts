/** Whether two inputs are the same: an equal URL in a new object is no change. */

/**
 * Compares by value: primitives, arrays, plain objects, maps, sets, typed arrays, and whatever has a `toJSON`, such as a URL or a
 * Date. Functions and other objects are equal only to themselves. What cannot be read is different.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  try {
    return equal(a, b, new Map());
  } catch {
    return false;
  }
}

/** `pairs` are those being compared further up: in a cycle they are taken as equal. */
function equal(a: unknown, b: unknown, pairs: Map<unknown, unknown>): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const prototype = Object.getPrototypeOf(a);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  if (pairs.get(a) === b) return true;
  pairs.set(a, b);
  if (hasToJSON(a) && hasToJSON(b)) return equal(a.toJSON(), b.toJSON(), pairs);
  if ((a instanceof Map && b instanceof Map) || (a instanceof Set && b instanceof Set)) {
    return equal([...a], [...b], pairs);
  }
  const isData = Array.isArray(a) || ArrayBuffer.isView(a) || prototype === Object.prototype || prototype === null;
  if (!isData) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(read(a, key), read(b, key), pairs))
  );
}

function hasToJSON(value: object): value is { toJSON(): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

function read(object: object, key: string): unknown {
  return (object as Record<string, unknown>)[key];
}
