/** The kinds of `lua/throttler/consume.lua`. */
export const GCRA = 1;
export const SLIDING_WINDOW = 2;
export const FIXED_WINDOW = 3;
export const SLIDING_COUNTER = 4;
export const TOKEN_BUCKET = 5;
export const SLIDING_LOG = 6;
export const CONCURRENCY = 7;

/** A policy as the script is told of it. What `a` and `b` are depends on the kind; the header of the script says. */
export interface Policy {
  readonly kind: number;
  readonly limit: number;
  readonly a: number;
  readonly b: number;
}

/** Units charged at a time. */
export interface Charge {
  readonly atUs: number;
  readonly units: number;
}

/**
 * What an algorithm promises, as plainly as it can be said: time never goes back, nothing is ever forgotten, and nothing is fast.
 *
 * A request fits when what is taken and its units together are within the limit; that much all algorithms have in common.
 */
export interface Oracle {
  /** How many units of the limit are taken at a time. Changes nothing. */
  taken(nowUs: number): number;
  /** Charges units, whether they fit or not; takes back what is below 0, the latest first. */
  charge(nowUs: number, units: number): void;
}

export function oracleOf({ kind, a, b }: Policy): Oracle {
  switch (kind) {
    case GCRA:
      return new LeakingMeter(BigInt(a), BigInt(b));
    case SLIDING_WINDOW:
      return new SlidingWindow(a);
    case FIXED_WINDOW:
      return new FixedWindow(a);
    case SLIDING_COUNTER:
      return new SlidingCounter(a);
    case TOKEN_BUCKET:
      return new TokenBucket(a, b);
    case SLIDING_LOG:
      return new SlidingLog(a);
    case CONCURRENCY:
      return new Leases(a);
    default:
      throw new RangeError(`There is no policy of kind ${kind}.`);
  }
}

export function fits(oracle: Oracle, { limit }: Policy, nowUs: number, units: number): boolean {
  return oracle.taken(nowUs) + units <= limit;
}

export function left(oracle: Oracle, { limit }: Policy, nowUs: number): number {
  return Math.max(0, limit - oracle.taken(nowUs));
}

/** The most units that any stretch of `windowUs`, open at its beginning, holds: every such maximum ends with a charge. */
export function fullestWindow(charges: readonly Charge[], windowUs: number): number {
  const heldUntil = (endUs: number): number =>
    total(charges.filter(({ atUs }) => atUs > endUs - windowUs && atUs <= endUs));
  return Math.max(0, ...charges.map(({ atUs }) => heldUntil(atUs)));
}

function total(charges: readonly Charge[]): number {
  return charges.reduce((sum, { units }) => sum + units, 0);
}

/** Every charge there was, with what was taken back struck off the latest ones. */
class History {
  charges: Charge[] = [];

  add(atUs: number, units: number): void {
    if (units > 0) this.charges.push({ atUs, units });
    else this.#strike(-units);
  }

  #strike(units: number): void {
    let due = units;
    while (due > 0) {
      const latest = this.charges.pop();
      if (latest === undefined) return;
      if (latest.units > due) this.charges.push({ ...latest, units: latest.units - due });
      due -= latest.units;
    }
  }
}

/** At most `limit` units in any (t - window, t]. */
class SlidingLog implements Oracle {
  readonly #history = new History();

  constructor(readonly windowUs: number) {}

  taken(nowUs: number): number {
    return total(this.#history.charges.filter(({ atUs }) => atUs > nowUs - this.windowUs));
  }

  charge(nowUs: number, units: number): void {
    // What has left the window is not there to be taken back.
    this.#history.add(nowUs, Math.max(units, -this.taken(nowUs)));
  }
}

/** The same by sub-windows, aligned with the epoch: the current one and the 18 before it count whole. */
class SlidingWindow implements Oracle {
  readonly #history = new History();
  readonly #widthUs: number;

  constructor(windowUs: number) {
    this.#widthUs = Math.ceil(windowUs / 18);
  }

  taken(nowUs: number): number {
    return total(this.#history.charges.filter(({ atUs }) => this.#numberOf(nowUs) - this.#numberOf(atUs) <= 18));
  }

  charge(nowUs: number, units: number): void {
    this.#history.add(nowUs, Math.max(units, -this.taken(nowUs)));
  }

  #numberOf(timeUs: number): number {
    return Math.floor(timeUs / this.#widthUs);
  }
}

/** A window begins with its first charge, which is the first one after the window before; a charge that was taken back whole began none. */
class FixedWindow implements Oracle {
  #history = new History();

  constructor(readonly windowUs: number) {}

  taken(nowUs: number): number {
    return this.#isOver(nowUs) ? 0 : total(this.#history.charges);
  }

  charge(nowUs: number, units: number): void {
    if (this.#isOver(nowUs)) this.#history = new History();
    this.#history.add(nowUs, units);
  }

  #isOver(nowUs: number): boolean {
    const first = this.#history.charges[0];
    return first === undefined || nowUs >= first.atUs + this.windowUs;
  }
}

/** What this window has counted, and of the one before as much as would still be in a window that slides, had its units come evenly. In whole milliseconds. */
class SlidingCounter implements Oracle {
  readonly #counts = new Map<number, number>();
  readonly #windowMs: number;

  constructor(windowUs: number) {
    this.#windowMs = windowUs / 1_000;
  }

  taken(nowUs: number): number {
    const nowMs = Math.floor(nowUs / 1_000);
    const number = this.#numberOf(nowUs);
    // As integers of any size: a product and a quotient that are exact.
    const remaining = BigInt(this.#windowMs - (nowMs % this.#windowMs));
    const before = (BigInt(this.#countOf(number - 1)) * remaining) / BigInt(this.#windowMs);
    return Number(before) + this.#countOf(number);
  }

  charge(nowUs: number, units: number): void {
    const number = this.#numberOf(nowUs);
    this.#counts.set(number, Math.max(0, this.#countOf(number) + units));
  }

  #countOf(number: number): number {
    return this.#counts.get(number) ?? 0;
  }

  #numberOf(timeUs: number): number {
    return Math.floor(timeUs / 1_000 / this.#windowMs);
  }
}

/** Tokens come back in lumps, one after each full period since the bucket was last full, until it is full again. */
class TokenBucket implements Oracle {
  #taken = 0;
  #nextLumpUs = 0;

  constructor(
    readonly periodUs: number,
    readonly lump: number,
  ) {}

  taken(nowUs: number): number {
    return this.#at(nowUs).taken;
  }

  charge(nowUs: number, units: number): void {
    const { taken, nextLumpUs } = this.#at(nowUs);
    this.#taken = Math.max(0, taken + units);
    this.#nextLumpUs = taken === 0 ? nowUs + this.periodUs : nextLumpUs;
  }

  #at(nowUs: number): { readonly taken: number; readonly nextLumpUs: number } {
    let taken = this.#taken;
    let nextLumpUs = this.#nextLumpUs;
    while (taken > 0 && nextLumpUs <= nowUs) {
      taken = Math.max(0, taken - this.lump);
      nextLumpUs += this.periodUs;
    }
    return { taken, nextLumpUs };
  }
}

/**
 * GCRA as the meter that it is equivalent to: it fills by each unit, and leaks a unit in `a / b` microseconds, steadily. The script keeps a theoretical
 * arrival time instead. The level is in parts of which a unit has `a` and a microsecond leaks `b`, so that nothing is rounded.
 */
class LeakingMeter implements Oracle {
  #level = 0n;
  #sinceUs = 0;

  constructor(
    readonly partsOfUnit: bigint,
    readonly leakOfUs: bigint,
  ) {}

  taken(nowUs: number): number {
    return Number((this.#levelAt(nowUs) + this.partsOfUnit - 1n) / this.partsOfUnit);
  }

  charge(nowUs: number, units: number): void {
    this.#level = atLeastNothing(this.#levelAt(nowUs) + BigInt(units) * this.partsOfUnit);
    this.#sinceUs = nowUs;
  }

  #levelAt(nowUs: number): bigint {
    return atLeastNothing(this.#level - BigInt(nowUs - this.#sinceUs) * this.leakOfUs);
  }
}

/** Each holder counts until its lease ends. */
class Leases implements Oracle {
  readonly #endsUs: number[] = [];

  constructor(readonly leaseUs: number) {}

  taken(nowUs: number): number {
    return this.#endsUs.filter((endUs) => endUs > nowUs).length;
  }

  charge(nowUs: number): void {
    this.#endsUs.push(nowUs + this.leaseUs);
  }
}

function atLeastNothing(parts: bigint): bigint {
  return parts > 0n ? parts : 0n;
}
