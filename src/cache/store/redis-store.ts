import type { RedisConnection, SendOptions } from '../../core/redis/redis-connection.js';
import type { ChangeFeed } from '../../core/redis/tracking/change-feed.js';
import {
  cacheClaimRefresh,
  cacheEndWrite,
  cacheEvict,
  cacheInvalidateTags,
  cachePut,
  cacheReadTags,
  cacheRenew,
  cacheSettleRefresh,
  cacheWait,
} from '../cache.scripts.gen.js';
import { LEASE } from '../entry/entry-format.js';
import { refreshLeaseKey, writeFenceKey } from '../entry/lease-key.js';
import { byGroup } from './by-group.js';
import type {
  Claimed,
  Contended,
  EntryStore,
  OnWake,
  RefreshClaim,
  RefreshOutcome,
  StoredBytes,
  TagKeys,
  TagReading,
  WriteOutcome,
} from './entry-store.js';
import { RedisClaims } from './redis-claims.js';
import { RedisSettles } from './redis-settles.js';

/** What a {@link RedisStore} is made of. */
export interface RedisStoreOptions {
  readonly connection: RedisConnection;
  readonly deadlineMs: number;
  /** Where waiters are woken. */
  readonly channel: string;
  /** How the processes hear of each other's changes, where there is a memory tier. */
  readonly changes: ChangeFeed | null;
}

const NOTHING = '';
const MOST_PER_SCRIPT = 256;

/** One cache's entries in Redis. */
export class RedisStore implements EntryStore {
  readonly #claims: RedisClaims;
  readonly #settles: RedisSettles;
  readonly #send: SendOptions;
  readonly #cancels: (() => void)[] = [];

  constructor(private readonly options: RedisStoreOptions) {
    const { connection, deadlineMs, channel } = options;
    this.#send = { deadlineMs };
    this.#claims = new RedisClaims(connection, this.#send);
    this.#settles = new RedisSettles(connection, channel, this.#send);
  }

  claim(entry: string, marker: string, leaseMs: number): Promise<Claimed> {
    return this.#claims.claim(entry, marker, leaseMs);
  }

  read(entry: string): Promise<Buffer | null> {
    return this.options.connection.get(entry, this.#send);
  }

  settle(entry: string, marker: string, outcome: string | Buffer, ttlMs: number, isUrgent = false): Promise<boolean> {
    return this.#settles.settle(entry, marker, outcome, ttlMs, isUrgent);
  }

  async wait(entry: string, marker: string, leaseMs: number): Promise<Contended> {
    const { scripts } = this.options.connection;
    const [waitMs, held] = await scripts.run(cacheWait, { entry }, { marker, leaseMs }, this.#send);
    return { waitMs, held };
  }

  async claimRefresh(
    entry: string,
    head: string | Buffer,
    marker: string,
    leaseMs: number,
    waits: boolean,
  ): Promise<RefreshClaim> {
    const args = { seen: head, marker, leaseMs, waits: waits ? 1 : 0 };
    const keys = { entry, lease: refreshLeaseKey(entry) };
    const [waitMs, mark] = await this.options.connection.scripts.run(cacheClaimRefresh, keys, args, this.#send);
    if (waitMs > 0) return { kind: 'theirs', waitMs };
    if (waitMs < 0) return { kind: 'moved' };
    return mark === null ? { kind: 'ours' } : { kind: 'failed', mark };
  }

  async settleRefresh(entry: string, head: string | Buffer, marker: string, outcome: RefreshOutcome): Promise<boolean> {
    const { connection, channel } = this.options;
    const args = {
      seen: head,
      marker,
      channel,
      outcome: outcome.kind === 'value' ? outcome.bytes : NOTHING,
      ttlMs: outcome.kind === 'value' ? outcome.ttlMs : 0,
      failure: outcome.kind === 'failure' ? outcome.mark : NOTHING,
      backoffMs: outcome.kind === 'failure' ? outcome.backoffMs : 0,
      nowMs: outcome.kind === 'prolonged' ? outcome.nowMs : 0,
      serveMs: outcome.kind === 'prolonged' ? outcome.serveMs : 0,
    };
    const keys = { entry, lease: refreshLeaseKey(entry) };
    const stands = (await connection.scripts.run(cacheSettleRefresh, keys, args, this.#send)) === 1;
    if (stands) await this.options.changes?.announce([entry]);
    return stands;
  }

  async renew(entry: string, isRefresh: boolean, marker: string, leaseMs: number): Promise<boolean> {
    const keys = { lease: isRefresh ? refreshLeaseKey(entry) : entry };
    const { scripts } = this.options.connection;
    return (await scripts.run(cacheRenew, keys, { marker, leaseMs }, this.#send)) === 1;
  }

  async beginWrite(entry: string, id: string, holdMs: number): Promise<boolean> {
    const args = [writeFenceKey(entry), id, 'PX', holdMs, 'GET'];
    return (await this.options.connection.send('SET', args, this.#send)) === null;
  }

  async endWrite(entry: string, id: string, outcome: WriteOutcome): Promise<boolean> {
    const { connection, channel } = this.options;
    const args = {
      id,
      channel,
      lease: LEASE,
      value: outcome.kind === 'value' ? outcome.bytes : NOTHING,
      ttlMs: outcome.kind === 'value' ? outcome.ttlMs : 0,
      leaves: outcome.kind === 'unchanged' ? 1 : 0,
    };
    const keys = { entry, fence: writeFenceKey(entry) };
    const isStored = (await connection.scripts.run(cacheEndWrite, keys, args, this.#send)) === 1;
    if (outcome.kind !== 'unchanged') await this.options.changes?.announce([entry]);
    return isStored;
  }

  async put(values: readonly StoredBytes[]): Promise<void> {
    const { connection, channel } = this.options;
    const writes = byGroup(values, ({ entry }) => connection.groupOf(entry), MOST_PER_SCRIPT).map((group) => {
      const keys = withFences(group.map(({ entry }) => entry));
      const pairs = group.map(({ bytes, ttlMs }) => [bytes, ttlMs] as const);
      return connection.scripts.run(cachePut, keys, { lease: LEASE, channel, values: pairs }, this.#send);
    });
    await Promise.all(writes);
    await this.options.changes?.announce(values.map(({ entry }) => entry));
  }

  async evict(entries: readonly string[]): Promise<void> {
    const { connection, channel } = this.options;
    const evictions = byGroup(entries, (entry) => connection.groupOf(entry), MOST_PER_SCRIPT).map((group) =>
      connection.scripts.run(cacheEvict, withFences(group), { lease: LEASE, channel }, this.#send),
    );
    await Promise.all(evictions);
    await this.options.changes?.announce(entries);
  }

  async peekTags(tags: readonly string[]): Promise<readonly (string | undefined)[]> {
    const { connection } = this.options;
    const found = new Map<string, string | undefined>();
    const reads = byGroup(tags, (tag) => connection.groupOf(tag), MOST_PER_SCRIPT).map(async (group) => {
      const tokens = (await connection.send('MGET', group, this.#send)) as readonly (Buffer | null)[];
      group.forEach((tag, i) => found.set(tag, tokens[i]?.toString('latin1')));
    });
    await Promise.all(reads);
    return tags.map((tag) => found.get(tag));
  }

  async readTags(keys: TagKeys, holdMs: number): Promise<TagReading> {
    const reply = await this.options.connection.scripts.run(cacheReadTags, keys, { holdMs }, this.#send);
    const [clockUs, ...tokens] = reply.map((part) => part.toString('latin1'));
    return { clockUs: Number(clockUs), tokens };
  }

  async invalidateTags(keys: TagKeys, holdMs: number): Promise<string> {
    const token = await this.options.connection.scripts.run(cacheInvalidateTags, keys, { holdMs }, this.#send);
    await this.options.changes?.announce(keys.tags);
    return token.toString('latin1');
  }

  scan(pattern: string, signal: AbortSignal | undefined): AsyncIterable<readonly string[]> {
    return this.options.connection.scan(pattern, signal === undefined ? {} : { signal });
  }

  async listen(onWake: OnWake): Promise<void> {
    const { subscriber } = this.options.connection;
    const stopGaps = subscriber.onGap(() => onWake(null, null));
    try {
      const cancel = await subscriber.subscribe(this.options.channel, (message) => {
        const end = message.indexOf(0);
        if (end < 0) onWake(message.toString(), null);
        else onWake(message.toString('utf8', 0, end), message.subarray(end + 1));
      });
      this.#cancels.push(cancel, stopGaps);
    } catch (error) {
      stopGaps();
      throw error;
    }
  }

  close(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }
}

/** The entries of a script, and after them their fences. */
function withFences(entries: readonly string[]): { readonly entries: readonly string[] } {
  return { entries: [...entries, ...entries.map(writeFenceKey)] };
}
