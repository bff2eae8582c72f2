import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { RateLimiter } from '../../../src/throttler/index.js';
import { eventually } from '../../../src/testing/index.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { throttlerApp } from '../../support/throttler-app.js';

const POLICIES = [
  { name: 'window', limit: 10, window: '1h' },
  { name: 'small', limit: 2, window: '1h' },
  { name: 'short', rate: '10/s', burst: 2 },
  { name: 'shadow', limit: 1, window: '1h', shadow: true },
  { name: 'blocking', limit: 1, window: '10ms', blockFor: '1h' },
  { name: 'slots', concurrent: 2 },
] as const;

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let one: TestingModule;
  let other: TestingModule;
  let limiter: RateLimiter;
  let elsewhere: RateLimiter;
  let callers = 0;
  const newCaller = (): string => `caller-${(callers += 1)}`;

  beforeAll(async () => {
    const options = { redis: sharedRedis(topology), prefix, throttler: { policies: POLICIES } };
    one = await throttlerApp(options);
    other = await throttlerApp(options);
    limiter = one.get(RateLimiter);
    elsewhere = other.get(RateLimiter);
  });
  afterAll(async () => {
    await expectEveryKeyExpires(topology, prefix);
    await one.close();
    await other.close();
  });

  it('admits exactly the limit of many requests at once, from two processes', async () => {
    const caller = newCaller();
    const results = await Promise.all(
      Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? limiter : elsewhere).consume('window', caller)),
    );
    expect(results.filter(({ admitted }) => admitted)).toHaveLength(10);
  });

  it('charges all policies or none', async () => {
    const caller = newCaller();
    await limiter.consume('small', caller, { cost: 2 });
    const refused = await limiter.consume(['window', 'small'], caller);
    expect([refused.admitted, refused.refusedBy]).toEqual([false, ['small']]);
    expect((await limiter.peek('window', caller)).policies[0]).toMatchObject({ remaining: 10 });
  });

  it('refuses from memory whom it knows to be refused, and admits after retryAfterMs', async () => {
    const caller = newCaller();
    await limiter.consume('short', caller, { cost: 2 });
    const refused = await limiter.consume('short', caller);
    expect([refused.admitted, refused.decidedBy]).toEqual([false, 'redis']);
    const again = await limiter.consume('short', caller);
    if (!again.admitted) expect(again.decidedBy).toBe('memory');
    await eventually(async () => expect((await limiter.consume('short', caller)).admitted).toBe(true));
  });

  it('admits again in every process after a reset', async () => {
    const caller = newCaller();
    await limiter.consume('small', caller, { cost: 2 });
    expect((await elsewhere.consume('small', caller)).admitted).toBe(false);
    expect((await elsewhere.consume('small', caller)).decidedBy).toBe('memory');
    await limiter.reset('small', caller);
    await eventually(async () => expect((await elsewhere.consume('small', caller)).admitted).toBe(true));
  });

  it('gives back and takes beyond the limit', async () => {
    const caller = newCaller();
    await limiter.consume('small', caller, { cost: 2 });
    await limiter.refund('small', caller);
    expect((await limiter.consume('small', caller)).admitted).toBe(true);
    await limiter.penalize('small', caller, { cost: 2 });
    await limiter.refund('small', caller, { cost: 2 });
    expect((await limiter.peek('small', caller)).policies[0]).toMatchObject({ remaining: 0 });
  });

  it('refuses the blocked everything until they are unblocked', async () => {
    const caller = newCaller();
    await limiter.block(caller, '1h');
    const refused = await limiter.consume('window', caller);
    expect([refused.admitted, refused.blocked, refused.policies]).toEqual([false, true, []]);
    expect(refused.retryAfterMs).toBeGreaterThan(3_500_000);
    expect(await limiter.unblock(caller)).toBe(true);
    expect((await limiter.consume('window', caller)).admitted).toBe(true);
  });

  it('blocks for as long as a policy asks for', async () => {
    const caller = newCaller();
    const results = [await limiter.consume('blocking', caller)];
    await eventually(async () => {
      results.push(await limiter.consume('blocking', caller), await limiter.consume('blocking', caller));
      expect(results.at(-1)?.retryAfterMs).toBeGreaterThan(3_500_000);
    });
    expect((await elsewhere.consume('blocking', caller)).admitted).toBe(false);
  });

  it('refuses nobody in shadow mode, and says what it would do', async () => {
    const caller = newCaller();
    await limiter.consume('shadow', caller);
    const second = await limiter.consume(['shadow', 'window'], caller);
    expect([second.admitted, second.refusedBy, second.retryAfterMs]).toEqual([true, [], 0]);
    expect(second.policies[0]?.retryAfterMs).toBeGreaterThan(0);
    expect(limiter.counters.shadowRefusals).toBeGreaterThan(0);
  });

  it('lets so many work at once, and the next one when one of them is done', async () => {
    const caller = newCaller();
    const first = await limiter.consume('slots', caller);
    await elsewhere.consume('slots', caller);
    expect((await limiter.consume('slots', caller)).admitted).toBe(false);
    await first.release();
    await first.release();
    expect((await elsewhere.consume('slots', caller)).admitted).toBe(true);
    expect((await limiter.consume('slots', caller)).admitted).toBe(false);
  });

  it('counts each caller by itself', async () => {
    const [a, b] = [newCaller(), newCaller()];
    await limiter.consume('small', a, { cost: 2 });
    expect((await limiter.consume('small', b)).admitted).toBe(true);
  });

  it.each([0, -1, 1.5, NaN, 11])('rejects a cost of %s', async (cost) => {
    await expect(limiter.consume('window', newCaller(), { cost })).rejects.toMatchObject({
      code: 'ROOKERY_RATE_LIMIT_USAGE',
    });
  });
});

expectNoLeakedConnections();
