import { LRUCache } from 'lru-cache';
import { encodeKey } from '../core/keys/key-encoding.js';
import { toKeyParts, type KeyParts } from '../core/keys/key-part.js';
import type { KeySpace } from '../core/keys/key-space.js';
import type { CacheTag } from './cache.options.js';
import { MissingScopeError } from './cache.errors.js';
import type { TagSpace } from './engine/request.js';
import { encodeKeyPattern, isKey, type KeyPattern } from './key-pattern.js';

/** Scopes whose key builders are kept at once. */
const MOST_SCOPES = 1_000;

/** Keys of tags that are kept at once, for each scope. */
const MOST_TAG_KEYS = 256;

/**
 * Builds every key of one cache, or of one segment of it:
 *
 * - `<prefix>:cache:<name>:{<key>}` for an entry, and `:refresh` behind it for the lease of its refresh;
 * - `<prefix>:cache:<name>:segment:<segment>:{<key>}` for an entry of a segment;
 * - `<prefix>:cache:<name>:tags:{<name>}:tag:<tag>` for a tag, `:segment:<segment>` for a segment, and nothing behind for their clock: all in one slot;
 * - each with `scope:<scope>:` behind the name where there is a scope.
 */
export class CacheKeys {
  readonly #unscoped: ScopedKeys | null;
  readonly #scopes = new LRUCache<string, ScopedKeys>({ max: MOST_SCOPES });

  constructor(
    private readonly root: KeySpace,
    private readonly name: string,
    private readonly scope: (() => KeyParts) | null,
    private readonly segment: string | null,
  ) {
    this.#unscoped = scope === null ? new ScopedKeys(root, name, [], segment) : null;
  }

  /** The keys of the scope in which this is called. Throws `MissingScopeError` where there is none. */
  current(): ScopedKeys {
    return this.#unscoped ?? this.#scoped();
  }

  /** The same cache's keys in a segment of it. */
  inSegment(segment: string): CacheKeys {
    return new CacheKeys(this.root, this.name, this.scope, segment);
  }

  #scoped(): ScopedKeys {
    const scope = this.scope?.();
    if (scope === undefined || scope === null) throw new MissingScopeError(this.name);
    const parts = toKeyParts(scope);
    const encoded = encodeKey(parts);
    let keys = this.#scopes.get(encoded);
    if (keys === undefined) {
      keys = new ScopedKeys(this.root.scope('scope').scope(encoded), this.name, parts, this.segment);
      this.#scopes.set(encoded, keys);
    }
    return keys;
  }
}

/** The keys of one scope. */
export class ScopedKeys {
  /** Where its tags live. */
  readonly space: TagSpace;
  /** What all entries carry: the token of their segment. */
  readonly baseTags: readonly string[];
  readonly #entries: KeySpace;
  readonly #tags: KeySpace;
  /** The same few tags come with every call. */
  readonly #tagKeys = new LRUCache<string, string>({ max: MOST_TAG_KEYS });
  readonly #tagEntity: readonly [string, ...ReturnType<typeof toKeyParts>];

  constructor(
    private readonly root: KeySpace,
    name: string,
    scope: ReturnType<typeof toKeyParts>,
    private readonly segment: string | null,
  ) {
    this.#entries = segment === null ? root : root.scope('segment').scope(segment);
    this.#tags = root.scope('tags');
    this.#tagEntity = [name, ...scope];
    const clockKey = this.#tags.key(this.#tagEntity);
    this.space = { clockKey, prefix: `${clockKey}:` };
    this.baseTags = segment === null ? [] : [this.segmentTag(segment)];
  }

  entry(key: KeyParts): string {
    return this.#entries.key(key);
  }

  tag(tag: CacheTag): string {
    if (typeof tag !== 'string') return this.#tags.key(this.#tagEntity, 'tag', ...toKeyParts(tag));
    let key = this.#tagKeys.get(tag);
    if (key === undefined) {
      key = this.#tags.key(this.#tagEntity, 'tag', tag);
      this.#tagKeys.set(tag, key);
    }
    return key;
  }

  segmentTag(segment: string): string {
    return this.#tags.key(this.#tagEntity, 'segment', segment);
  }

  /** For SCAN: the entries whose keys match. */
  entriesLike(pattern: KeyPattern): string {
    return isKey(pattern) ? this.entry(pattern) : `${this.#entries.prefix}{${encodeKeyPattern(pattern)}}`;
  }

  /** For SCAN: all there is, segments and tags included. */
  everything(): string {
    return (this.segment === null ? this.root : this.#entries).pattern();
  }
}

/** The clock of a tag's scope: it shares the tag's slot. */
export function clockKeyOf(tagKey: string): string {
  return tagKey.slice(0, tagKey.indexOf('}') + 1);
}
