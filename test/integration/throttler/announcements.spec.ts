import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { eventually, startRedis, type RedisServer } from '../../../src/testing/index.js';
import { RateLimiter, type RateLimitPolicy, type RateLimitResult } from '../../../src/throttler/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix } from '../../support/redis.js';
import { throttlerApp } from '../../support/throttler-app.js';

const POLICIES = [
  { name: 'small', limit: 1, window: '1h' },
  { name: 'other', limit: 1, window: '2h' },
  { name: 'blocking', limit: 1, window: '1m', blockFor: '1h' },
  { name: 'open', limit: 1_000, window: '1h' },
] as const satisfies readonly RateLimitPolicy[];

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let redis: RedisServer;
  let apps: readonly TestingModule[] = [];
  let here: RateLimiter;
  let elsewhere: RateLimiter;
  let callers = 0;
  const newCaller = (): string => `caller-${(callers += 1)}`;

  beforeAll(async () => {
    redis = await startRedis({ topology });
    const options = { redis: redis.connectionOptions, prefix, throttler: { policies: POLICIES } };
    apps = await Promise.all([throttlerApp(options), throttlerApp(options)]);
    [here, elsewhere] = apps.map((app) => app.get(RateLimiter)) as [RateLimiter, RateLimiter];
    await eventually(async () => expect(await subscribers()).toBe(2), { within: '10s' });
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await redis.stop();
  });

  const onMasters = async (...command: [string, ...string[]]): Promise<string[]> =>
    Promise.all(redis.masters.map(async (master) => String(await master.command(...command))));
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const subscribers = async (): Promise<number> =>
    sum((await onMasters('PUBSUB', 'NUMSUB', `${prefix}:limit:forget`)).map((reply) => Number(reply.split(',')[1])));
  /** Decisions that Redis was asked for so far. */
  const decisions = async (): Promise<number> => {
    const stats = await onMasters('INFO', 'commandstats');
    return sum([...stats.join().matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, calls]) => Number(calls)));
  };

  /** Refused by Redis, and from then on from memory; while a process that stood still has not heard from Redis again, it asks. */
  function expectRefusedFromMemory(policy: string, caller: string): Promise<RateLimitResult> {
    return eventually(async () => {
      const refused = await elsewhere.consume(policy, caller);
      expect([refused.admitted, refused.decidedBy]).toEqual([false, 'memory']);
      return refused;
    });
  }
  const expectAdmitted = (policy: string, caller: string): Promise<void> =>
    eventually(async () => {
      const { admitted, decidedBy } = await elsewhere.consume(policy, caller);
      expect([admitted, decidedBy]).toEqual([true, 'redis']);
    });

  it('refuses the blocked in every process at once, with one trip each and none after it', async () => {
    const caller = newCaller();
    expect((await elsewhere.consume('open', caller)).admitted).toBe(true);
    await here.block(caller, '1h');
    const first = await elsewhere.consume('open', caller);
    expect([first.admitted, first.blocked, first.decidedBy]).toEqual([false, true, 'redis']);
    const before = await decisions();
    for (const policies of ['open', 'small', ['other', 'open']]) {
      const refused = await elsewhere.consume(policies, caller);
      expect([refused.admitted, refused.blocked, refused.decidedBy]).toEqual([false, true, 'memory']);
      expect(refused.retryAfterMs).toBeGreaterThan(3_500_000);
    }
    expect(await decisions()).toBe(before);
  });

  it('asks Redis nothing about those of whom it knows that a policy refuses them', async () => {
    const caller = newCaller();
    await elsewhere.consume('small', caller);
    await expectRefusedFromMemory('small', caller);
    const before = await decisions();
    const results = await Promise.all(Array.from({ length: 100 }, () => elsewhere.consume('small', caller)));
    expect(new Set(results.map(({ admitted, decidedBy }) => `${admitted} ${decidedBy}`))).toEqual(
      new Set(['false memory']),
    );
    expect(await decisions()).toBe(before);
  });

  it('ends a block everywhere when the caller is taken off the list in one process', async () => {
    const caller = newCaller();
    await here.block(caller, '1h');
    await expectRefusedFromMemory('open', caller);
    expect(await here.unblock(caller)).toBe(true);
    await expectAdmitted('open', caller);
  });

  it('ends a block everywhere with a shorter one', async () => {
    const caller = newCaller();
    await here.block(caller, '1h');
    await expectRefusedFromMemory('open', caller);
    await here.block(caller, '100ms');
    await expectAdmitted('open', caller);
  });

  it.each<readonly [string, string, (policy: string, caller: string) => Promise<void>]>([
    ['a reset', 'small', (policy, caller) => here.reset(policy, caller)],
    ['a reset of what its policy blocks', 'blocking', (policy, caller) => here.reset(policy, caller)],
    ['a refund', 'small', (policy, caller) => here.refund(policy, caller)],
  ])('ends what is refused from memory everywhere by %s in one process', async (_, policy, forgive) => {
    const [caller, bystander] = [newCaller(), newCaller()];
    for (const each of [caller, bystander]) {
      expect((await here.consume(policy, each)).admitted).toBe(true);
      await expectRefusedFromMemory(policy, each);
    }
    await forgive(policy, caller);
    await expectAdmitted(policy, caller);
    expect((await elsewhere.consume(policy, bystander)).decidedBy).toBe('memory');
  });

  it('ends in the same process what was refused from memory there, before the call is over', async () => {
    const caller = newCaller();
    await elsewhere.consume('small', caller);
    for (const forgive of ['reset', 'refund'] as const) {
      await expectRefusedFromMemory('small', caller);
      await elsewhere[forgive]('small', caller);
      expect((await elsewhere.consume('small', caller)).admitted).toBe(true);
    }
    await elsewhere.block(caller, '1h');
    await expectRefusedFromMemory('open', caller);
    await elsewhere.unblock(caller);
    expect((await elsewhere.consume('open', caller)).admitted).toBe(true);
  });

  it('leaves refused by another policy whom only one has forgiven', async () => {
    const caller = newCaller();
    for (const policy of ['small', 'other']) await elsewhere.consume(policy, caller);
    for (const policy of ['small', 'other']) await expectRefusedFromMemory(policy, caller);
    await here.reset('small', caller);
    await expectAdmitted('small', caller);
    expect((await elsewhere.consume('other', caller)).admitted).toBe(false);
  });

  it('believes nothing that it remembers any more when it may have missed a word', async () => {
    const caller = newCaller();
    await elsewhere.consume('small', caller);
    await expectRefusedFromMemory('small', caller);
    // Forgiven, and nobody is told.
    for (const master of redis.masters) await master.command('FLUSHALL');
    expect((await elsewhere.consume('small', caller)).decidedBy).toBe('memory');
    for (const node of redis.nodes) await node.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expectAdmitted('small', caller);
    await eventually(async () => expect(await subscribers()).toBe(2), { within: '10s' });
    // And it hears again.
    await expectRefusedFromMemory('small', caller);
    await here.reset('small', caller);
    await expectAdmitted('small', caller);
  });
});

expectNoLeakedConnections();
