// Claim: a cached hit through CacheService costs nearly what a hand-written GET + JSON.parse costs, and less under load.
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { Test } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { createCache } from 'cache-manager';
import { createKeyv } from '@keyv/redis';
import { RedisModule } from 'rookery';
import { CacheModule, CacheService } from 'rookery/cache';
import { startRedis } from 'rookery/testing';
import { compare } from './lib/compare.mjs';
import { goal, header, table } from './lib/report.mjs';

const { values: args } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
/** Each worker has keys of its own, so that no contender gains by joining requests for the same key. */
const KEYS_PER_WORKER = 4;
const KEYS = 64 * KEYS_PER_WORKER;
const keyOf = (worker, i) => worker * KEYS_PER_WORKER + (i % KEYS_PER_WORKER);

/** A product with as much text as it takes, and a page of small records: the same bytes, but far more to parse. */
const product = (bytes) => ({
  id: 1,
  name: 'Brass desk lamp',
  brand: 'Lumen',
  priceCents: 4_990,
  stock: 12,
  description: 'Warm light. '.repeat(1_000).slice(0, Math.max(0, bytes - 90)),
});
const page = (bytes) => {
  const record = { id: 1, sku: 'LMP-0001', name: 'Brass desk lamp', priceCents: 4_990, inStock: true };
  return {
    items: Array.from({ length: Math.round(bytes / JSON.stringify(record).length) }, (_, i) => ({ ...record, id: i })),
  };
};
const PAYLOADS = [
  { name: '200 B product', value: product(200), goals: true, operations: { 1: 2_000, 64: 20_000 } },
  { name: '10 KB product, mostly text', value: product(10_000), goals: true, operations: { 1: 2_000, 64: 20_000 } },
  { name: '10 KB page of records', value: page(10_000), goals: true, operations: { 1: 1_000, 64: 6_400 } },
];

const redis = await startRedis();
header('A cached hit', ['rookery', 'ioredis', 'bentocache', 'cache-manager', '@keyv/redis'], redis);

// The same settings as the connection that Rookery makes.
const raw = new Redis(redis.url, {
  protocol: 2,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  lazyConnect: true,
});
await raw.connect();
const app = await Test.createTestingModule({
  imports: [RedisModule.forRoot(redis.connectionOptions), CacheModule.forRoot({ ttl: '1h', redisDeadline: '5s' })],
}).compile();
await app.init();
const cache = app.get(CacheService);
const bento = new BentoCache({
  default: 'redis',
  stores: {
    redis: bentostore().useL2Layer(
      redisDriver({ connection: { host: redis.nodes[0].host, port: redis.nodes[0].port } }),
    ),
  },
});
const manager = createCache({ stores: [createKeyv(redis.url)] });
const unexpected = () => {
  throw new Error('a hit was expected');
};

for (const { name, value, goals, operations } of PAYLOADS) {
  for (let i = 0; i < KEYS; i++) {
    await raw.set(`raw:${name}:${i}`, JSON.stringify(value), 'EX', 3_600);
    await cache.set([name, i], value);
    await bento.set({ key: `${name}:${i}`, value, ttl: '1h' });
    await manager.set(`${name}:${i}`, value, 3_600_000);
  }
  const contenders = [
    {
      name: 'raw ioredis GET + JSON.parse',
      run: async (worker, i) => JSON.parse(await raw.get(`raw:${name}:${keyOf(worker, i)}`)),
    },
    { name: 'rookery getOrSet', run: (worker, i) => cache.getOrSet([name, keyOf(worker, i)], unexpected) },
    { name: 'rookery get', run: (worker, i) => cache.get([name, keyOf(worker, i)]) },
    {
      name: 'bentocache getOrSet',
      run: (worker, i) => bento.getOrSet({ key: `${name}:${keyOf(worker, i)}`, factory: unexpected }),
    },
    { name: 'cache-manager wrap', run: (worker, i) => manager.wrap(`${name}:${keyOf(worker, i)}`, unexpected) },
  ];
  for (const concurrency of [1, 64]) {
    const results = await compare(contenders, {
      rounds: Number(args.rounds),
      operations: operations[concurrency],
      concurrency,
    });
    table(`${name} (${JSON.stringify(value).length} bytes), concurrency ${concurrency}`, results);
    if (goals) goal('getOrSet against raw', results[1].ratio, concurrency === 1 ? 0.9 : 1.5);
    console.log();
  }
}

raw.disconnect();
await app.close();
await bento.disconnectAll();
await manager.disconnect();
await redis.stop();
