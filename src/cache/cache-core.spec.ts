import { describe, expect, it } from '@jest/globals';
import { KeySpace } from '../core/keys/key-space.js';
import { systemClock } from '../core/time/clock.js';
import { resolveCacheConfig } from './cache-config.js';
import { CacheCore } from './cache-core.js';
import type { CacheSettings } from './cache.options.js';
import { ALWAYS_COHERENT } from './memory/coherence.js';
import { MemoryStore } from './store/memory-store.js';

const HOUR_MS = 3_600_000;

const coreOf = (settings: CacheSettings): CacheCore =>
  new CacheCore({
    config: resolveCacheConfig('products', settings),
    store: new MemoryStore(systemClock),
    root: new KeySpace('app', 'cache').scope('products'),
    clock: systemClock,
    coherence: ALWAYS_COHERENT,
  });

describe('CacheCore', () => {
  it('has a memory tier only where one is asked for', () => {
    expect(coreOf({}).memory).toBeNull();
    expect(coreOf({ memory: true }).memory).not.toBeNull();
  });

  it('keeps the tokens of an invalidation for longer than a load may take that was under way', () => {
    expect(coreOf({ ttl: '1s', lease: '30s' }).tagHoldMs).toBeGreaterThan(11 * 30_000);
  });

  it('keeps them for longer than the entries live that are written then, stale time included', () => {
    expect(coreOf({ ttl: '1h', failSafe: '3h', staleWhileRevalidate: '2h' }).tagHoldMs).toBeGreaterThan(4 * HOUR_MS);
    expect(coreOf({ ttl: '1h', failSafe: '2h', staleWhileRevalidate: '3h' }).tagHoldMs).toBeGreaterThan(4 * HOUR_MS);
  });
});
