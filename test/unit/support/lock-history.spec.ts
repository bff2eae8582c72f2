import { describe, expect, it } from '@jest/globals';
import type { Claim } from '../../support/lock-processes/claims.js';
import {
  doubleHolders,
  mostUnits,
  queueJumpers,
  staleWrites,
  wrongFences,
} from '../../support/lock-processes/history.js';

/** A mutex that was granted and held within these times. */
function claim(id: string, [askedUs, grantedUs, heldUntilUs]: [number, number, number], rest?: Partial<Claim>): Claim {
  const wish = { resource: 'r', units: 1, of: 1, as: 'write' } as const;
  const known = { process: 'p', fence: askedUs, calledUs: askedUs, queuedUs: null, isLate: false };
  return { id, ...wish, ...known, askedUs, grantedUs, heldUntilUs, ...rest };
}

const written = (by: Claim, isAccepted = true) => ({ claim: by, isAccepted });

describe('A stale write', () => {
  const [x, y] = [claim('x', [0, 10, 20]), claim('y', [30, 40, 50])];

  it('is one after a write of a later grant', () => {
    expect(staleWrites([written(x), written(y), written(x)])).toEqual([[x, y]]);
  });

  it('is none when it was refused, or the other one was', () => {
    expect(staleWrites([written(x), written(y), written(x, false)])).toEqual([]);
    expect(staleWrites([written(y, false), written(x)])).toEqual([]);
  });

  it('is none in the order of grants, of grants whose order is not known, and of different resources', () => {
    expect(staleWrites([written(x), written(x), written(y), written(y)])).toEqual([]);
    expect(staleWrites([written(claim('z', [5, 45, 50])), written(x)])).toEqual([]);
    expect(staleWrites([written(claim('z', [30, 40, 50], { resource: 'other' })), written(x)])).toEqual([]);
  });

  it('is found behind others that came between', () => {
    const z = claim('z', [25, 60, 70]);
    expect(staleWrites([written(y), written(z), written(x)])).toEqual([[x, y]]);
  });
});

describe('Fences', () => {
  it('rise from grant to grant, and have one owner', () => {
    const x = claim('x', [0, 10, 20], { fence: 7 });
    expect(wrongFences([x, claim('y', [30, 40, 50], { fence: 8 })])).toEqual([]);
    const fallen = claim('y', [30, 40, 50], { fence: 6 });
    expect(wrongFences([fallen, x])).toEqual([[x, fallen]]);
    const same = claim('y', [5, 40, 50], { fence: 7 });
    expect(wrongFences([x, same])).toEqual([[x, same]]);
    expect(wrongFences([x, { ...same, resource: 'other' }])).toEqual([]);
  });

  it('may come in any order where the order of the grants is not known', () => {
    expect(wrongFences([claim('x', [0, 10, 20], { fence: 7 }), claim('y', [9, 40, 50], { fence: 6 })])).toEqual([]);
  });
});

describe('A double holder', () => {
  it('has it while somebody else has, for certain', () => {
    const [x, y] = [claim('x', [0, 10, 35]), claim('y', [20, 30, 50])];
    expect(doubleHolders([y, x])).toEqual([[x, y]]);
    expect(doubleHolders([{ ...x, heldUntilUs: 30 }, y])).toEqual([]);
    // Nothing is known of how long.
    expect(doubleHolders([x, { ...y, heldUntilUs: 30 }])).toEqual([]);
  });

  it('is found behind one who was there for a shorter time', () => {
    const x = claim('x', [0, 10, 100], { units: 1, of: 2 });
    const y = claim('y', [20, 30, 40], { units: 1, of: 2 });
    const z = claim('z', [50, 60, 70], { units: 2, of: 2 });
    expect(doubleHolders([x, y, z])).toEqual([[x, z]]);
  });

  it('is none among readers, or permits that are there', () => {
    const reader = (id: string) => claim(id, [0, 10, 20], { units: 1, of: 3 });
    const readers = ['x', 'y', 'z'].map(reader);
    expect(doubleHolders(readers)).toEqual([]);
    expect(mostUnits(readers)).toBe(3);
    expect(doubleHolders([...readers, reader('one too many')])).toHaveLength(1);
  });
});

describe('A queue jumper', () => {
  const waiter = claim('waiter', [100, 110, 120], { calledUs: 0, queuedUs: 10 });

  it('asked when the other one was in the queue, and had it before', () => {
    const jumper = claim('jumper', [50, 60, 70], { calledUs: 20 });
    expect(queueJumpers([jumper, waiter])).toEqual([[waiter, jumper]]);
  });

  it('is none who asked before that, had it later, or goes together with the other', () => {
    expect(queueJumpers([claim('first', [50, 60, 70], { calledUs: 10 }), waiter])).toEqual([]);
    expect(queueJumpers([claim('later', [50, 105, 120], { calledUs: 20 }), waiter])).toEqual([]);
    const readers = [waiter, claim('reader', [50, 60, 70], { calledUs: 20 })].map((one) => ({ ...one, of: 9 }));
    expect(queueJumpers(readers)).toEqual([]);
  });

  it('is not held against a lock whose waiter stood still, or may not have been in the queue', () => {
    const jumper = claim('jumper', [50, 60, 70], { calledUs: 20 });
    expect(queueJumpers([jumper, { ...waiter, isLate: true }])).toEqual([]);
    expect(queueJumpers([jumper, { ...waiter, queuedUs: null }])).toEqual([]);
  });
});
