/** Plain data for viewers: readable, bounded, without secrets, and never a throw. */
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { ReconnectTimeoutError } from '../../src/index';
import { createSerializer } from '../../src/inspect';
import { MAX_CHARACTERS } from '../../src/inspect/serialize';

const serialize = createSerializer() as (value: unknown) => unknown;
/** As a viewer gets it. */
const sent = (value: unknown): unknown => JSON.parse(JSON.stringify({ value: serialize(value) })).value;
const sentSize = (value: unknown): number => JSON.stringify(serialize(value)).length;

class Secretive {
  #secret = 1;
  get secret() {
    return this.#secret;
  }
}
const throwing = (what: string) => () => {
  throw new Error(what);
};
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('what JSON cannot say', () => {
  test.each<[what: string, value: unknown, shown: unknown]>([
    ['bigint', 12n, '12n'],
    ['symbol', Symbol('one'), 'Symbol(one)'],
    ['NaN and infinity', [Number.NaN, -Infinity], ['NaN', '-Infinity']],
    ['undefined, as JSON has it', { a: undefined, b: [undefined] }, { b: [null] }],
    ['function', function greet() {}, '[function greet]'],
    ['function without a name', () => {}, '[function]'],
    ['Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a Date that is none', new Date(Number.NaN), 'Invalid Date'],
    ['RegExp', /a+/gu, '/a+/gu'],
    ['URL', new URL('http://localhost/'), 'http://localhost/'],
    [
      'Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ b: 2 }, new Set([3])],
      ]),
      {
        Map: [
          ['a', 1],
          [{ b: 2 }, { Set: [3] }],
        ],
      },
    ],
    ['bytes', Buffer.alloc(3), '[Buffer, 3 bytes]'],
    ['ArrayBuffer', new ArrayBuffer(4), '[ArrayBuffer, 4 bytes]'],
    ['Promise', Promise.resolve(1), '[Promise]'],
    ['an object that shows nothing', new Secretive(), '[Secretive]'],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['socket', new Socket(), '[Socket]'],
    [
      'event emitter, however deep',
      { session: { emitter: new EventEmitter() } },
      { session: { emitter: '[EventEmitter]' } },
    ],
    ['AbortSignal', new AbortController().signal, '[AbortSignal]'],
    [
      'actor',
      createActor(
        fromPromise(async () => 1),
        { id: 'live' },
      ),
      { id: 'live', sessionId: expect.stringMatching(/^x:\d+$/u) },
    ],
    [
      'toJSON, asked once',
      { toJSON: () => ({ toJSON: () => 'never', a: 1n }) },
      { toJSON: '[function toJSON]', a: '1n' },
    ],
    [
      'toJSON that returns itself',
      {
        a: 1,
        toJSON() {
          return this;
        },
      },
      { a: 1, toJSON: '[function toJSON]' },
    ],
    [
      'a field named __proto__',
      JSON.parse('{"__proto__":{"polluted":true}}'),
      JSON.parse('{"__proto__":{"polluted":true}}'),
    ],
  ])('%s', (_, value, shown) => {
    expect(sent(value)).toEqual(shown);
  });

  test('errors: name, message, stack, cause and their own fields', () => {
    const cause = Object.assign(new TypeError('bad address'), { code: 'EINVAL' });
    const error = new Error('cannot connect', { cause });
    expect(sent(error)).toEqual({
      name: 'Error',
      message: 'cannot connect',
      stack: error.stack,
      cause: { name: 'TypeError', message: 'bad address', stack: cause.stack, code: 'EINVAL' },
    });
    expect(sent(new AggregateError([new Error('a')], 'all'))).toMatchObject({ errors: [{ message: 'a' }] });
    expect(sent(new ReconnectTimeoutError(1_000, new Error('refused')))).toMatchObject({
      name: 'ReconnectTimeoutError',
      message: 'reconnect timed out after 1s: refused',
      cause: { message: 'refused' },
    });
    expect(sent(runInNewContext("new Error('elsewhere')"))).toMatchObject({ name: 'Error', message: 'elsewhere' });
  });

  test('cycles are cut, and what merely occurs twice is not', () => {
    const twice = { n: 1 };
    const cyclic: Record<string, unknown> = { twice: [twice, twice] };
    cyclic['self'] = cyclic;
    cyclic['map'] = new Map([['self', cyclic]]);
    expect(sent(cyclic)).toEqual({
      twice: [{ n: 1 }, { n: 1 }],
      self: '[circular]',
      map: { Map: [['self', '[circular]']] },
    });
  });
});

describe('what throws when it is read shows why, beside what does not', () => {
  test.each<[what: string, value: unknown, shown: unknown]>([
    [
      'getter',
      {
        get a() {
          throw new Error('closed');
        },
        b: 1,
      },
      { a: '[unreadable: closed]', b: 1 },
    ],
    ['toJSON', { a: { toJSON: throwing('no json') }, b: 1 }, { a: '[unreadable: no json]', b: 1 }],
    ['Proxy', { a: new Proxy({}, { ownKeys: throwing('hands off') }), b: 1 }, { a: '[unreadable: hands off]', b: 1 }],
    ['revoked Proxy', { a: revoked(), b: 1 }, { a: expect.stringContaining('[unreadable: '), b: 1 }],
    [
      'a thrown undefined',
      {
        get a() {
          throw undefined;
        },
      },
      { a: '[unreadable: undefined]' },
    ],
    [
      'an error whose message throws',
      Object.defineProperty(new Error('x'), 'message', { get: throwing('!') }),
      expect.objectContaining({ message: '[unreadable: !]' }),
    ],
    [
      'an array whose item throws',
      Object.defineProperty([1, 2], 0, { get: throwing('gone') }),
      ['[unreadable: gone]', 2],
    ],
    [
      'a thrown error that throws',
      {
        get a() {
          throw { toString: throwing('!') };
        },
      },
      { a: '[unreadable: no reason given]' },
    ],
  ])('%s', (_, value, shown) => {
    expect(sent(value)).toEqual(shown);
  });
});

describe('bounds', () => {
  test('a context of 1 MB passes whole', () => {
    const context = { rows: Array.from({ length: 10_000 }, (_, i) => ({ id: i, text: 'x'.repeat(85) })) };
    expect(JSON.stringify(context).length).toBeGreaterThan(1_000_000);
    expect(sent(context)).toEqual(context);
    const text = 'x'.repeat(1_048_576);
    expect(sent({ text })).toEqual({ text });
  });

  test('what is longer than two million characters is cut, and says by how much', () => {
    const text = sent('x'.repeat(3_000_000)) as string;
    expect(text).toBe(`${'x'.repeat(MAX_CHARACTERS)}… 1000000 more characters`);

    const items = sent({ items: new Array(5_000_000).fill(7), after: 1 }) as { items: unknown[] };
    expect(items.items.at(-1)).toMatch(/^… 4\d{6} more$/u);
    expect(items).toHaveProperty('…', '1 more');

    const fields = Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`field${i}`, i]));
    expect((sent(fields) as Record<string, unknown>)['…']).toMatch(/^\d+ more$/u);
  });

  test('an object in itself many times over, in no cycle, does not run on', () => {
    let tower: unknown = 'bottom';
    for (let level = 0; level < 29; level += 1) tower = [tower, tower, tower, tower];
    expect(sentSize(tower)).toBeLessThan(MAX_CHARACTERS * 1.1);
  });

  test('a map that never ends is cut as well', () => {
    class Endless extends Map<string, number> {
      override *[Symbol.iterator](): MapIterator<[string, number]> {
        while (true) yield ['again', 1];
      }
    }
    expect(sentSize(new Endless())).toBeLessThan(MAX_CHARACTERS * 1.1);
  });

  test('what is too deep is named', () => {
    let deep: unknown = [];
    for (let level = 0; level < 100_000; level += 1) deep = level % 2 === 0 ? { deep } : [deep];
    expect(JSON.stringify(serialize(deep))).toContain('[array]');
  });
});

describe('redaction', () => {
  test('by key, whatever its case, in objects, maps, errors and what toJSON returns', () => {
    const redacting = createSerializer({ redact: ['token', 'Password'] }) as (value: unknown) => unknown;
    const value = {
      TOKEN: 'hush',
      list: [{ password: 'hush' }],
      map: new Map([['token', 'hush']]),
      error: Object.assign(new Error('x'), { token: 'hush' }),
      json: { toJSON: () => ({ token: 'hush' }) },
      tokens: 2,
    };
    const text = JSON.stringify(redacting(value));
    expect(text).not.toContain('hush');
    expect(JSON.parse(text)).toMatchObject({ TOKEN: '[redacted]', list: [{ password: '[redacted]' }], tokens: 2 });
  });

  test('by a function, which is asked about everything, and hides what it throws at', () => {
    const redacting = createSerializer({
      redact(key, value) {
        if (key === 'broken') throw new Error('cannot tell');
        return typeof value === 'string' ? value.replace(/token=\w+/u, 'token=…') : value;
      },
    }) as (value: unknown) => unknown;
    expect(
      redacting({ url: 'ws://host/?token=hush', broken: 'hush', error: new Error('no token=hush') }),
    ).toMatchObject({
      url: 'ws://host/?token=…',
      broken: '[redacted]',
      error: { message: 'no token=…' },
    });
  });
});

test('anything at all: never a throw, always JSON, and the same when it is copied again', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
    withTypedArray: true,
    withBoxedValues: true,
  });
  fc.assert(
    fc.property(anything, (value) => {
      const copy = serialize(value);
      const text = JSON.stringify(copy);
      expect(JSON.stringify(serialize(copy))).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});
