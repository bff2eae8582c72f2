import { describe, expect, it } from '@jest/globals';
import keySlot from 'cluster-key-slot';
import fc from 'fast-check';
import { KeySpace } from '../core/keys/key-space.js';
import type { KeyParts } from '../core/keys/key-part.js';
import { CacheKeys, clockKeyOf, type ScopedKeys } from './cache-keys.js';
import { MissingScopeError } from './cache.errors.js';
import { ANY } from './key-pattern.js';

const ROOT = new KeySpace('app', 'cache');

/** The keys of a cache, in a scope or without one, in a segment or without one. */
function keysOf(name: string, scope?: KeyParts, segment?: string): ScopedKeys {
  const keys = new CacheKeys(ROOT.scope(name), name, scope === undefined ? null : () => scope, null);
  return (segment === undefined ? keys : keys.inSegment(segment)).current();
}

/** Words that a key could be confused by. */
const word = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'tag',
    'tags',
    'segment',
    'scope',
    'refresh',
    'a:b',
    '{a}',
    'a}',
    ':',
    '*',
    '',
    '42',
    'x'.repeat(300),
  ),
  fc.string({ unit: fc.constantFrom(..."ab:{},*%'~"), maxLength: 4 }),
);
const name = word.filter((text) => text !== '');
const keyParts: fc.Arbitrary<KeyParts> = fc.oneof(
  word,
  fc.constantFrom(42, null),
  fc.array(word, { minLength: 2, maxLength: 3 }),
);

/** One of all the keys that caches write: what it is, and itself. */
interface Written {
  readonly what: string;
  readonly key: string;
}

const canonical = (...what: readonly unknown[]): string => JSON.stringify(what);
const scope = fc.option(keyParts, { nil: undefined }).filter((parts) => parts !== null);

const written: fc.Arbitrary<Written> = fc.oneof(
  fc.tuple(name, scope, fc.option(name, { nil: undefined }), keyParts).map(([cache, own, segment, key]) => ({
    what: canonical('entry', cache, own, segment, key),
    key: keysOf(cache, own, segment).entry(key),
  })),
  fc
    .tuple(name, scope, keyParts)
    .map(([cache, own, tag]) => ({ what: canonical('tag', cache, own, tag), key: keysOf(cache, own).tag(tag) })),
  fc.tuple(name, scope, name).map(([cache, own, segment]) => ({
    what: canonical('segment', cache, own, segment),
    key: keysOf(cache, own).segmentTag(segment),
  })),
  fc.tuple(name, scope).map(([cache, own]) => ({
    what: canonical('clock', cache, own),
    key: keysOf(cache, own).space.clockKey,
  })),
);

describe('the keys of caches', () => {
  it('are different for different things: caches, scopes, segments, keys, tags and clocks', () => {
    fc.assert(
      fc.property(written, written, (one, other) => {
        expect(one.key === other.key).toBe(one.what === other.what);
        expect(`${one.key}:refresh`).not.toBe(other.key);
      }),
      { numRuns: 3_000 },
    );
  });

  it('look as documented', () => {
    const keys = keysOf('products');
    expect(keys.entry(['user', 42])).toBe('app:cache:products:{user,42}');
    expect(keys.tag(['brand', 'apple'])).toBe('app:cache:products:tags:{products}:tag:brand:apple');
    expect(keys.segmentTag('lists')).toBe('app:cache:products:tags:{products}:segment:lists');
    expect(keys.space).toEqual({
      clockKey: 'app:cache:products:tags:{products}',
      prefix: 'app:cache:products:tags:{products}:',
    });
    expect(keysOf('products', undefined, 'lists').entry('a')).toBe('app:cache:products:segment:lists:{a}');
    const scoped = keysOf('products', ['tenant', 7], 'lists');
    expect(scoped.entry('a')).toMatch(/^app:cache:products:scope:[^:{}]+:segment:lists:\{a\}$/);
    expect(scoped.tag('a')).toMatch(/^app:cache:products:scope:[^:{}]+:tags:\{products,tenant,7\}:tag:a$/);
  });

  it('put all tags of a scope, segments and their clock, into one slot, and an entry with its refresh lease into one', () => {
    fc.assert(
      fc.property(name, scope, keyParts, name, (cache, own, parts, segment) => {
        const keys = keysOf(cache, own, segment);
        const clock = keySlot(keys.space.clockKey);
        expect([keySlot(keys.tag(parts)), keySlot(keys.segmentTag(segment))]).toEqual([clock, clock]);
        expect(keySlot(`${keys.entry(parts)}:refresh`)).toBe(keySlot(keys.entry(parts)));
      }),
    );
  });

  it('lead from a tag back to its clock, and tags begin with what their space says', () => {
    fc.assert(
      fc.property(name, scope, keyParts, (cache, own, tag) => {
        const keys = keysOf(cache, own);
        expect(clockKeyOf(keys.tag(tag))).toBe(keys.space.clockKey);
        expect(keys.tag(tag).startsWith(keys.space.prefix)).toBe(true);
      }),
    );
  });

  it("hold no space in a tag, which an entry's list of tags is divided by", () => {
    fc.assert(fc.property(name, keyParts, (cache, tag) => expect(keysOf(cache).tag(tag)).not.toContain(' ')));
  });

  it('share the tags of the cache among its segments, each of which carries its own', () => {
    const segment = keysOf('products', undefined, 'lists');
    expect(segment.tag('a')).toBe(keysOf('products').tag('a'));
    expect(segment.baseTags).toEqual([keysOf('products').segmentTag('lists')]);
    expect(keysOf('products').baseTags).toEqual([]);
  });
});

describe('patterns for SCAN', () => {
  const covers = (pattern: string, key: string): boolean =>
    pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;

  it('cover all of a cache, and nothing of another whose name begins alike', () => {
    const everything = keysOf('products').everything();
    const own = [
      keysOf('products').entry('a'),
      keysOf('products', undefined, 'lists').entry('a'),
      keysOf('products').tag('a'),
      keysOf('products').space.clockKey,
    ];
    for (const key of own) expect(covers(everything, key)).toBe(true);
    for (const cache of ['products2', 'products:x', 'product']) {
      expect(covers(everything, keysOf(cache).entry('a'))).toBe(false);
    }
  });

  it('cover a segment, or a scope, and nothing beside it', () => {
    const segment = keysOf('products', undefined, 'lists').everything();
    expect(covers(segment, keysOf('products', undefined, 'lists').entry('a'))).toBe(true);
    expect(covers(segment, keysOf('products', undefined, 'lists2').entry('a'))).toBe(false);
    expect(covers(segment, keysOf('products').entry('a'))).toBe(false);
    const scoped = keysOf('products', 'tenant-1').everything();
    expect(covers(scoped, keysOf('products', 'tenant-1').tag('a'))).toBe(true);
    expect(covers(scoped, keysOf('products', 'tenant-12').entry('a'))).toBe(false);
  });

  it('of values are exactly their entry, also where a key is so long that it is hashed', () => {
    fc.assert(
      fc.property(name, scope, fc.array(word, { minLength: 1, maxLength: 3 }), (cache, own, key) => {
        const keys = keysOf(cache, own);
        expect(keys.entriesLike(key)).toBe(keys.entry(key));
      }),
    );
  });

  it('of wildcards are the entries with such keys', () => {
    expect(keysOf('products').entriesLike(['user', ANY])).toBe('app:cache:products:{user,*}');
    expect(keysOf('products', undefined, 'lists').entriesLike([ANY])).toBe('app:cache:products:segment:lists:{*}');
  });
});

describe('the scope of a cache', () => {
  it.each([undefined, null])('is missed where it gives %p', (nothing) => {
    const keys = new CacheKeys(ROOT.scope('products'), 'products', () => nothing, null);
    expect(() => keys.current()).toThrow(MissingScopeError);
    expect(() => keys.inSegment('lists').current()).toThrow(MissingScopeError);
  });

  it('is asked for at each call', () => {
    let tenant: KeyParts = 'one';
    const keys = new CacheKeys(ROOT.scope('products'), 'products', () => tenant, null);
    const first = keys.current().entry('a');
    tenant = 'two';
    expect(keys.current().entry('a')).not.toBe(first);
    tenant = 'one';
    expect(keys.current().entry('a')).toBe(first);
  });

  it.each([[0], [''], [false], [[]]])('may be any part but nothing: %j', (own) => {
    expect(() => keysOf('products', own as KeyParts).entry('a')).not.toThrow();
  });
});
