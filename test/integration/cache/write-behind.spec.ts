import { afterEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { defineWriteBehind, type WriteBehindDefinition } from '../../../src/cache/write-behind/define-write-behind.js';
import { WriteBehindFullError, WriteBehindOverflowError } from '../../../src/cache/write-behind/write-behind.errors.js';
import type { WriteBehindKey } from '../../../src/cache/write-behind/write-behind-key.js';
import type {
  FlushContext,
  WriteBehindEntry,
  WriteBehindOptions,
} from '../../../src/cache/write-behind/write-behind.options.js';
import { WriteBehindModule } from '../../../src/cache/write-behind/write-behind.module.js';
import type { WriteBehind } from '../../../src/cache/write-behind/write-behind.js';
import { EncodeError } from '../../../src/core/codec/codec.errors.js';
import { jsonCodec } from '../../../src/core/codec/json.codec.js';
import { ConfigurationError } from '../../../src/core/errors/configuration.error.js';
import { RedisUnavailableError } from '../../../src/core/errors/redis.errors.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { KeyEncodingError } from '../../../src/core/keys/key-encoding.error.js';
import { eventually } from '../../../src/testing/index.js';
import { expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { LogBook, writeBehindApp } from '../../support/write-behind-app.js';

expectNoLeakedConnections();

type Store = 'memory' | 'standalone' | 'cluster';

interface Call<Value, Key extends WriteBehindKey> extends FlushContext {
  readonly batch: readonly WriteBehindEntry<Value, Key>[];
}

interface Source<Value, Key extends WriteBehindKey> {
  readonly calls: readonly Call<Value, Key>[];
  readonly flush: (batch: Call<Value, Key>['batch'], context: FlushContext) => Promise<unknown>;
  readonly taken: () => Map<Key, Value>;
}

const SUMS = defineWriteBehind<number, number>({ name: 'sums', mode: 'add' });
const LAST = defineWriteBehind<unknown, WriteBehindKey>({ name: 'last', mode: 'replace' });
/** No round by itself: the test says when. */
const BY_HAND = { interval: '1h', retryDelay: '1ms', maxRetryDelay: '1ms' } as const;
const NEVER = new Promise<never>(() => undefined);

class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

const apps: TestingModule[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

describe.each<Store>(['memory', 'standalone', 'cluster'])('write-behind with a journal in %s', (store) => {
  async function open<Value, Key extends WriteBehindKey>(
    definition: WriteBehindDefinition<Value, Key>,
    options: WriteBehindOptions<Value, Key>,
    { prefix = randomPrefix(), log = new LogBook() } = {},
  ): Promise<WriteBehind<Value, Key>> {
    const redis = store === 'memory' ? null : sharedRedis(store);
    const { app, journal } = await writeBehindApp({ definition, options, redis, prefix, log });
    apps.push(app);
    return journal;
  }

  /** A source that remembers how it was called, and does what it is told. */
  function source<Value, Key extends WriteBehindKey>(
    answer: (call: Call<Value, Key>) => unknown = () => undefined,
  ): Source<Value, Key> {
    const calls: Call<Value, Key>[] = [];
    const flush = async (batch: readonly WriteBehindEntry<Value, Key>[], context: FlushContext): Promise<unknown> => {
      calls.push({ batch, ...context });
      return answer({ batch, ...context });
    };
    const taken = (): Map<Key, Value> => new Map(calls.flatMap(({ batch }) => batch.map((e) => [e.key, e.value])));
    return { calls, flush, taken };
  }

  it('flushes by itself what was written, once for a key that was written often', async () => {
    const { calls, flush } = source<number, number>();
    const sums = await open(SUMS, { flush, interval: '50ms' });
    await Promise.all(Array.from({ length: 20 }, (_, i) => sums.write(i % 2, 1)));
    await eventually(async () => expect(await sums.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 0 }));
    const totals = [0, 1].map((key) =>
      calls.flatMap(({ batch }) => batch).reduce((sum, entry) => sum + (entry.key === key ? entry.value : 0), 0),
    );
    expect(totals).toEqual([10, 10]);
    expect(calls.length).toBeLessThanOrEqual(2);
    expect(sums.counters).toMatchObject({ writes: 20, flushFailures: 0, batchesFlushed: calls.length });
  });

  it('gives keys and values back as they were given', async () => {
    const { flush, calls } = source<unknown, WriteBehindKey>();
    const last = await open(LAST, { flush, ...BY_HAND });
    const entries: [WriteBehindKey, unknown][] = [
      [42, new Date(0)],
      ['42', new Map([[1, new Set(['a'])]])],
      [['42'], undefined],
      [[42, 'a', [null, true]], -0],
      [42n, { deep: [1n] }],
      ['', null],
      ['a:{*} \ud800 "', Buffer.from([0, 255])],
      [0, 'zero'],
    ];
    for (const [key, value] of entries) await last.write(key, value);
    await last.write(-0, 'zero again');
    expect(await last.pending(0)).toBe('zero again');
    expect(await last.flushNow()).toBe(entries.length);
    const got = calls[0]!.batch.map(({ key, value }) => [key, value]);
    expect(got).toHaveLength(entries.length);
    for (const [key, value] of entries.slice(0, -1)) expect(got).toContainEqual([key, value]);
    expect(got).toContainEqual([0, 'zero again']);
  });

  it('refuses what it could not give back', async () => {
    const { flush } = source<number, number>();
    const sums = await open(SUMS, { flush, ...BY_HAND });
    await expect(sums.write(1, 0.5)).rejects.toThrow(EncodeError);
    await expect(sums.write(1, 2 ** 53)).rejects.toThrow(EncodeError);
    await expect(sums.write(NaN, 1)).rejects.toThrow(KeyEncodingError);
    await expect(sums.write(new Date() as never, 1)).rejects.toThrow(KeyEncodingError);
    await expect(sums.write([[undefined]] as never, 1)).rejects.toThrow(KeyEncodingError);
    await sums.write(1, Number.MAX_SAFE_INTEGER);
    await expect(sums.write(1, 1)).rejects.toThrow(WriteBehindOverflowError);
    expect(await sums.pending(1)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('says what is pending: nothing, what waits, and what is in flight as well', async () => {
    let release: () => void = () => undefined;
    let first = true;
    const { flush, calls } = source<number, number>(() => {
      if (!first) return undefined;
      first = false;
      return new Promise<void>((resolve) => (release = resolve));
    });
    const sums = await open(SUMS, { flush, ...BY_HAND });
    expect(await sums.pending(7)).toBeUndefined();
    await sums.write(7, 2);
    expect(await sums.pending(7)).toBe(2);
    const flushing = sums.flushNow();
    await eventually(() => expect(calls).toHaveLength(1));
    expect(await sums.pending(7)).toBe(2);
    await sums.write(7, 3);
    expect(await sums.pending(7)).toBe(5);
    release();
    expect(await flushing).toBe(1);
    expect(await sums.pending(7)).toBe(3);
  });

  it('pushes back when it is full, with an error of its own', async () => {
    const { flush } = source<number, number>();
    const sums = await open(SUMS, { flush, ...BY_HAND, maxPending: 2 });
    await sums.write(1, 1);
    await sums.write(2, 1);
    await expect(sums.write(3, 1)).rejects.toThrow(WriteBehindFullError);
    await sums.write(2, 1);
    await sums.flushNow();
    await sums.write(3, 1);
    expect(sums.counters).toMatchObject({ writes: 4, writesRefused: 1 });
  });

  it('counts a write with an id once', async () => {
    const { flush, taken } = source<number, number>();
    const sums = await open(SUMS, { flush, ...BY_HAND });
    for (let i = 0; i < 3; i++) await sums.write(1, 5, { id: 'request 1' });
    await sums.flushNow();
    await sums.write(1, 5, { id: 'request 1' });
    await sums.flushNow();
    expect([...taken()]).toEqual([[1, 5]]);
    expect(sums.counters).toMatchObject({ writes: 1, writesRepeated: 3 });
  });

  it('brings a batch that failed again: the same id and entries, while later writes wait', async () => {
    let failures = 2;
    const { flush, calls } = source<number, number>(() => {
      if (failures-- > 0) throw new Error('not now');
    });
    const sums = await open(SUMS, { flush, interval: '10ms', retryDelay: '30ms' });
    await sums.write(1, 1);
    await eventually(() => expect(calls).toHaveLength(1));
    await sums.write(1, 10);
    await eventually(() => expect(calls).toHaveLength(4));
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1]);
    expect(calls.map(({ batch }) => batch[0]?.value)).toEqual([1, 1, 1, 10]);
    expect(new Set(calls.slice(0, 3).map(({ batchId }) => batchId)).size).toBe(1);
    expect(calls[3]?.batchId).not.toBe(calls[0]?.batchId);
    expect(calls.every(({ partOf }) => partOf === undefined)).toBe(true);
  });

  it('leaves a growing pause between attempts', async () => {
    const at: number[] = [];
    const { flush } = source<number, number>(() => {
      at.push(performance.now());
      throw new Error('never');
    });
    const sums = await open(SUMS, { flush, interval: '1ms', retryDelay: '40ms', maxRetryDelay: '80ms' });
    await sums.write(1, 1);
    await eventually(() => expect(at.length).toBeGreaterThanOrEqual(5), { within: '10s' });
    // At least half of 40, 80, 80 and 80 ms, by the clock of the server, which may be set while the test runs.
    const pauses = at.slice(1, 5).map((ms, i) => ms - at[i]!);
    [20, 40, 40, 40].forEach((leastMs, i) => expect(pauses[i]).toBeGreaterThanOrEqual(leastMs * 0.75));
  });

  it('finds the entry that the source will not take, and takes the others', async () => {
    const { flush, calls } = source<number, number>(({ batch }) => {
      if (batch.some(({ key }) => key === 3)) throw new PoisonError('key 3, of all');
    });
    const log = new LogBook();
    const sums = await open(SUMS, { flush, ...BY_HAND, maxAttempts: 2 }, { log });
    for (const key of [1, 2, 3, 4]) await sums.write(key, key * 10);
    await eventually(async () => {
      await sums.flushNow();
      expect(await sums.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 1 });
    });
    expect(await sums.deadLetters()).toEqual([{ key: 3, value: 30, reason: 'PoisonError', since: expect.any(Date) }]);
    const singles = calls.filter(({ partOf }) => partOf !== undefined);
    expect(singles.map(({ batch }) => batch.length)).toEqual([1, 1, 1, 1]);
    expect(singles.flatMap(({ batch }) => batch.map(({ key }) => key)).sort()).toEqual([1, 2, 3, 4]);
    expect(new Set(singles.map(({ batchId }) => batchId)).size).toBe(4);
    const wholes = calls.filter(({ partOf, batch }) => partOf === undefined && batch.length > 1);
    expect(new Set(singles.map(({ partOf }) => partOf))).toEqual(new Set([wholes[0]?.batchId]));
    expect(sums.counters).toMatchObject({ entriesFlushed: 3, entriesDead: 1 });
    // Names of errors, and neither what they say nor what was written.
    expect(log.warnings.join()).toContain('PoisonError');
    expect(log.warnings.join()).not.toContain('of all');
  });

  it('retries and discards dead letters when it is told to', async () => {
    let poison = true;
    const { flush, taken } = source<number, number>(({ batch }) => {
      if (poison && batch.some(({ key }) => key > 1)) throw new PoisonError();
    });
    const sums = await open(SUMS, { flush, ...BY_HAND, maxAttempts: 1 });
    for (const key of [1, 2, 3, 4]) await sums.write(key, key * 10);
    await eventually(async () => {
      await sums.flushNow();
      expect((await sums.size()).deadLetters).toBe(3);
    });
    expect(await sums.discardDeadLetters([3, 99])).toBe(1);
    poison = false;
    expect(await sums.retryDeadLetters()).toBe(2);
    expect(await sums.retryDeadLetters()).toBe(0);
    await sums.flushNow();
    expect(await sums.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 0 });
    expect(taken().get(2)).toBe(20);
    expect(taken().get(4)).toBe(40);
  });

  it('gives nothing up while the source takes nothing at all', async () => {
    let away = true;
    const { flush, calls } = source<number, number>(() => {
      if (away) throw new Error('the source is away');
    });
    const sums = await open(SUMS, { flush, ...BY_HAND, maxAttempts: 1 });
    await Promise.all(Array.from({ length: 30 }, (_, key) => sums.write(key, 1)));
    await eventually(async () => {
      await sums.flushNow();
      expect(calls.at(-1)?.attempt).toBeGreaterThan(5);
    });
    // A few entries are asked each time, and not all thirty.
    const last = calls.at(-1)?.attempt;
    expect(calls.filter(({ attempt }) => attempt === last)).toHaveLength(10);
    expect((await sums.size()).deadLetters).toBe(0);
    away = false;
    await eventually(async () => {
      await sums.flushNow();
      expect(await sums.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 0 });
    });
    expect(sums.counters).toMatchObject({ entriesFlushed: 30, entriesDead: 0 });
  });

  it('gives nothing up when the source took something else first, and only then went away', async () => {
    let goneFrom = Infinity;
    const { flush, calls } = source<number, number>(({ batch, attempt }) => {
      if (calls.length >= goneFrom || (attempt === 1 && batch.some(({ key }) => key < 3))) throw new Error('not now');
    });
    const sums = await open(SUMS, { flush, ...BY_HAND, retryDelay: '200ms', maxRetryDelay: '200ms', maxAttempts: 1 });
    for (const key of [1, 2]) await sums.write(key, 1);
    expect(await sums.flushNow()).toBe(0);
    await sums.write(9, 1);
    expect(await sums.flushNow()).toBe(1);
    goneFrom = calls.length;
    await eventually(async () => {
      await sums.flushNow();
      expect(calls.at(-1)?.attempt).toBeGreaterThan(4);
    });
    expect(await sums.size()).toEqual({ waiting: 0, inFlight: 2, deadLetters: 0 });
    goneFrom = Infinity;
    await eventually(async () => {
      await sums.flushNow();
      expect(sums.counters).toMatchObject({ entriesFlushed: 3, entriesDead: 0 });
    });
  });

  it('gives an entry up that is alone in its batch, when the source took others time and again, and never this one', async () => {
    const { flush, calls } = source<number, number>(({ batch }) => {
      if (batch.some(({ key }) => key === 1)) throw new PoisonError();
    });
    const sums = await open(SUMS, { flush, ...BY_HAND, maxAttempts: 2 });
    await sums.write(1, 1);
    await sums.flushNow();
    await eventually(async () => {
      await sums.write(2, 1);
      await sums.flushNow();
      expect((await sums.size()).deadLetters).toBe(1);
    });
    // Twice as part of the whole, twice alone, and once more.
    expect(calls.filter(({ batch }) => batch[0]?.key === 1).length).toBeGreaterThanOrEqual(5);
    expect(await sums.deadLetters()).toMatchObject([{ key: 1, reason: 'PoisonError' }]);
  });

  it.each([{ offset: -1 }, { offset: 0.5 }, { limit: 0 }, { limit: -1 }, { limit: 10_001 }, { limit: NaN }])(
    'lists no dead letters with %j',
    async (page) => {
      const { flush } = source<number, number>();
      const sums = await open(SUMS, { flush, ...BY_HAND });
      const [name] = Object.keys(page);
      await expect(sums.deadLetters(page)).rejects.toThrow(RangeError);
      await expect(sums.deadLetters(page)).rejects.toThrow(`${name} must be a whole number from`);
    },
  );

  it('gives a flush up that takes too long, and tells it', async () => {
    const { flush, calls } = source<number, number>(({ attempt }) => (attempt === 1 ? NEVER : undefined));
    const sums = await open(SUMS, { flush, interval: '5ms', retryDelay: '5ms', flushTimeout: '30ms' });
    await sums.write(1, 1);
    await eventually(() => expect(calls).toHaveLength(2));
    expect(calls[0]?.signal.reason).toMatchObject({ code: 'ROOKERY_WRITE_BEHIND_FLUSH_ABORTED', reason: 'timeout' });
    expect(calls[1]?.signal.aborted).toBe(false);
    await eventually(async () => expect((await sums.size()).inFlight).toBe(0));
  });

  it('takes an exception that is no promise for a failure', async () => {
    const { calls, flush } = source<number, number>();
    const throwing = (...call: Parameters<typeof flush>): Promise<unknown> => {
      void flush(...call);
      if (calls.length === 1) throw new Error('at once');
      return Promise.resolve();
    };
    const sums = await open(SUMS, { flush: throwing, interval: '5ms', retryDelay: '5ms' });
    await sums.write(1, 1);
    await eventually(() => expect(calls).toHaveLength(2));
  });

  it('makes a dead letter of what it cannot read, and keeps the bytes for who can', async () => {
    const prefix = randomPrefix();
    if (store === 'memory') return;
    const written = await open(LAST, { flush: () => NEVER, interval: '1h', drainTimeout: '1ms' }, { prefix });
    await written.write('old', { codec: 'structured' });
    await apps.pop()?.close();
    const later = defineWriteBehind<unknown, WriteBehindKey>({ name: 'last', mode: 'replace', codec: jsonCodec });
    const { flush, taken } = source<unknown, WriteBehindKey>();
    const json = await open(later, { flush, interval: '5ms', retryDelay: '1ms' }, { prefix });
    await json.write('new', 1);
    await eventually(async () => expect((await json.size()).deadLetters).toBe(1), { within: '20s' });
    expect(await json.deadLetters()).toMatchObject([{ key: 'old', value: undefined, reason: 'DecodeError' }]);
    await eventually(() => expect([...taken()]).toEqual([['new', 1]]));
    await apps.pop()?.close();
    const again = source<unknown, WriteBehindKey>();
    const back = await open(LAST, { flush: again.flush, interval: '5ms' }, { prefix });
    await back.retryDeadLetters();
    await eventually(() => expect([...again.taken()]).toEqual([['old', { codec: 'structured' }]]));
  });

  describe('shutdown', () => {
    it('flushes what waits', async () => {
      const { flush, taken } = source<number, number>();
      const sums = await open(SUMS, { flush, interval: '1h', batchSize: 2 });
      for (let key = 0; key < 7; key++) await sums.write(key, 1);
      await apps.pop()?.close();
      expect(taken().size).toBe(7);
    });

    it('flushes what other requests write meanwhile', async () => {
      // A journal in memory takes no more writes by then.
      if (store === 'memory') return;
      const { flush, taken } = source<number, number>(({ batch }) =>
        batch[0]?.key === 1 ? sums.write(2, 1) : undefined,
      );
      const sums: WriteBehind<number, number> = await open(SUMS, { flush, interval: '1h' });
      await sums.write(1, 1);
      await apps.pop()?.close();
      expect([...taken().keys()]).toEqual([1, 2]);
    });

    it('goes on when a batch is refused, and says what is left', async () => {
      const { flush, taken } = source<number, number>(({ batch }) => {
        if (batch.some(({ key }) => key === 0)) throw new PoisonError();
      });
      const log = new LogBook();
      const sums = await open(SUMS, { flush, interval: '1h', batchSize: 1 }, { log });
      for (let key = 0; key < 3; key++) await sums.write(key, 1);
      await apps.pop()?.close();
      expect([...taken().keys()]).toEqual([0, 1, 2]);
      const fate = store === 'memory' ? 'are lost with this process' : 'stay in the journal';
      expect(log.warnings).toContain(`Write-behind 'sums': 1 entries were not flushed, and ${fate}.`);
    });

    it('ends in time when the source hangs', async () => {
      const { flush, calls } = source<number, number>(() => NEVER);
      const sums = await open(SUMS, { flush, interval: '1h', drainTimeout: '50ms' });
      await sums.write(1, 1);
      const startedMs = performance.now();
      await apps.pop()?.close();
      expect(performance.now() - startedMs).toBeLessThan(5_000);
      expect(calls[0]?.signal.reason).toMatchObject({ reason: 'shutdown' });
    });
  });

  it.each<[Partial<WriteBehindOptions<number, number>>, string]>([
    [{ interval: '0s' }, 'interval'],
    [{ batchSize: 2_001 }, 'batchSize'],
    [{ batchSize: 0 }, 'batchSize'],
    [{ maxPending: 1.5 }, 'maxPending'],
    [{ maxAttempts: 0 }, 'maxAttempts'],
    [{ lease: '30' as never }, 'lease'],
    [{ flush: undefined as never }, 'flush'],
  ])('does not start with %j', async (options, name) => {
    const { flush } = source<number, number>();
    const starting = open(SUMS, { flush, ...options });
    await expect(starting).rejects.toThrow(ConfigurationError);
    await expect(starting).rejects.toThrow(`${name} of 'sums'`);
  });
});

describe('a journal that is registered twice', () => {
  type Stores = readonly ('redis' | 'memory')[];
  it.each<Stores>([
    ['redis', 'redis'],
    ['memory', 'memory'],
    ['redis', 'memory'],
  ])('does not start, since each would be given a part of the writes (%s and %s)', async (...stores) => {
    const journals = stores.map((store) => {
      const useFactory = (): WriteBehindOptions<number, number> => ({ flush: () => Promise.resolve(), store });
      return WriteBehindModule.register(SUMS, { useFactory });
    });
    const starting = Test.createTestingModule({
      imports: [RedisModule.forRoot({ keyPrefix: randomPrefix(), ...sharedRedis('standalone') }), ...journals],
    })
      .setLogger(new LogBook())
      .compile();
    await expect(starting).rejects.toThrow("'sums' is registered twice");
  });

  it('is none when it is in two applications of one process', async () => {
    const options = { flush: () => Promise.resolve(), ...BY_HAND };
    const opened = [1, 2].map(() => writeBehindApp({ definition: SUMS, options, redis: null, prefix: randomPrefix() }));
    apps.push(...(await Promise.all(opened)).map(({ app }) => app));
  });
});

describe('a journal whose mode was changed while it held something', () => {
  it('flushes nothing of such a batch, and says why', async () => {
    const shared = { redis: sharedRedis('standalone'), prefix: randomPrefix() };
    const replaces = defineWriteBehind<number, number>({ name: 'sums', mode: 'replace' });
    const away = { flush: () => Promise.reject(new Error('away')), ...BY_HAND };
    const before = await writeBehindApp({ ...shared, definition: replaces, options: away });
    const calls: unknown[] = [];
    const flush = async (batch: unknown): Promise<unknown> => calls.push(batch);
    const log = new LogBook();
    const after = await writeBehindApp({ ...shared, definition: SUMS, options: { flush, ...BY_HAND }, log });
    apps.push(before.app, after.app);
    await before.journal.write(1, 5);
    await after.journal.write(2, 7);
    expect(await after.journal.flushNow()).toBe(0);
    expect(calls).toEqual([]);
    expect(log.warnings.join()).toContain("The journal 'sums' holds values of mode 'replace'");
    expect(await after.journal.size()).toEqual({ waiting: 0, inFlight: 2, deadLetters: 0 });
  });
});

describe('a journal in memory', () => {
  it('takes no write that it would lose, once the application shuts down', async () => {
    const { app, journal } = await writeBehindApp({
      definition: SUMS,
      options: { flush: () => Promise.resolve(), ...BY_HAND },
      redis: null,
      prefix: randomPrefix(),
    });
    await app.close();
    await expect(journal.write(1, 1)).rejects.toThrow(RedisUnavailableError);
    await expect(journal.write(1, 1)).rejects.toMatchObject({ reason: 'closing', mayHaveRun: false });
  });

  it('is asked for in the message when there is no Redis', async () => {
    const flush = (): Promise<void> => Promise.resolve();
    const starting = writeBehindApp({
      definition: SUMS,
      options: { flush, store: 'redis' },
      redis: null,
      prefix: randomPrefix(),
    });
    await expect(starting).rejects.toThrow("set store: 'memory'");
  });
});
