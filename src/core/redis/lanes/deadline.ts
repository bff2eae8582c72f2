/** Something that has to happen in time. */
export interface Deadline {
  /** It has happened. Returns whether that was in time; cancelling again, or after the deadline, does nothing. */
  cancel(): boolean;
}

/**
 * Calls `expired` once `ms` have passed, unless the deadline was cancelled before.
 *
 * A reply that already lies in the socket is never counted as late: when the event loop itself was blocked, its timers run before its
 * sockets are read, so the verdict waits for the end of the turn, a millisecond and a pass over the sockets; and after a standstill for as long again, up to `ms`.
 *
 * Made for every command that is sent: deadlines of one length run out in the order in which they were set, so they share a list and a
 * timer, and setting and cancelling one touches neither the event loop nor other deadlines. None of them keeps the process alive.
 */
export function startDeadline(ms: number, expired: () => void): Deadline {
  let list = lists.get(ms);
  if (list === undefined) {
    list = new DeadlineList(ms);
    lists.set(ms, list);
  }
  return list.add(expired);
}

/** What was held back to the end of a turn of the event loop has only just been written then: the server is given this long for it. */
const GRACE_MS = 1;

/** By length in milliseconds; a list goes when its timer finds it empty. */
const lists = new Map<number, DeadlineList>();

class Entry implements Deadline {
  before: Entry | null = null;
  after: Entry | null = null;
  listed = true;

  constructor(
    private readonly list: DeadlineList,
    readonly dueMs: number,
    readonly expired: () => void,
  ) {}

  cancel(): boolean {
    const inTime = this.listed;
    if (inTime) this.list.remove(this);
    return inTime;
  }
}

class DeadlineList {
  #first: Entry | null = null;
  #last: Entry | null = null;

  constructor(private readonly ms: number) {
    this.#arm(ms);
  }

  add(expired: () => void): Entry {
    const entry = new Entry(this, performance.now() + this.ms, expired);
    entry.before = this.#last;
    if (this.#last === null) this.#first = entry;
    else this.#last.after = entry;
    this.#last = entry;
    return entry;
  }

  remove(entry: Entry): void {
    entry.listed = false;
    if (entry.before === null) this.#first = entry.after;
    else entry.before.after = entry.after;
    if (entry.after === null) this.#last = entry.before;
    else entry.after.before = entry.before;
    // An entry that has grown old must not keep younger ones from the garbage collector.
    entry.before = null;
    entry.after = null;
  }

  #arm(ms: number): void {
    setTimeout(this.#check, ms).unref();
  }

  readonly #check = (): void => {
    const nowMs = performance.now();
    if (this.#first === null) lists.delete(this.ms);
    else if (this.#first.dueMs > nowMs) this.#arm(this.#first.dueMs - nowMs);
    else this.#judge(this.#first, nowMs);
  };

  /**
   * A timer that comes late means that the event loop, or the whole process, stood still: then some commands have only just been
   * written, and the server is given the lost time again.
   */
  #judge(first: Entry, nowMs: number): void {
    const lostMs = nowMs - first.dueMs;
    const waitMs = Math.max(GRACE_MS, Math.min(lostMs, this.ms));
    const judge = (): void => void setImmediate(this.#expire, nowMs);
    setImmediate(() => setTimeout(judge, waitMs).unref());
  }

  /** Those that were due before the sockets were read, and are still waited for. */
  readonly #expire = (dueMs: number): void => {
    while (this.#first !== null && this.#first.dueMs <= dueMs) {
      const entry = this.#first;
      this.remove(entry);
      entry.expired();
    }
    this.#check();
  };
}
