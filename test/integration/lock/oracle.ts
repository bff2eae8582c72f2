/** For how long one has the lock who was woken, if it may not be there any more. */
const RESERVED_MS = 1_000;
/** Whoever came within that time is there, if it is heard. */
const FRESH_MS = 200;

/** Someone who asks for a lock. */
export interface Claim {
  readonly id: string;
  /** What wakes it. */
  readonly token: string;
  /** For how long it has the lock when it is handed over to it. */
  readonly ttlMs: number;
  /** Null: the lock whole. */
  readonly share: { readonly permits: number; readonly limit: number } | null;
  readonly channel: string;
  /** Whether the server knows if anybody listens to the channel. */
  readonly isCounted: boolean;
}

/** What becomes of one who asks. */
export type Verdict =
  { readonly fence: number } | { readonly leaseMs: number; readonly ahead: number; readonly isQueued: boolean };

/** One who has got the lock, and is told so. */
export interface Woken {
  readonly claim: Claim;
  readonly fence: number;
  readonly forMs: number;
}

/** What a step does to others. */
export interface Effects {
  /** Whose turn it became, in that order. */
  readonly woken: readonly Woken[];
  /** Whether anything is different from before. */
  readonly isChanged: boolean;
  /** One who has to be told that it is the first now, and of which moment. */
  readonly mustTell: Claim | null;
}

interface Lease {
  readonly claim: Claim;
  readonly endsUs: number;
}

interface Place {
  readonly claim: Claim;
  readonly ticket: number;
}

/**
 * A lock as plainly as it can be said: nothing is ever forgotten, but for what the test says was lost.
 *
 * Those who wait have it in the order of their tickets and as soon as there is room, and nobody else has it while somebody waits.
 */
export class LockOracle {
  /** The last one. */
  fence = 0;
  #whole: Lease | null = null;
  #shares: readonly Lease[] = [];
  #queue: readonly Place[] = [];
  #woken: Woken[] = [];
  #isChanged = false;
  /** Somebody got it, or was taken out when it was his turn. */
  #isHandedOver = false;

  constructor(private readonly isHeard: (channel: string) => boolean) {}

  /** When leases end, or ended that nobody has looked at since. */
  get endsUs(): readonly number[] {
    return this.#leases.map(({ endsUs }) => endsUs);
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get first(): Claim | null {
    return this.#queue[0]?.claim ?? null;
  }

  get lastTicket(): number {
    return Math.max(0, ...this.#queue.map(({ ticket }) => ticket));
  }

  /** The milliseconds until the next lease ends. */
  nextEndMs(nowUs: number): number {
    return Math.min(...this.endsUs.filter((endsUs) => endsUs > nowUs).map((endsUs) => msTo(endsUs, nowUs)));
  }

  ticketOf(claim: Claim): number | null {
    return this.#queue.find((place) => place.claim === claim)?.ticket ?? null;
  }

  waits(claim: Claim): boolean {
    return this.ticketOf(claim) !== null;
  }

  has(claim: Claim, nowUs: number): boolean {
    return this.#leases.some((lease) => lease.claim === claim && lease.endsUs > nowUs);
  }

  /** The milliseconds for which the lock is had whole, or 0; and who has permits, in words. */
  holders(nowUs: number): { readonly wholeMs: number; readonly shares: readonly string[] } {
    const live = this.#leases.filter(({ endsUs }) => endsUs > nowUs);
    return {
      wholeMs: Math.max(0, ...live.map(({ claim, endsUs }) => (claim.share === null ? msTo(endsUs, nowUs) : 0))),
      shares: live
        .flatMap(({ claim: { share }, endsUs }) =>
          share === null ? [] : [`${share.permits} for ${msTo(endsUs, nowUs)} ms`],
        )
        .sort(),
    };
  }

  /** @param ticket -1: it does not wait. 0: at the end, or where it is. Else the ticket that it had. */
  ask(nowUs: number, claim: Claim, ttlMs: number, ticket: number): Verdict & Effects {
    const before = this.#begin(nowUs);
    const isIn = this.#leases.some((lease) => lease.claim === claim);
    let own: number | null = null;
    if (isIn) own = this.#grant(claim, nowUs, ttlMs);
    else if (ticket > 0) this.#enqueue(claim, ticket);
    own = this.#handOver(nowUs, claim, ttlMs) ?? own;
    if (own === null && this.#queue.length === 0 && this.#admits(claim)) own = this.#grant(claim, nowUs, ttlMs);
    if (this.#isHandedOver) this.#dropUnheard(claim);
    if (own !== null) return { fence: own, ...this.#effects(before, true, null) };
    const place = this.#queue.findIndex((one) => one.claim === claim);
    const isQueued = place >= 0 || ticket >= 0;
    return {
      leaseMs: this.nextEndMs(nowUs),
      ahead: place >= 0 ? place : this.#queue.length,
      isQueued,
      ...this.#effects(before, this.#woken.length > 0, isQueued ? claim : null),
    };
  }

  /** It has got this ticket. */
  queue(claim: Claim, ticket: number): void {
    this.#enqueue(claim, ticket);
  }

  /** @returns how many had it and do not any more */
  leave(nowUs: number, claim: Claim): { readonly left: number } & Effects {
    const before = this.#begin(nowUs);
    const left = this.#leases.filter((lease) => lease.claim === claim).length;
    this.#dismiss(claim);
    this.#queue = this.#queue.filter((place) => place.claim !== claim);
    this.#handOver(nowUs, null, 0);
    this.#dropUnheard(null);
    return { left, ...this.#effects(before, left > 0 || this.#woken.length > 0, null) };
  }

  clear(nowUs: number): { readonly left: number } & Effects {
    const before = this.#begin(nowUs);
    const left = this.#leases.length;
    this.#whole = null;
    this.#shares = [];
    this.#handOver(nowUs, null, 0);
    this.#dropUnheard(null);
    return { left, ...this.#effects(before, left > 0, null) };
  }

  /** Null: it has it no more. */
  extend(nowUs: number, claim: Claim, ttlMs: number, fence: number): Effects | null {
    if (!this.has(claim, nowUs)) return null;
    const endsUs = nowUs + ttlMs * 1_000;
    this.#admit(claim, endsUs);
    this.fence = Math.max(this.fence, fence);
    // Where another lease has ended already, the first is about to look anyway.
    const isNext = this.#leases.every((lease) => lease.claim === claim || lease.endsUs > endsUs);
    return { woken: [], isChanged: true, mustTell: isNext ? this.first : null };
  }

  isFree(nowUs: number): boolean {
    return this.#queue.length === 0 && this.#leases.every(({ endsUs }) => endsUs <= nowUs);
  }

  take(nowUs: number, claim: Claim, ttlMs: number, fence: number): void {
    this.#shares = [];
    this.#admit(claim, nowUs + ttlMs * 1_000);
    this.fence = fence;
  }

  /** Whether permits are still written down whose leases have ended. */
  hasLapsed(nowUs: number): boolean {
    return this.#shares.some(({ endsUs }) => endsUs <= nowUs);
  }

  /** The queue is kept for as long as those ask again now and then who wait. */
  loseQueue(): void {
    this.#queue = [];
  }

  /** It may be forgotten once the clock is past it. */
  forgetFence(): void {
    this.fence = 0;
  }

  get #leases(): readonly Lease[] {
    return this.#whole === null ? this.#shares : [this.#whole, ...this.#shares];
  }

  #begin(nowUs: number): Claim | null {
    const before = this.first;
    this.#woken = [];
    this.#isHandedOver = false;
    this.#isChanged = this.#shares.some(({ endsUs }) => endsUs <= nowUs);
    if (this.#whole !== null && this.#whole.endsUs <= nowUs) this.#whole = null;
    this.#shares = this.#shares.filter(({ endsUs }) => endsUs > nowUs);
    return before;
  }

  #effects(firstBefore: Claim | null, isNewlyHeld: boolean, knows: Claim | null): Effects {
    const { first } = this;
    const mustTell = first !== knows && (first !== firstBefore || isNewlyHeld) ? first : null;
    return { woken: this.#woken, isChanged: this.#isChanged || isNewlyHeld, mustTell };
  }

  /** Returns the fence of `asking`, if it is its turn, too. */
  #handOver(nowUs: number, asking: Claim | null, ttlMs: number): number | null {
    let own: number | null = null;
    for (let place = this.#queue[0]; place !== undefined && this.#admits(place.claim); place = this.#queue[0]) {
      const { claim, ticket } = place;
      this.#queue = this.#queue.slice(1);
      this.#isChanged = true;
      this.#isHandedOver = true;
      if (claim === asking) {
        own = this.#grant(claim, nowUs, ttlMs);
      } else if (this.isHeard(claim.channel) || !claim.isCounted) {
        const isNew = ticket <= nowUs && nowUs - ticket < 1_000 * FRESH_MS;
        const forMs = claim.isCounted && isNew ? claim.ttlMs : RESERVED_MS;
        this.#woken.push({ claim, forMs, fence: this.#grant(claim, nowUs, forMs) });
      }
    }
    return own;
  }

  /** Whoever is first is told so, and one who hears nothing is no good as the first. Who asks just now is there. */
  #dropUnheard(asking: Claim | null): void {
    const isThere = ({ claim }: Place): boolean => claim === asking || !claim.isCounted || this.isHeard(claim.channel);
    while (this.#queue[0] !== undefined && !isThere(this.#queue[0])) {
      this.#queue = this.#queue.slice(1);
      this.#isChanged = true;
    }
  }

  #grant(claim: Claim, nowUs: number, forMs: number): number {
    this.#isHandedOver = true;
    this.#admit(claim, nowUs + forMs * 1_000);
    this.fence = Math.max(nowUs, this.fence + 1);
    return this.fence;
  }

  #admits({ share }: Claim): boolean {
    if (this.#whole !== null) return false;
    const out = this.#shares.reduce((sum, { claim }) => sum + (claim.share?.permits ?? 0), 0);
    return share === null ? out === 0 : out + share.permits <= share.limit;
  }

  #admit(claim: Claim, endsUs: number): void {
    this.#dismiss(claim);
    if (claim.share === null) this.#whole = { claim, endsUs };
    else this.#shares = [...this.#shares, { claim, endsUs }];
  }

  #dismiss(claim: Claim): void {
    if (this.#whole?.claim === claim) this.#whole = null;
    this.#shares = this.#shares.filter((lease) => lease.claim !== claim);
  }

  #enqueue(claim: Claim, ticket: number): void {
    if (this.#queue.some((place) => place.claim === claim)) return;
    this.#queue = [...this.#queue, { claim, ticket }].sort(
      (a, b) => a.ticket - b.ticket || (a.claim.id < b.claim.id ? -1 : 1),
    );
    this.#isChanged = true;
  }
}

function msTo(endsUs: number, nowUs: number): number {
  return Math.max(1, Math.ceil((endsUs - nowUs) / 1_000));
}

/**
 * Who has a lock by what those were told who asked for it, and by nothing else.
 */
export class Witness {
  #leases: readonly Lease[] = [];

  got(claim: Claim, endsUs: number): void {
    this.gone(claim);
    this.#leases = [...this.#leases, { claim, endsUs }];
  }

  gone(claim: Claim): void {
    this.#leases = this.#leases.filter((lease) => lease.claim !== claim);
  }

  allGone(): void {
    this.#leases = [];
  }

  /** Throws when more is out than may be. */
  check(nowUs: number): void {
    // What has ended has ended, also when the clock is set back.
    this.#leases = this.#leases.filter(({ endsUs }) => endsUs > nowUs);
    const live = this.#leases.map(({ claim }) => claim);
    const shares = live.flatMap(({ share }) => (share === null ? [] : [share]));
    const out = shares.reduce((sum, { permits }) => sum + permits, 0);
    const most = Math.max(0, ...shares.map(({ limit }) => limit));
    if (out > most) throw new Error(`${out} permits are out, of ${most}.`);
    if (live.length > shares.length && live.length > 1)
      throw new Error(`${live.length} have it, and one has it whole.`);
  }
}
