import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEqual } from '../../machines/equality';

/** Whatever can be cloned, but for objects without a prototype, whose clones have one. */
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

const throws = (): never => {
  throw new Error('hostile');
};

class Credentials {
  readonly #token: string;
  constructor(token: string) {
    this.#token = token;
  }
  /** Logs must not see it. */
  toJSON(): string {
    return '[redacted]';
  }
  reveal(): string {
    return this.#token;
  }
}

describe('I an input that equals the present one is no change', () => {
  it('I whatever it is made of, a clone is equal', () => {
    fc.assert(fc.property(anything, (value) => isEqual(value, structuredClone(value))));
  });

  it('I equality is symmetric, and never throws', () => {
    fc.assert(fc.property(anything, anything, (a, b) => isEqual(a, b) === isEqual(b, a)));
    // Values that differ by a little: the same members in two arrangements.
    fc.assert(
      fc.property(anything, anything, fc.string(), (a, b, key) => {
        const left = { [key]: a, other: [a, b] };
        const right = { [key]: a, other: [b, a] };
        return isEqual(left, right) === isEqual(right, left);
      }),
    );
  });

  it.each<[string, unknown, unknown]>([
    ['URLs', new URL('wss://a/b?c=d'), new URL('wss://a/b?c=d')],
    ['URLs in objects', { url: new URL('wss://a'), tokens: ['t'] }, { tokens: ['t'], url: new URL('wss://a') }],
    ['dates', new Date(5), new Date(5)],
    ['invalid dates', new Date(Number.NaN), new Date(Number.NaN)],
    ['maps', new Map([['a', { b: 1 }]]), new Map([['a', { b: 1 }]])],
    ['sets', new Set([1, [2]]), new Set([1, [2]])],
    ['bytes', new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    ['objects without a prototype', Object.create(null), Object.create(null)],
    ['NaN', Number.NaN, Number.NaN],
  ])('I equal %s in new objects are equal', (_, a, b) => {
    expect(isEqual(a, b)).toBe(true);
    expect(isEqual(b, a)).toBe(true);
  });

  it.each<[string, unknown, unknown]>([
    ['URLs', new URL('wss://a/b'), new URL('wss://a/c')],
    ['dates', new Date(5), new Date(6)],
    ['a date and its text', new Date(5), new Date(5).toJSON()],
    ['maps', new Map([['a', 1]]), new Map([['a', 2]])],
    ['a map and a set', new Map(), new Set()],
    ['bytes', new Uint8Array([1]), new Uint8Array([2])],
    ['bytes of another kind', new Uint8Array([1]), new Int8Array([1])],
    ['views of bytes', new DataView(new Uint8Array([1]).buffer), new DataView(new Uint8Array([2]).buffer)],
    ['an absent and an undefined member', {}, { a: undefined }],
    ['members of other names', { a: 1 }, { b: 1 }],
    ['an array and an object', ['a'], { 0: 'a' }],
    ['null and an object', null, {}],
    ['functions', () => 1, () => 1],
    ['tokens of a class that hides them from JSON', new Credentials('old'), new Credentials('new')],
  ])('I different %s are different', (_, a, b) => {
    expect(isEqual(a, b)).toBe(false);
    expect(isEqual(b, a)).toBe(false);
  });

  it('I cycles of one shape are equal, whichever is asked about', () => {
    const ring = (length: number): object => {
      const first: { next?: object } = {};
      let last = first;
      for (let i = 1; i < length; i++) last = last.next = {} as { next?: object };
      last.next = first;
      return first;
    };
    for (const [a, b] of [
      [ring(1), ring(1)],
      [ring(1), ring(2)],
      [ring(2), ring(3)],
    ]) {
      expect(isEqual(a, b)).toBe(true);
      expect(isEqual(b, a)).toBe(true);
    }
    expect(isEqual({ ring: ring(2), a: 1 }, { ring: ring(2), a: 2 })).toBe(false);
  });

  it.each<[string, () => object]>([
    ['a getter that throws', () => Object.defineProperty({}, 'a', { enumerable: true, get: throws })],
    [
      'a Proxy that throws at everything',
      () => new Proxy({}, { getPrototypeOf: throws, get: throws, ownKeys: throws }),
    ],
    ['a revoked Proxy', revoked],
    ['a Proxy around a Map', () => new Proxy(new Map(), {})],
    ['an object that never ends', bottomless],
  ])('O4 %s is no more than different, and equal to itself', (_, make) => {
    const hostile = make();
    expect(isEqual(hostile, make())).toBe(false);
    expect(isEqual({ deep: [hostile] }, { deep: [make()] })).toBe(false);
    expect(isEqual(hostile, hostile)).toBe(true);
  });

  function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }

  function bottomless(): object {
    return Object.defineProperty({}, 'deeper', { enumerable: true, get: bottomless });
  }
});
