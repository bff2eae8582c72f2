import { Injectable } from '@nestjs/common';
import type { KeyParts } from '../../core/keys/key-part.js';
import { KeySpace } from '../../core/keys/key-space.js';
import type { RedisConnection, SendOptions } from '../../core/redis/redis-connection.js';
import type { Duration } from '../../core/time/duration.js';
import { timeOf } from '../engine/lock-request.js';
import { fenceText } from '../engine/lock-servers.js';
import { LockRuntime } from '../lock.runtime.js';
import { lockWriteFenced } from '../lock.scripts.gen.js';
import { checkFence } from './sql-fence.js';

const FENCE_DIGITS = 16;

/** What a {@link FencedStore} holds under a key. */
export interface FencedValue {
  readonly value: Buffer;
  /** Of its writer. */
  readonly fence: number;
}

/**
 * Values in Redis that only the latest holder of a lock can write: whoever lost the lock without knowing cannot overwrite what a later holder has written.
 *
 * Keep values for longer than a process can stand still: with a value its fence is forgotten.
 */
@Injectable()
export class FencedStore {
  constructor(private readonly runtime: LockRuntime) {}

  /** Stores it, unless somebody with a later fence has written there: then resolves with false, and nothing is changed. One round trip. Rejects with `LockUsageError` and `RedisUnavailableError`. */
  async write(
    key: KeyParts,
    value: string | Buffer,
    { fence, ttl }: { readonly fence: number; readonly ttl: Duration },
  ): Promise<boolean> {
    checkFence(fence);
    const ttlMs = timeOf(ttl, 'ttl', 1);
    const { connection, entry } = this.#at(key);
    const args = { fence: fenceText(fence), value, ttlMs };
    return (await connection.scripts.run(lockWriteFenced, { entry }, args, this.#send())) === 1;
  }

  /** What was written there last, or null. One round trip. */
  async read(key: KeyParts): Promise<FencedValue | null> {
    const { connection, entry } = this.#at(key);
    const stored = await connection.get(entry, this.#send());
    if (stored === null) return null;
    return { fence: Number(stored.toString('latin1', 0, FENCE_DIGITS)), value: stored.subarray(FENCE_DIGITS) };
  }

  #send(): SendOptions {
    return { deadlineMs: this.runtime.config.deadlineMs };
  }

  #at(key: KeyParts): { readonly connection: RedisConnection; readonly entry: string } {
    const connection = this.runtime.oneRedis('FencedStore');
    return { connection, entry: new KeySpace(connection.keyPrefix, 'fenced').key(key) };
  }
}
