import { afterEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { defineWriteBehind } from '../../../src/cache/write-behind/define-write-behind.js';
import type {
  FlushContext,
  WriteBehindEntry,
  WriteBehindOptions,
} from '../../../src/cache/write-behind/write-behind.options.js';
import type { WriteBehind } from '../../../src/cache/write-behind/write-behind.js';
import { RedisReplyError, RedisUnavailableError } from '../../../src/core/errors/redis.errors.js';
import { eventually, startRedis, startTcpProxy, type RedisNode, type RedisServer } from '../../../src/testing/index.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections, randomPrefix } from '../../support/redis.js';
import { LogBook, writeBehindApp } from '../../support/write-behind-app.js';
import { timed } from '../redis/outcome.js';

expectNoLeakedConnections();

type Batch = readonly WriteBehindEntry<number, number>[];
type Options = Partial<WriteBehindOptions<number, number>>;

const SUMS = defineWriteBehind<number, number>({ name: 'sums', mode: 'add' });
const EMPTY = { waiting: 0, inFlight: 0, deadLetters: 0 };
const BY_HAND = { interval: '1h', retryDelay: '1ms', maxRetryDelay: '1ms' } as const;

let server: RedisServer;
let node: RedisNode;
const apps: TestingModule[] = [];

afterEach(async () => {
  await node.resume();
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await server.stop();
});

async function startServer(options: Parameters<typeof startRedis>[0] = {}): Promise<void> {
  server = await startRedis(options);
  node = server.masters[0]!;
}

async function open(
  options: Options,
  { prefix = randomPrefix(), log = new LogBook(), url = server.url } = {},
): Promise<{
  readonly sums: WriteBehind<number, number>;
  readonly taken: Map<number, number>;
  readonly batches: Batch[];
}> {
  const taken = new Map<number, number>();
  const batches: Batch[] = [];
  const flush = async (batch: Batch, context: FlushContext): Promise<void> => {
    batches.push(batch);
    await options.flush?.(batch, context);
    for (const { key, value } of batch) taken.set(key, (taken.get(key) ?? 0) + value);
  };
  const { app, journal } = await writeBehindApp({
    definition: SUMS,
    options: { drainTimeout: '500ms', ...options, flush },
    redis: { url },
    prefix,
    log,
  });
  apps.push(app);
  return { sums: journal, taken, batches };
}

/** What a journal leaves when everything is settled is one key. */
const keyCount = (): Promise<unknown> => node.command('DBSIZE');

describe('a Redis that is killed', () => {
  it('has every write that it acknowledged when it comes back, and the loop goes on by itself', async () => {
    await startServer({ appendOnly: true, args: { appendfsync: 'always' } });
    // A batch whose claim was under way when the server died is claimed again when its lease ends.
    const { sums, taken } = await open({ interval: '20ms', redisDeadline: '300ms', lease: '1s' });
    let acknowledged = 0;
    let refused = 0;
    let stop = false;
    const writers = Array.from({ length: 8 }, async () => {
      while (!stop) {
        const { error } = await timed(sums.write(1, 1));
        if (error === undefined) acknowledged += 1;
        else if (error instanceof RedisUnavailableError) refused += error.mayHaveRun ? 0 : 1;
        else throw error as Error;
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await eventually(() => expect(acknowledged).toBeGreaterThan(200));
    await node.kill();
    await eventually(() => expect(refused).toBeGreaterThan(0));
    const before = acknowledged;
    await node.restart();
    await eventually(() => expect(acknowledged).toBeGreaterThan(before));
    stop = true;
    await Promise.all(writers);
    await eventually(async () => expect(await sums.size()).toEqual(EMPTY));
    const total = taken.get(1)!;
    // At most one write of each writer was under way when the server died.
    expect(total).toBeGreaterThanOrEqual(acknowledged);
    expect(total).toBeLessThanOrEqual(acknowledged + writers.length);
  });

  it('is told of a batch that the source took meanwhile, so that it is not flushed again', async () => {
    await startServer({ appendOnly: true, args: { appendfsync: 'always' } });
    const { sums, taken, batches } = await open({ interval: '20ms', redisDeadline: '300ms', flush: () => node.kill() });
    await sums.write(1, 5);
    await eventually(() => expect([...taken]).toEqual([[1, 5]]));
    await node.restart();
    await eventually(async () => expect(await sums.size()).toEqual(EMPTY));
    expect(batches).toHaveLength(1);
  });
});

describe('a frozen Redis', () => {
  it('costs a write its deadline, and nobody knows what became of it: the id makes it safe to repeat', async () => {
    await startServer();
    const { sums, taken } = await open({ ...BY_HAND, redisDeadline: '100ms' });
    await sums.write(1, 1, { id: 'first' });
    await node.pause();
    const { error, ownMs } = await timed(sums.write(1, 1, { id: 'second' }));
    expect(error).toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE', mayHaveRun: true });
    expect(ownMs).toBeLessThan(1_000);
    expect(sums.counters).toMatchObject({ writes: 1, writesFailed: 1 });
    await node.resume();
    await eventually(() => sums.write(1, 1, { id: 'second' }));
    // What the frozen server had in its socket ran, and counted once all the same.
    expect(await sums.pending(1)).toBe(2);
    await sums.flushNow();
    expect([...taken]).toEqual([[1, 2]]);
  });

  it('makes a flush stop that can no longer be sure of its batch', async () => {
    await startServer();
    let reason: unknown;
    const hang = (_: Batch, { signal }: FlushContext): Promise<never> =>
      new Promise((_resolve, reject) => {
        void node.pause();
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          reject(new Error('stopped'));
        });
      });
    const { sums } = await open({ ...BY_HAND, flush: hang, lease: '200ms', redisDeadline: '50ms' });
    await sums.write(1, 1);
    void sums.flushNow().catch(() => undefined);
    await eventually(() => expect(reason).toMatchObject({ reason: 'lease-lost' }));
  });
});

describe('a flush whose lease cannot be renewed', () => {
  it('is told to stop before another process could take its batch', async () => {
    await startServer();
    const LEASE_MS = 2_000;
    using own = new OwnTime();
    let stoppedMs: number | undefined;
    const hang = (_: Batch, { signal }: FlushContext): Promise<never> =>
      new Promise((_resolve, reject) => {
        void node.pause();
        signal.addEventListener('abort', () => {
          stoppedMs = own.ms;
          reject(new Error('stopped'));
        });
      });
    // A renewal that hangs, hangs for longer than the lease.
    const { sums } = await open({ ...BY_HAND, flush: hang, lease: `${LEASE_MS}ms`, redisDeadline: '10s' });
    await sums.write(1, 1);
    const askedMs = own.ms;
    void sums.flushNow().catch(() => undefined);
    await eventually(() => expect(stoppedMs).toBeDefined());
    expect(stoppedMs! - askedMs).toBeLessThan(LEASE_MS);
  });
});

describe('a batch that was settled, though the reply was lost', () => {
  it('counts as taken, and not as lost', async () => {
    await startServer();
    await using proxy = await startTcpProxy(node);
    // The reply takes so long that it is still on its way when the connection breaks.
    const flush = async (): Promise<void> => proxy.delay('500ms');
    const url = `redis://127.0.0.1:${proxy.port}`;
    const { sums, taken } = await open({ ...BY_HAND, flush, redisDeadline: '5s' }, { url });
    await sums.write(1, 5);
    const flushing = sums.flushNow();
    await eventually(async () => {
      expect(taken.size).toBe(1);
      expect(await keyCount()).toBe(1);
    });
    proxy.cut();
    await proxy.heal();
    expect(await flushing).toBe(1);
    expect(sums.counters).toMatchObject({ batchesFlushed: 1, entriesFlushed: 1, leasesLost: 0, flushFailures: 0 });
  });
});

describe('a lease', () => {
  it('is renewed while a flush takes longer than it, so that nobody else takes the batch', async () => {
    await startServer();
    const prefix = randomPrefix();
    const slow = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_500));
    const first = await open({ ...BY_HAND, flush: slow, lease: '500ms' }, { prefix });
    const other = await open({ ...BY_HAND }, { prefix });
    await first.sums.write(1, 1);
    const flushing = first.sums.flushNow();
    await eventually(() => expect(first.batches).toHaveLength(1));
    await eventually(async () => {
      await other.sums.flushNow();
      expect(first.taken.size).toBe(1);
    });
    expect(await flushing).toBe(1);
    expect(other.batches).toEqual([]);
    expect(first.sums.counters.leasesLost).toBe(0);
  });
});

describe('a Redis whose memory is full', () => {
  it('refuses new writes, and is drained all the same: batches, retries and dead letters', async () => {
    await startServer();
    let attempts = 0;
    const flush = (batch: Batch): Promise<void> => {
      attempts += 1;
      if (attempts === 1 || (batch.length === 1 && batch[0]?.key === 2)) return Promise.reject(new Error('no'));
      if (batch.some(({ key }) => key === 2)) return Promise.reject(new Error('no'));
      return Promise.resolve();
    };
    const { sums, taken } = await open({ ...BY_HAND, flush, maxAttempts: 2 });
    for (const key of [1, 2, 3]) await sums.write(key, key);
    await node.command('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
    await expect(sums.write(4, 1)).rejects.toMatchObject({ reason: 'writes-refused', mayHaveRun: false });
    await eventually(async () => {
      await sums.flushNow();
      expect(await sums.size()).toEqual({ ...EMPTY, deadLetters: 1 });
    });
    expect([...taken].sort()).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(await sums.deadLetters()).toMatchObject([{ key: 2, value: 2, reason: 'Error' }]);
    expect(await sums.discardDeadLetters()).toBe(1);
  });

  it('renews leases all the same', async () => {
    await startServer();
    const prefix = randomPrefix();
    const slow = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_500));
    const first = await open({ ...BY_HAND, flush: slow, lease: '500ms' }, { prefix });
    const other = await open({ ...BY_HAND }, { prefix });
    await first.sums.write(1, 1);
    await node.command('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
    const flushing = first.sums.flushNow();
    await eventually(() => expect(first.batches).toHaveLength(1));
    await eventually(async () => {
      await other.sums.flushNow();
      expect(first.taken.size).toBe(1);
    });
    expect(await flushing).toBe(1);
    expect(other.batches).toEqual([]);
  });
});

describe('a server that may evict', () => {
  it.each([
    ['allkeys-lru', 1],
    ['noeviction', 0],
    ['volatile-lru', 0],
  ])('is warned of when its policy is %s: %i warnings', async (policy, warnings) => {
    await startServer({ args: { 'maxmemory-policy': policy } });
    const log = new LogBook();
    const { sums } = await open({ interval: '10ms' }, { log });
    await sums.write(1, 1);
    await eventually(async () => expect(await sums.size()).toEqual(EMPTY));
    const found = (): string[] => log.warnings.filter((warning) => warning.includes(`maxmemory-policy is ${policy}`));
    await eventually(() => expect(found()).toHaveLength(warnings));
  });
});

describe('a user with the permissions that the page on write-behind names', () => {
  const COMMANDS =
    'evalsha eval time info hget hset hdel hlen hexists hmget hincrby rpush lpop zadd zrem zrange zrangebyscore zremrangebyscore zscore zcard zpopmin pexpire';

  it('can do everything', async () => {
    await startServer();
    const prefix = randomPrefix();
    const granted = COMMANDS.split(' ').map((name) => `+${name}`);
    const user = ['shop', 'on', '>pw', `~${prefix}:*`, '+ping', ...granted];
    await node.command('ACL', 'SETUSER', ...user);
    const poison = (batch: Batch): Promise<void> =>
      batch.some(({ key }) => key === 0) ? Promise.reject(new Error('no')) : Promise.resolve();
    const url = `redis://shop:pw@127.0.0.1:${node.port}`;
    const options = {
      ...BY_HAND,
      flush: poison,
      maxAttempts: 1,
      idWindow: '20ms',
      lease: '100ms',
      maxPending: 4,
    } as const;
    const { sums, taken } = await open(options, { prefix, url });
    for (const key of [0, 1, 2]) await sums.write(key, 1, { id: 'once' });
    for (let i = 0; i < 10; i++) await sums.write(1, 1, { id: `${i}` });
    await eventually(async () => {
      await sums.flushNow();
      expect(await sums.size()).toEqual({ ...EMPTY, deadLetters: 1 });
    });
    expect(taken.get(1)).toBe(11);
    expect(await sums.deadLetters()).toHaveLength(1);
    expect(await sums.retryDeadLetters()).toBe(1);
    expect(await sums.pending(0)).toBe(1);
  });

  it('and without one of them gets a typed error, while the loop lives on', async () => {
    await startServer();
    const { sums, taken } = await open({ interval: '10ms' });
    await node.command('ACL', 'SETUSER', 'default', '-lpop', '-hset');
    await expect(sums.write(1, 1)).rejects.toThrow(RedisReplyError);
    await node.command('ACL', 'SETUSER', 'default', '+hset');
    await sums.write(1, 1);
    await node.command('ACL', 'SETUSER', 'default', '+lpop');
    await eventually(() => expect([...taken]).toEqual([[1, 1]]));
  });
});
