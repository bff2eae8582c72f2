import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/time/clock.js';
import { HEAD_LENGTH, LEASE, StoredValue } from '../entry/entry-format.js';
import { refreshLeaseKey, writeFenceKey } from '../entry/lease-key.js';
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

/** Bounds of a cache that is kept in this process alone; the least recently used goes first, as in a Redis that may evict. */
const MOST_ENTRIES = 100_000;
const MOST_BYTES = 256 * 1024 * 1024;

/** What an entry costs beside its bytes. */
const OVERHEAD_BYTES = 200;

interface Kept {
  readonly bytes: Buffer;
  readonly untilMs: number;
}

/**
 * One cache's entries in this process, for applications without Redis. What Redis does in scripts is done here between two turns of the event loop; the bytes are the
 * same, so that values come back as they would from there.
 */
export class MemoryStore implements EntryStore {
  readonly #kept = new LRUCache<string, Kept>({
    max: MOST_ENTRIES,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ bytes }, key) => bytes.length + key.length + OVERHEAD_BYTES,
  });
  #onWake: OnWake = () => undefined;

  #onChange: (key: string) => void = () => undefined;

  constructor(private readonly clock: Clock) {}

  /** Names who hears of every change, this process's own: they are all that there are. */
  onChange(changed: (key: string) => void): void {
    this.#onChange = changed;
  }

  async claim(entry: string, marker: string, leaseMs: number): Promise<Claimed> {
    const held = this.#get(entry);
    if (held === null) this.#set(entry, marker, leaseMs);
    return held;
  }

  async read(entry: string): Promise<Buffer | null> {
    return this.#get(entry);
  }

  async settle(entry: string, marker: string, outcome: string | Buffer, ttlMs: number): Promise<boolean> {
    const held = this.#get(entry);
    if (!isLease(held, marker)) return false;
    if (outcome.length === 0) this.#delete(entry);
    else this.#set(entry, outcome, ttlMs);
    this.#wake(entry, held);
    return true;
  }

  async wait(entry: string, marker: string, leaseMs: number): Promise<Contended> {
    const held = this.#get(entry);
    if (held === null) this.#set(entry, marker, leaseMs);
    if (isLease(held, marker)) return { waitMs: 0, held: null };
    if (held?.[0] !== LEASE) return { waitMs: 0, held };
    return { waitMs: this.#markWaited(entry, held), held: null };
  }

  async claimRefresh(
    entry: string,
    head: string | Buffer,
    marker: string,
    leaseMs: number,
    waits: boolean,
  ): Promise<RefreshClaim> {
    if (!this.#beginsWith(entry, head)) return { kind: 'moved' };
    const lease = refreshLeaseKey(entry);
    const held = this.#get(lease);
    if (held === null) {
      this.#set(lease, marker, leaseMs);
      return { kind: 'ours' };
    }
    if (isLease(held, marker)) return { kind: 'ours' };
    if (held[0] !== LEASE) return { kind: 'failed', mark: held };
    return { kind: 'theirs', waitMs: waits ? this.#markWaited(lease, held) : this.#leftMs(lease) };
  }

  async settleRefresh(entry: string, head: string | Buffer, marker: string, outcome: RefreshOutcome): Promise<boolean> {
    const lease = refreshLeaseKey(entry);
    const held = this.#get(lease);
    if (!isLease(held, marker)) return false;
    this.#delete(lease);
    const isSame = this.#beginsWith(entry, head);
    if (isSame) this.#apply(entry, lease, outcome);
    this.#wake(entry, held);
    return isSame;
  }

  async renew(entry: string, isRefresh: boolean, marker: string, leaseMs: number): Promise<boolean> {
    const lease = isRefresh ? refreshLeaseKey(entry) : entry;
    const held = this.#get(lease);
    if (!isLease(held, marker)) return false;
    this.#set(lease, held, leaseMs);
    return true;
  }

  async beginWrite(entry: string, id: string, holdMs: number): Promise<boolean> {
    const fence = writeFenceKey(entry);
    const isAlone = this.#get(fence) === null;
    this.#set(fence, id, holdMs);
    return isAlone;
  }

  async endWrite(entry: string, id: string, outcome: WriteOutcome): Promise<boolean> {
    const fence = writeFenceKey(entry);
    const isOurs = this.#get(fence)?.toString('latin1') === id;
    // Not alone: whoever else is writing must not store its value either, since ours may have been the later one.
    if (isOurs || outcome.kind !== 'unchanged') this.#delete(fence);
    if (outcome.kind === 'unchanged') return false;
    const held = this.#get(entry);
    const isStored = isOurs && outcome.kind === 'value';
    if (isStored) this.#set(entry, outcome.bytes, outcome.ttlMs);
    else this.#delete(entry);
    this.#wake(entry, held);
    return isStored;
  }

  async put(values: readonly StoredBytes[]): Promise<void> {
    for (const { entry, bytes, ttlMs } of values) {
      const held = this.#get(entry);
      this.#set(entry, bytes, ttlMs);
      this.#endFence(entry);
      this.#wake(entry, held);
    }
  }

  async evict(entries: readonly string[]): Promise<void> {
    for (const entry of entries) {
      const held = this.#get(entry);
      this.#delete(entry);
      this.#endFence(entry);
      this.#wake(entry, held);
    }
  }

  async peekTags(tags: readonly string[]): Promise<readonly (string | undefined)[]> {
    return tags.map((tag) => this.#get(tag)?.toString('latin1'));
  }

  async readTags({ clock, tags }: TagKeys, holdMs: number): Promise<TagReading> {
    const clockUs = this.#clockOf(clock);
    // Seldom, since each write tells the memory tier of a change.
    const isShort = (key: string): boolean => this.#leftMs(key) < (holdMs * 3) / 4;
    // It outlives every token that an invalidation issued, or nobody could tell when that was.
    if (clockUs > 0 && isShort(clock)) this.#set(clock, `${clockUs}`, holdMs);
    const fresh = `c${Math.max(clockUs + 1, this.clock.now() * 1_000)}`;
    const tokens = tags.map((tag) => {
      const token = this.#get(tag) ?? Buffer.from(fresh);
      if (isShort(tag)) this.#set(tag, token, holdMs);
      return token.toString('latin1');
    });
    return { clockUs, tokens };
  }

  async invalidateTags({ clock, tags }: TagKeys, holdMs: number): Promise<string> {
    const stamp = Math.max(this.#clockOf(clock) + 1, this.clock.now() * 1_000);
    const token = `i${stamp}`;
    this.#set(clock, `${stamp}`, holdMs);
    for (const tag of tags) this.#set(tag, token, holdMs);
    return token;
  }

  async *scan(pattern: string): AsyncGenerator<readonly string[]> {
    const literal = (text: string): string => text.replace(/[.+^${}()|[\]\\?]/g, '\\$&');
    const matching = new RegExp(`^${pattern.split('*').map(literal).join('.*')}$`, 's');
    yield [...this.#kept.keys()].filter((key) => matching.test(key) && this.#get(key) !== null);
  }

  async listen(onWake: OnWake): Promise<void> {
    this.#onWake = onWake;
  }

  close(): void {
    this.#kept.clear();
  }

  #apply(entry: string, lease: string, outcome: RefreshOutcome): void {
    const { untilMs = 0, bytes } = this.#kept.get(entry) ?? {};
    if (outcome.kind === 'nothing') this.#delete(entry);
    if (outcome.kind === 'value') this.#set(entry, outcome.bytes, outcome.ttlMs);
    if (outcome.kind === 'failure' && outcome.backoffMs > 0) this.#set(lease, outcome.mark, outcome.backoffMs);
    if (outcome.kind !== 'prolonged' || bytes === undefined) return;
    const prolonged = Buffer.from(bytes);
    const endMs = outcome.nowMs + Math.min(outcome.serveMs, untilMs - this.clock.now());
    prolonged.write(new StoredValue(bytes).prolongedUntil(endMs), HEAD_LENGTH, 'latin1');
    this.#kept.set(entry, { bytes: prolonged, untilMs });
    this.#onChange(entry);
  }

  #get(key: string): Buffer | null {
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    if (kept.untilMs > this.clock.now()) return kept.bytes;
    this.#kept.delete(key);
    return null;
  }

  #set(key: string, bytes: string | Buffer, ttlMs: number): void {
    const own = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    this.#kept.set(key, { bytes: own, untilMs: this.clock.now() + ttlMs });
    this.#onChange(key);
  }

  /** Whoever is writing the source of the entry is no longer its only writer. */
  #endFence(entry: string): void {
    const fence = writeFenceKey(entry);
    if (this.#kept.has(fence)) this.#delete(fence);
  }

  #delete(key: string): void {
    this.#kept.delete(key);
    this.#onChange(key);
  }

  #leftMs(key: string): number {
    return Math.max(1, (this.#kept.get(key)?.untilMs ?? 0) - this.clock.now());
  }

  #clockOf(key: string): number {
    return Number(this.#get(key)?.toString('latin1') ?? 0);
  }

  #beginsWith(entry: string, head: string | Buffer): boolean {
    const held = this.#get(entry);
    return held !== null && held.subarray(0, HEAD_LENGTH).equals(Buffer.from(head));
  }

  #markWaited(key: string, lease: Buffer): number {
    const leftMs = this.#leftMs(key);
    const waited = Buffer.from(lease);
    waited.write('1', waited.length - 1);
    this.#set(key, waited, leftMs);
    return leftMs;
  }

  #wake(entry: string, held: Buffer | null): void {
    if (held?.[0] === LEASE && held.at(-1) === WAITED) this.#onWake(entry, null);
  }
}

/** The last byte of a lease that somebody waits for: `1`. */
const WAITED = 0x31;

function isLease(held: Buffer | null, marker: string): held is Buffer {
  return held !== null && held.subarray(0, -1).equals(Buffer.from(marker.slice(0, -1)));
}
