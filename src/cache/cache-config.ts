import type { Codec } from '../core/codec/codec.js';
import { jsonCodec } from '../core/codec/json.codec.js';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import type { KeyParts } from '../core/keys/key-part.js';
import { durationOption, timerOption } from '../core/time/duration-option.js';
import type { CacheSettings, MemoryOptions } from './cache.options.js';
import { DEFAULT_POLICY, resolvePolicy, type Policy } from './engine/policy.js';
import type { MemoryLimits } from './memory/memory-tier.js';

/** A cache's settings with every default filled in. */
export interface CacheConfig {
  readonly name: string;
  readonly policy: Policy;
  readonly codec: Codec;
  /** In bytes; Infinity when nothing is compressed. */
  readonly compressAbove: number;
  readonly deadlineMs: number;
  readonly leaseMs: number;
  readonly memory: MemoryLimits | null;
  readonly scope: (() => KeyParts) | null;
}

const MEBIBYTE = 1024 * 1024;

/** Fills defaults in and checks the result. Throws `ConfigurationError` naming the option. */
export function resolveCacheConfig(name: string, settings: CacheSettings): CacheConfig {
  const { codec = jsonCodec, redisDeadline = '50ms', lease = '5s', compressAbove = Infinity } = settings;
  const of = ` of cache '${name}'`;
  const option = (path: string): string => `CacheModule: ${path}${of}`;
  if (name === '') throw new ConfigurationError('CacheModule: the name of a cache must not be empty.');
  if (!(compressAbove >= 0)) {
    throw new ConfigurationError(`${option('compressAbove')} must be a number of bytes; it is ${compressAbove}.`);
  }
  return {
    name,
    codec,
    compressAbove,
    policy: resolvePolicy(DEFAULT_POLICY, settings, of),
    deadlineMs: timerOption(redisDeadline, option('redisDeadline')),
    leaseMs: timerOption(lease, option('lease')),
    memory: resolveMemory(settings.memory ?? false, option),
    scope: settings.scope ?? null,
  };
}

function resolveMemory(memory: boolean | MemoryOptions, option: (path: string) => string): MemoryLimits | null {
  if (memory === false) return null;
  const { maxEntries = 10_000, maxBytes = 64 * MEBIBYTE, ttl } = memory === true ? {} : memory;
  const limits = { 'memory.maxEntries': maxEntries, 'memory.maxBytes': maxBytes };
  for (const [path, limit] of Object.entries(limits)) {
    if (Number.isSafeInteger(limit) && limit > 0) continue;
    throw new ConfigurationError(`${option(path)} must be a whole number above 0; it is ${limit}.`);
  }
  return { maxEntries, maxBytes, ttlMs: ttl === undefined ? Infinity : durationOption(ttl, option('memory.ttl')) };
}
