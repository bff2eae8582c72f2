import { Command } from 'ioredis';
import type { ConnectionCounters } from '../connection-counters.js';

const MOST_KEYS = 64;
const FEWEST_KEYS = 4;

/** So many reads leave without waiting for the turn's end: the server then works while this process does. */
const ENOUGH_KEYS = 8;

/**
 * How much an MGET is meant to bring back at most. With more, the server and this process take turns instead of working side by side:
 * the reply is parsed in one piece while the server has nothing to do.
 */
const REPLY_BYTES = 256 * 1024;

/** Weight of the newest reply in the running average of value sizes. */
const NEWEST = 1 / 8;

class Waiter {
  constructor(
    readonly resolve: (value: Buffer | null) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

class Batch {
  readonly keys: string[] = [];
  readonly waiters: Waiter[] = [];

  constructor(
    readonly group: number,
    readonly deadlineMs: number,
  ) {}
}

/** Sends a read, and calls back with its raw reply or an error. */
export type SendRead = (
  command: Command,
  deadlineMs: number,
  onReply: (reply: unknown) => void,
  onError: (error: Error) => void,
) => void;

/**
 * Turns single reads into few MGETs. The first reads in a turn of the event loop leave at the end of their tick; those of later ticks, of other requests say,
 * when they are enough, and else at the end of the turn, since no reply is read before the next one. A key that is absent, or holds another type than a
 * string, reads as null.
 *
 * Reads are grouped by deadline and by `groupOf(key)`: all in one group on a single server, by slot on a cluster.
 */
export class GetBatcher {
  /** The batches of this turn by group, one for each deadline. */
  #open: Map<number, Batch[]> | null = null;
  #latest: Batch | null = null;
  /** Those that need not wait for the turn's end. */
  #enough: Batch[] = [];
  #isTickOpen = false;
  /** Whether reads have left in this turn. */
  #isTurnOpen = false;
  #averageBytes = 0;
  #longest = MOST_KEYS;

  constructor(
    private readonly groupOf: (key: string) => number,
    private readonly send: SendRead,
    private readonly counters: ConnectionCounters,
  ) {}

  get(key: string, deadlineMs: number): Promise<Buffer | null> {
    return new Promise((resolve, reject) => {
      const group = this.groupOf(key);
      let batch = this.#latest;
      if (batch === null || batch.group !== group || batch.deadlineMs !== deadlineMs) {
        batch = this.#batchOf(group, deadlineMs);
        this.#latest = batch;
      }
      batch.keys.push(key);
      batch.waiters.push(new Waiter(resolve, reject));
      if (!this.#isTickOpen) {
        this.#isTickOpen = true;
        process.nextTick(this.#endTick);
      }
      if (batch.keys.length === ENOUGH_KEYS) this.#enough.push(batch);
      if (batch.keys.length >= this.#longest) this.#close(batch);
    });
  }

  #batchOf(group: number, deadlineMs: number): Batch {
    // A fresh Map each turn: one that is emptied and filled again keeps what it held from the garbage collector.
    this.#open ??= new Map();
    let batches = this.#open.get(group);
    if (batches === undefined) {
      batches = [];
      this.#open.set(group, batches);
    }
    let batch = batches.find((open) => open.deadlineMs === deadlineMs);
    if (batch === undefined) {
      batch = new Batch(group, deadlineMs);
      batches.push(batch);
    }
    return batch;
  }

  #close(batch: Batch): void {
    const batches = this.#open?.get(batch.group) ?? [];
    const at = batches.indexOf(batch);
    if (at === -1) return;
    batches.splice(at, 1);
    this.#latest = null;
    this.#dispatch(batch);
  }

  readonly #endTick = (): void => {
    this.#isTickOpen = false;
    if (this.#isTurnOpen) {
      const enough = this.#enough;
      this.#enough = [];
      for (const batch of enough) this.#close(batch);
      return;
    }
    this.#isTurnOpen = true;
    setImmediate(this.#endTurn);
    this.#closeAll();
  };

  readonly #endTurn = (): void => {
    this.#isTurnOpen = false;
    this.#closeAll();
  };

  #closeAll(): void {
    const open = this.#open;
    this.#open = null;
    this.#latest = null;
    this.#enough = [];
    for (const batches of open?.values() ?? []) for (const batch of batches) this.#dispatch(batch);
  }

  #dispatch({ keys, waiters, deadlineMs }: Batch): void {
    if (waiters.length > 1) this.counters.readsBatched += waiters.length;
    this.send(
      new Command('mget', keys),
      deadlineMs,
      (reply) => {
        const values = reply as (Buffer | null)[];
        let bytes = 0;
        for (let i = 0; i < waiters.length; i++) {
          const value = values[i] ?? null;
          // V8 may allocate the arrays of a parser among the old objects: then one keeps what it holds until the next full collection.
          values[i] = null;
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
