import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import calculateSlot from 'cluster-key-slot';
import fc from 'fast-check';
import { ConfigurationError } from '../errors/configuration.error.js';
import { encodeKey } from './key-encoding.js';
import type { KeyPart } from './key-part.js';
import { KeySpace } from './key-space.js';

const cache = new KeySpace('shop', 'cache');
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'{}:*?[]\\%#') }));
const anyPart: fc.Arbitrary<KeyPart> = fc.oneof(anyText, fc.integer(), fc.constant(null), fc.array(anyText));

/** What Redis takes for the hash tag of a key: what stands between the first brace and the next, unless it is empty. */
function hashTag(key: string): string | undefined {
  return /^[^{]*\{([^}]+)\}/.exec(key)?.[1];
}

/** The part of Redis' glob that patterns here use: literal text and a star at the end. */
function globMatches(pattern: string, key: string): boolean {
  expect(pattern).toMatch(/^[^*?[\]\\]*\*$/);
  return key.startsWith(pattern.slice(0, -1));
}

describe('KeySpace', () => {
  it('builds keys of prefix, feature, entity and part', () => {
    expect(cache.key('apple')).toBe('shop:cache:{apple}');
    expect(cache.key(['order', 7], 'items', 2)).toBe('shop:cache:{order,7}:items:2');
    expect(cache.scope('products').key(42)).toBe('shop:cache:products:{42}');
    expect(cache.scope('products').scope('by brand').key(42)).toBe('shop:cache:products:by%20brand:{42}');
    expect(new KeySpace('eu:shop', 'queue').key('q')).toBe('eu:shop:queue:{q}');
  });

  it('takes one part for a list of one', () => {
    expect(cache.key('apple', 'x')).toBe(cache.key(['apple'], 'x'));
  });

  it('uses the public encoding', () => {
    const entity = ['products', { brand: 'a', page: 1 }] as const;
    expect(cache.key(entity)).toBe(`shop:cache:{${encodeKey(entity)}}`);
  });

  it('gives every entity a hash tag, the empty ones too', () => {
    for (const entity of ['', [], [''], [[]], null, {}]) expect(hashTag(cache.key(entity))).toBeTruthy();
    expect(new Set(['', [], [[]], null, {}].map((entity) => cache.key(entity))).size).toBe(5);
  });

  it('keeps all keys of an entity in one Cluster slot', () => {
    fc.assert(
      fc.property(anyPart, fc.array(anyPart), (entity, parts) => {
        const space = cache.scope('things');
        expect(calculateSlot(space.key(entity, ...parts))).toBe(calculateSlot(space.key(entity)));
        expect(calculateSlot(cache.key(entity, ...parts))).toBe(calculateSlot(space.key(entity)));
      }),
    );
  });

  it('gives different entities different tags, and different keys different texts', () => {
    fc.assert(
      fc.property(fc.array(anyPart), fc.array(anyPart), anyPart, anyPart, (one, other, part, otherPart) => {
        const isSame = encodeKey(one) === encodeKey(other);
        expect(hashTag(cache.key(one)) === hashTag(cache.key(other))).toBe(isSame);
        const isSamePart = encodeKey([part]) === encodeKey([otherPart]);
        expect(cache.key(one, part) === cache.key(other, otherPart)).toBe(isSame && isSamePart);
        expect(cache.key(one)).not.toBe(cache.key(other, otherPart));
      }),
      { numRuns: 1_000 },
    );
  });

  it('lets no value add a separator of its own', () => {
    fc.assert(
      fc.property(anyText, anyPart, anyPart, (name, entity, part) => {
        fc.pre(name !== '');
        expect(cache.scope(name).key(entity, part)).toMatch(
          /^shop:cache:[^:{}*?[\]\\\s]+:\{[^:{}*?[\]\\\s]+\}:[^:{}*?[\]\\\s]+$/,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('has a pattern and a tracking prefix that cover its keys and no other space', () => {
    fc.assert(
      fc.property(anyText, anyText, anyPart, (name, otherName, entity) => {
        fc.pre(name !== '' && otherName !== '' && name !== otherName);
        const space = cache.scope(name);
        const other = cache.scope(otherName);
        expect(space.key(entity).startsWith(space.prefix)).toBe(true);
        expect(globMatches(space.pattern(), space.key(entity, 1))).toBe(true);
        expect(globMatches(space.pattern(), other.key(entity))).toBe(false);
        expect(globMatches(space.pattern(), cache.key(entity))).toBe(false);
        expect(globMatches(cache.pattern(), space.key(entity))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(cache.pattern()).toBe('shop:cache:*');
    expect(cache.prefix).toBe('shop:cache:');
  });

  describe('with long parts', () => {
    const hashOf = (text: string) => `%#${createHash('sha256').update(text).digest('base64url')}`;

    it('hashes what is longer than 200 bytes, and nothing shorter', () => {
      expect(cache.key('a'.repeat(200))).toBe(`shop:cache:{${'a'.repeat(200)}}`);
      expect(cache.key('a'.repeat(201))).toBe(`shop:cache:{${hashOf('a'.repeat(201))}}`);
      expect(cache.key('x', 'a'.repeat(201))).toBe(`shop:cache:{x}:${hashOf('a'.repeat(201))}`);
    });

    it('counts bytes, not characters', () => {
      expect(cache.key('é'.repeat(100))).toContain('é');
      expect(cache.key('é'.repeat(101))).toBe(`shop:cache:{${hashOf('é'.repeat(101))}}`);
      expect(cache.key('語'.repeat(66))).toContain('語');
      expect(cache.key('語'.repeat(67))).toContain('%#');
    });

    it('cannot be made to meet a short one', () => {
      const long = 'a'.repeat(500);
      const hashed = /\{(.*)\}/.exec(cache.key(long))?.[1] as string;
      expect(cache.key(hashed)).not.toBe(cache.key(long));
      expect(cache.key(long)).toMatch(/^shop:cache:\{%#[\w-]{43}\}$/);
    });

    it('bounds scope names, too', () => {
      expect(cache.scope('n'.repeat(500)).prefix).toBe(`shop:cache:${hashOf('n'.repeat(500))}:`);
    });
  });

  it.each(['', ':', 'a:', ':a', 'a::b', 'a b', 'a{b', 'a}', 'a*', 'a?', 'a[', 'a\\', 'é', 'a\n', undefined, 7])(
    'refuses %p as a prefix at boot',
    (prefix) => {
      expect(() => new KeySpace(prefix as string, 'cache')).toThrow(ConfigurationError);
      expect(() => new KeySpace(prefix as string, 'cache')).toThrow(/key prefix .* has to hold letters/s);
    },
  );

  it.each(['', 'Cache', 'a:b', '1a', '{a}'])('refuses %p as a feature name', (feature) => {
    expect(() => new KeySpace('shop', feature)).toThrow(/feature name/);
  });

  it('refuses a nameless scope', () => {
    expect(() => cache.scope('')).toThrow(ConfigurationError);
  });
});
