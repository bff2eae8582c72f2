import type { Claim, Write } from './claims.js';

/*
 * What is wrong with a history of grants and writes. Nothing here knows how locks are made: it is held against what locks promise, and only what is certain by the times
 * counts. A grant took place between `askedUs` and `grantedUs`, so X was granted before Y for certain when `X.grantedUs < Y.askedUs`.
 */

/** Two claims that do not go together: the one that should have come first, or was there first, and the other. */
export type Pair = readonly [first: Claim, second: Claim];

/** Accepted writes that came too late: after one of a claim that was granted later. */
export function staleWrites(writes: readonly Write[]): readonly Pair[] {
  const stale: Pair[] = [];
  /** Of those that have written, the one that was granted last for certain. */
  const newest = new Map<string, Claim>();
  for (const { claim, isAccepted } of writes) {
    if (!isAccepted) continue;
    const other = newest.get(claim.resource);
    if (other !== undefined && claim.grantedUs < other.askedUs) stale.push([claim, other]);
    if (other === undefined || claim.askedUs > other.askedUs) newest.set(claim.resource, claim);
  }
  return stale;
}

/** Claims whose fence is not greater than that of one which was granted before, or is not theirs alone. */
export function wrongFences(claims: readonly Claim[]): readonly Pair[] {
  return byResource(claims).flatMap((own) => [...sharedFences(own), ...fallenFences(own)]);
}

function sharedFences(claims: readonly Claim[]): readonly Pair[] {
  const owners = new Map<number, Claim>();
  const wrong: Pair[] = [];
  for (const claim of claims) {
    const owner = owners.get(claim.fence);
    if (owner !== undefined) wrong.push([owner, claim]);
    owners.set(claim.fence, claim);
  }
  return wrong;
}

function fallenFences(claims: readonly Claim[]): readonly Pair[] {
  const byGrant = claims.toSorted((a, b) => a.grantedUs - b.grantedUs);
  const wrong: Pair[] = [];
  let greatest: Claim | undefined;
  let seen = 0;
  for (const claim of claims.toSorted((a, b) => a.askedUs - b.askedUs)) {
    for (; (byGrant[seen]?.grantedUs ?? Infinity) < claim.askedUs; seen++) {
      const before = byGrant[seen] as Claim;
      if (greatest === undefined || before.fence > greatest.fence) greatest = before;
    }
    if (greatest !== undefined && greatest.fence > claim.fence) wrong.push([greatest, claim]);
  }
  return wrong;
}

/** Claims that were held at the same time, although they are more than the resource has. */
export function doubleHolders(claims: readonly Claim[]): readonly Pair[] {
  return byResource(claims).flatMap((own) => {
    const wrong: Pair[] = [];
    const held: Claim[] = [];
    for (const claim of own.toSorted((a, b) => a.grantedUs - b.grantedUs)) {
      const still = held.filter(({ heldUntilUs }) => heldUntilUs > claim.grantedUs);
      held.splice(0, held.length, ...still);
      if (claim.heldUntilUs <= claim.grantedUs) continue;
      const units = still.reduce((sum, one) => sum + one.units, claim.units);
      if (units > claim.of) wrong.push([still[0] as Claim, claim]);
      held.push(claim);
    }
    return wrong;
  });
}

/**
 * Who was granted before somebody who had been in the queue when they asked. Only of claims that exclude each other: those who are let in together come in any order.
 */
export function queueJumpers(claims: readonly Claim[]): readonly Pair[] {
  return byResource(claims).flatMap((own) => {
    const byCall = own.toSorted((a, b) => a.calledUs - b.calledUs);
    return own.flatMap((waiter) => {
      const wrong: Pair[] = [];
      if (waiter.queuedUs === null || waiter.isLate) return wrong;
      for (let i = firstAfter(byCall, waiter.queuedUs); i < byCall.length; i++) {
        const other = byCall[i] as Claim;
        if (other.calledUs >= waiter.askedUs) break;
        const goTogether = waiter.units + other.units <= waiter.of;
        if (!goTogether && other.grantedUs < waiter.askedUs) wrong.push([waiter, other]);
      }
      return wrong;
    });
  });
}

/** How many units were out at one moment, at most. */
export function mostUnits(claims: readonly Claim[]): number {
  const changes = claims.flatMap(({ grantedUs, heldUntilUs, units }) =>
    heldUntilUs > grantedUs
      ? [
          { atUs: grantedUs, by: units },
          { atUs: heldUntilUs, by: -units },
        ]
      : [],
  );
  // Of the same microsecond, ends come first.
  changes.sort((a, b) => a.atUs - b.atUs || a.by - b.by);
  let now = 0;
  return changes.reduce((most, { by }) => Math.max(most, (now += by)), 0);
}

function byResource(claims: readonly Claim[]): readonly (readonly Claim[])[] {
  const groups = new Map<string, Claim[]>();
  for (const claim of claims) {
    const group = groups.get(claim.resource);
    if (group === undefined) groups.set(claim.resource, [claim]);
    else group.push(claim);
  }
  return [...groups.values()];
}

/** Index of the first that was called after that time. */
function firstAfter(byCall: readonly Claim[], us: number): number {
  let [low, high] = [0, byCall.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((byCall[middle] as Claim).calledUs > us) high = middle;
    else low = middle + 1;
  }
  return low;
}
