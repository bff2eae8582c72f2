import { randomUUID } from 'node:crypto';
import type { RedisConnection, SendOptions } from '../../../core/redis/redis-connection.js';
import {
  cacheWriteBehindClaim,
  cacheWriteBehindDeadLetters,
  cacheWriteBehindDiscard,
  cacheWriteBehindJournal,
  cacheWriteBehindPending,
  cacheWriteBehindPostpone,
  cacheWriteBehindRenew,
  cacheWriteBehindRevive,
  cacheWriteBehindSettle,
} from '../../cache.scripts.gen.js';
import { WriteBehindModeError } from '../write-behind.errors.js';
import { journalKeys, type JournalKeys } from './journal-keys.js';
import {
  idOfWrite,
  type BuriedEntry,
  type Claim,
  type ClaimedBatch,
  type Journal,
  type JournalConfig,
  type JournalOutcome,
  type Refusal,
  type WriteBehindSize,
} from './journal.js';

const OUTCOMES: Readonly<Record<number, JournalOutcome>> = {
  2: 'repeated',
  1: 'journalled',
  0: 'full',
  [-1]: 'overflow',
};

/**
 * The journal in Redis: what it has acknowledged survives this process, and whichever process is alive flushes it. Time is the server's.
 * Rejects with `RedisUnavailableError` and the like; a write whose reply was lost may have been journalled.
 */
export class RedisJournal implements Journal {
  readonly #keys: JournalKeys;
  readonly #sendOptions: SendOptions;

  constructor(
    private readonly config: JournalConfig,
    private readonly connection: RedisConnection,
  ) {
    this.#keys = journalKeys(connection.keyPrefix, config.name);
    this.#sendOptions = config.deadlineMs === undefined ? {} : { deadlineMs: config.deadlineMs };
  }

  async write(field: string, value: string | Buffer, id: string | undefined): Promise<JournalOutcome> {
    const { mode, maxPending: maxEntries, idWindowMs } = this.config;
    const args = { field, value, mode, maxEntries, id: id === undefined ? '' : idOfWrite(id, field), idWindowMs };
    const reply = await this.connection.scripts.run(cacheWriteBehindJournal, this.#keys, args, this.#sendOptions);
    return OUTCOMES[reply] as JournalOutcome;
  }

  async pending(field: string): Promise<readonly [Buffer | null, Buffer | null]> {
    return this.connection.scripts.run(cacheWriteBehindPending, this.#keys, { field }, this.#sendOptions);
  }

  async claim(): Promise<ClaimedBatch | null> {
    const { batchSize, leaseMs } = this.config;
    const args = { token: randomUUID(), batchSize, leaseMs };
    const reply = await this.connection.scripts.run(cacheWriteBehindClaim, this.#keys, args, this.#sendOptions);
    if (reply === null) return null;
    const [id, number, attempt, overtaken, fields, values] = reply;
    const entries = fields.map((field, index) => ({ field, value: values[index] as Buffer }));
    return { id, number, token: args.token, attempt, overtaken, entries };
  }

  async renew({ number, token }: Claim): Promise<boolean> {
    const args = { number, token, leaseMs: this.config.leaseMs };
    return (await this.connection.scripts.run(cacheWriteBehindRenew, this.#keys, args, this.#sendOptions)) === 1;
  }

  async postpone({ number, token }: Claim, pauseMs: number): Promise<boolean> {
    const args = { number, token, pauseMs };
    return (await this.connection.scripts.run(cacheWriteBehindPostpone, this.#keys, args, this.#sendOptions)) === 1;
  }

  async settle({ number, token }: Claim, refusals: readonly Refusal[]): Promise<boolean> {
    const refused = refusals.map(({ field, reason }) => [field, reason] as const);
    const args = { number, token, mode: this.config.mode, refused };
    const reply = await this.connection.scripts.run(cacheWriteBehindSettle, this.#keys, args, this.#sendOptions);
    if (reply < 0) throw new WriteBehindModeError(this.config.name);
    return reply === 1;
  }

  async deadLetters(offset: number, limit: number): Promise<readonly BuriedEntry[]> {
    const args = { offset, limit };
    const reply = await this.connection.scripts.run(cacheWriteBehindDeadLetters, this.#keys, args, this.#sendOptions);
    const [fields, values, reasons, times] = reply;
    return fields.map((field, index) => ({
      field,
      value: values[index] as Buffer,
      reason: reasons[index] as string,
      sinceMs: times[index] as number,
    }));
  }

  async revive(fields: readonly string[]): Promise<number> {
    if (fields.length === 0) return 0;
    const args = { mode: this.config.mode, fields };
    return this.connection.scripts.run(cacheWriteBehindRevive, this.#keys, args, this.#sendOptions);
  }

  async discard(fields: readonly string[]): Promise<number> {
    if (fields.length === 0) return 0;
    return this.connection.scripts.run(cacheWriteBehindDiscard, this.#keys, { fields }, this.#sendOptions);
  }

  async size(): Promise<WriteBehindSize> {
    const { pending, inflight, dead } = this.#keys;
    const lengths = [pending, inflight, dead].map((key) => this.connection.send('HLEN', [key], this.#sendOptions));
    const [waiting, inFlight, deadLetters] = (await Promise.all(lengths)) as [number, number, number];
    return { waiting, inFlight, deadLetters };
  }

  close(): void {
    // What is journalled stays, and other processes go on.
  }
}
