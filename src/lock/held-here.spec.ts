import { describe, expect, it } from '@jest/globals';
import { LockKeys } from './engine/lock-keys.js';
import { currentLock, HeldHere, heldHere, SharedHold } from './held-here.js';
import type { LockHandle } from './lock-handle.js';

const [A, B, C] = ['a', 'b', 'c'].map((name) => new LockKeys(`app:lock:{${name}}`)) as [LockKeys, LockKeys, LockKeys];

const handle = (isHeld = true): LockHandle => ({ isHeld }) as LockHandle;
const shared = (...keys: readonly LockKeys[]): SharedHold => new SharedHold(handle(), true, keys);

describe('what a running function holds', () => {
  it('is found from the innermost on', () => {
    const [outer, inner] = [shared(A), shared(B)];
    const within = new HeldHere(inner, new HeldHere(outer, undefined));
    expect(within.find([A])).toBe(outer);
    expect(within.find([B])).toBe(inner);
    expect(within.find([C])).toBeUndefined();
  });

  it('is found when it has all that is asked for, whatever its order', () => {
    const both = shared(A, B);
    const within = new HeldHere(both, undefined);
    expect(within.find([A])).toBe(both);
    expect(within.find([B, A])).toBe(both);
    expect(within.find([A, C])).toBeUndefined();
    // Two keys of one lock are the same by their name.
    expect(within.find([new LockKeys(A.lock)])).toBe(both);
  });

  it('is known when it has a part of what is asked for', () => {
    const within = new HeldHere(shared(B), new HeldHere(shared(A), undefined));
    expect(within.hasSomeOf([A, C])).toBe(true);
    expect(within.hasSomeOf([C])).toBe(false);
  });

  it('is not found once it was lost, nor once the last one has left it', () => {
    const lost = new SharedHold(handle(false), true, [A]);
    expect(new HeldHere(lost, undefined).find([A])).toBeUndefined();
    expect(new HeldHere(lost, undefined).hasSomeOf([A])).toBe(false);
    const one = shared(A);
    const within = new HeldHere(one, undefined);
    one.enter();
    expect([one.leave(), within.find([A])]).toEqual([false, one]);
    expect([one.leave(), within.find([A])]).toEqual([true, undefined]);
  });

  it('is still found when it was entered again with others in between', () => {
    const [a, b] = [shared(A), shared(B)];
    const within = new HeldHere(a, new HeldHere(b, new HeldHere(a, undefined)));
    expect([within.find([A]), within.find([B])]).toEqual([a, b]);
  });

  it('is seen by what it calls, and by nobody else', async () => {
    const one = shared(A);
    expect(currentLock()).toBeUndefined();
    await heldHere.run(new HeldHere(one, undefined), async () => {
      await Promise.resolve();
      expect(currentLock()).toBe(one.handle);
      const inner = shared(B);
      await heldHere.run(new HeldHere(inner, heldHere.getStore()), async () =>
        expect(currentLock()).toBe(inner.handle),
      );
      expect(currentLock()).toBe(one.handle);
    });
    expect(currentLock()).toBeUndefined();
  });
});
