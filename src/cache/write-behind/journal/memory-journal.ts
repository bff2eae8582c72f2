import { randomUUID } from 'node:crypto';
import { RedisUnavailableError } from '../../../core/errors/redis.errors.js';
import type { Clock } from '../../../core/time/clock.js';
import {
  idOfWrite,
  type BuriedEntry,
  type Claim,
  type ClaimedBatch,
  type Journal,
  type JournalConfig,
  type JournalEntry,
  type JournalOutcome,
  type Refusal,
  type WriteBehindSize,
} from './journal.js';

/** A batch, as the journal keeps it. */
interface Batch {
  readonly id: string;
  readonly entries: readonly JournalEntry[];
  token: string;
  attempt: number;
  /** When it may be claimed. */
  dueMs: number;
  /** When it failed last; null once that failure has been looked at. */
  failedMs: number | null;
  overtaken: number;
}

const NOT_THE_LAST_CLAIM = null;

/** The journal in this process, for applications without Redis. Behaves as the one in Redis, and is gone with the process. */
export class MemoryJournal implements Journal {
  readonly #waiting = new Map<string, Buffer>();
  /** Fields that wait and may be claimed, oldest first. */
  readonly #ready = new Set<string>();
  readonly #inFlight = new Map<string, Buffer>();
  readonly #batches = new Map<number, Batch>();
  readonly #dead = new Map<string, BuriedEntry>();
  readonly #ids = new Map<string, number>();
  #last = 0;
  #acceptedMs = -1;
  #closed = false;

  constructor(
    private readonly config: JournalConfig,
    private readonly clock: Clock,
  ) {}

  async write(field: string, value: string | Buffer, id: string | undefined): Promise<JournalOutcome> {
    if (this.#closed) throw new RedisUnavailableError('closing', { connection: 'memory', mayHaveRun: false });
    const once = id === undefined ? undefined : idOfWrite(id, field);
    if (once !== undefined && this.#isRemembered(once)) return 'repeated';
    const waiting = this.#waiting.get(field);
    if (waiting === undefined && this.#entries >= this.config.maxPending) return 'full';
    const takes = this.#coalesce(waiting, Buffer.from(value));
    if (takes === null) return 'overflow';
    this.#waiting.set(field, takes);
    this.#offer(field);
    if (once !== undefined) this.#remember(once);
    return 'journalled';
  }

  async pending(field: string): Promise<readonly [Buffer | null, Buffer | null]> {
    return [this.#inFlight.get(field) ?? null, this.#waiting.get(field) ?? null];
  }

  async claim(): Promise<ClaimedBatch | null> {
    const due = [...this.#batches].find(([, { dueMs }]) => dueMs <= this.clock.monotonicMs());
    const [number, batch] = due ?? this.#newBatch() ?? [];
    if (number === undefined || batch === undefined) return null;
    batch.token = randomUUID();
    batch.attempt += 1;
    batch.dueMs = this.clock.monotonicMs() + this.config.leaseMs;
    if (batch.failedMs !== null && this.#acceptedMs >= batch.failedMs) batch.overtaken += 1;
    batch.failedMs = null;
    const { id, token, attempt, overtaken, entries } = batch;
    return { id, number, token, attempt, overtaken, entries };
  }

  async renew(claim: Claim): Promise<boolean> {
    const batch = this.#held(claim);
    if (batch === NOT_THE_LAST_CLAIM) return false;
    batch.dueMs = this.clock.monotonicMs() + this.config.leaseMs;
    return true;
  }

  async postpone(claim: Claim, pauseMs: number): Promise<boolean> {
    const batch = this.#held(claim);
    if (batch === NOT_THE_LAST_CLAIM) return false;
    batch.token = '';
    const nowMs = this.clock.monotonicMs();
    batch.failedMs = nowMs;
    batch.dueMs = nowMs + pauseMs;
    return true;
  }

  async settle(claim: Claim, refused: readonly Refusal[]): Promise<boolean> {
    const batch = this.#held(claim);
    if (batch === NOT_THE_LAST_CLAIM) return false;
    this.#batches.delete(claim.number);
    const reasons = new Map(refused.map(({ field, reason }) => [field, reason]));
    for (const { field, value } of batch.entries) {
      this.#inFlight.delete(field);
      const reason = reasons.get(field);
      if (reason !== undefined) this.#bury({ field, value, reason, sinceMs: this.clock.now() });
      else this.#accept(field);
      if (this.#waiting.has(field)) this.#offer(field);
    }
    return true;
  }

  async deadLetters(offset: number, limit: number): Promise<readonly BuriedEntry[]> {
    return [...this.#dead.values()].slice(offset, offset + limit);
  }

  async revive(fields: readonly string[]): Promise<number> {
    return fields.filter((field) => this.#revive(field)).length;
  }

  async discard(fields: readonly string[]): Promise<number> {
    return fields.filter((field) => this.#dead.delete(field)).length;
  }

  async size(): Promise<WriteBehindSize> {
    return { waiting: this.#waiting.size, inFlight: this.#inFlight.size, deadLetters: this.#dead.size };
  }

  close(): void {
    this.#closed = true;
  }

  get #entries(): number {
    return this.#waiting.size + this.#inFlight.size + this.#dead.size;
  }

  #newBatch(): [number, Batch] | null {
    const fields = [...this.#ready].slice(0, this.config.batchSize);
    if (fields.length === 0) return null;
    const entries = fields.map((field) => ({ field, value: this.#waiting.get(field) as Buffer }));
    for (const { field, value } of entries) {
      this.#ready.delete(field);
      this.#waiting.delete(field);
      this.#inFlight.set(field, value);
    }
    this.#last += 1;
    const batch: Batch = { id: randomUUID(), entries, token: '', attempt: 0, dueMs: 0, failedMs: null, overtaken: 0 };
    this.#batches.set(this.#last, batch);
    return [this.#last, batch];
  }

  #held({ number, token }: Claim): Batch | null {
    const batch = this.#batches.get(number);
    return batch?.token === token ? batch : NOT_THE_LAST_CLAIM;
  }

  /** A field in flight becomes ready when its batch is settled. */
  #offer(field: string): void {
    if (!this.#inFlight.has(field)) this.#ready.add(field);
  }

  #accept(field: string): void {
    this.#acceptedMs = this.clock.monotonicMs();
    if (this.config.mode === 'replace') this.#dead.delete(field);
  }

  #bury(entry: BuriedEntry): void {
    const earlier = this.#dead.get(entry.field)?.value;
    const sums = this.config.mode === 'add' && earlier !== undefined;
    // A sum that is no safe integer is kept all the same: nothing that was acknowledged may be dropped here.
    const value = sums
      ? Buffer.from((BigInt(earlier.toString()) + BigInt(entry.value.toString())).toString())
      : entry.value;
    this.#dead.delete(entry.field);
    this.#dead.set(entry.field, { ...entry, value });
  }

  #revive(field: string): boolean {
    const entry = this.#dead.get(field);
    if (entry === undefined) return false;
    const waiting = this.#waiting.get(field);
    const superseded = this.config.mode === 'replace' && (waiting !== undefined || this.#inFlight.has(field));
    const takes = this.#coalesce(waiting, entry.value);
    if (takes === null) return false;
    this.#dead.delete(field);
    if (superseded) return true;
    this.#waiting.set(field, takes);
    this.#offer(field);
    return true;
  }

  /** Null when the sum would be no safe integer. */
  #coalesce(earlier: Buffer | undefined, later: Buffer): Buffer | null {
    if (this.config.mode === 'replace' || earlier === undefined) return later;
    const sum = Number(earlier.toString()) + Number(later.toString());
    return Number.isSafeInteger(sum) ? Buffer.from(sum.toFixed(0)) : null;
  }

  #isRemembered(id: string): boolean {
    const journalledMs = this.#ids.get(id);
    return journalledMs !== undefined && journalledMs > this.clock.monotonicMs() - this.config.idWindowMs;
  }

  #remember(id: string): void {
    this.#ids.delete(id);
    this.#ids.set(id, this.clock.monotonicMs());
    for (const [oldest] of this.#ids) {
      if (this.#isRemembered(oldest) && this.#ids.size <= this.config.maxPending) break;
      this.#ids.delete(oldest);
    }
  }
}
