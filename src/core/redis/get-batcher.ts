import { Command } from 'ioredis';
import type { ConnectionCounters } from './connection-counters.js';

const MOST_KEYS = 64;
const FEWEST_KEYS = 4;

/**
 * How much an MGET is meant to bring back at most. With more, the server and this process take turns instead of working side by side:
 * the reply is parsed in one piece while the server has nothing to do.
 */
const REPLY_BYTES = 64 * 1024;

/** Weight of the newest reply in the running average of value sizes. */
const NEWEST = 1 / 8;

interface Waiter {
  readonly resolve: (value: Buffer | null) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly keys: string[];
  readonly waiters: Waiter[];
}

/** Sends a read, and calls back with its raw reply or an error. */
export type SendRead = (
  command: Command,
  deadlineMs: number,
  onReply: (reply: unknown) => void,
  onError: (error: Error) => void,
) => void;

/**
 * Turns the single reads of one tick into one MGET, with no added delay: the batch leaves at the end of the tick that filled it.
 * A key that is absent, or holds another type than a string, reads as null.
 *
 * Reads are grouped by deadline and by `groupOf(key)`: all in one group on a single server, by slot on a cluster.
 */
export class GetBatcher {
  readonly #open = new Map<number, Map<number, Batch>>();
  #scheduled = false;
  #averageBytes = 0;
  #longest = MOST_KEYS;

  constructor(
    private readonly groupOf: (key: string) => number,
    private readonly send: SendRead,
    private readonly counters: ConnectionCounters,
  ) {}

  get(key: string, deadlineMs: number): Promise<Buffer | null> {
    return new Promise((resolve, reject) => {
      const groups = this.#groups(deadlineMs);
      const group = this.groupOf(key);
      let batch = groups.get(group);
      if (batch === undefined) {
        batch = { keys: [], waiters: [] };
        groups.set(group, batch);
      }
      batch.keys.push(key);
      batch.waiters.push({ resolve, reject });
      if (batch.keys.length >= this.#longest) {
        groups.delete(group);
        this.#dispatch(batch, deadlineMs);
      }
    });
  }

  #groups(deadlineMs: number): Map<number, Batch> {
    let groups = this.#open.get(deadlineMs);
    if (groups === undefined) {
      groups = new Map();
      this.#open.set(deadlineMs, groups);
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(this.#flush);
    }
    return groups;
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    for (const [deadlineMs, groups] of this.#open) {
      for (const batch of groups.values()) this.#dispatch(batch, deadlineMs);
    }
    this.#open.clear();
  };

  #dispatch({ keys, waiters }: Batch, deadlineMs: number): void {
    if (waiters.length > 1) this.counters.readsBatched += waiters.length;
    this.send(
      new Command('mget', keys),
      deadlineMs,
      (reply) => {
        const values = reply as (Buffer | null)[];
        let bytes = 0;
        for (let i = 0; i < waiters.length; i++) {
          const value = values[i] ?? null;
          if (value !== null) bytes += value.length;
          waiters[i]?.resolve(value);
        }
        this.#learn(bytes / waiters.length);
      },
      (error) => {
        for (const waiter of waiters) waiter.reject(error);
      },
    );
  }

  /** Large values make for shorter batches. */
  #learn(bytesPerValue: number): void {
    this.#averageBytes += (bytesPerValue - this.#averageBytes) * NEWEST;
    this.#longest = Math.min(MOST_KEYS, Math.max(FEWEST_KEYS, Math.floor(REPLY_BYTES / (this.#averageBytes + 1))));
  }
}
