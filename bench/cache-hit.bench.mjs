// Claim: a hit in Redis costs nearly what a hand-written GET + JSON.parse costs, and less under load; with three tags, too, it is one round trip.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { compare } from './lib/compare.mjs';
import { openCacheManager } from './lib/contenders/cache-manager.mjs';
import { contenders, PACKAGES } from './lib/contenders/index.mjs';
import { openRaw } from './lib/contenders/raw.mjs';
import { goal, header, limit, table } from './lib/report.mjs';
import { page, product, slug, TAGS } from './lib/values.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
/** Each worker has keys of its own, so that no contender gains by joining requests for the same key. */
const KEYS_PER_WORKER = 4;
const WORKERS = 64;
const READS_COUNTED = 100;
const keyOf = (worker, i) => `key-${worker * KEYS_PER_WORKER + (i % KEYS_PER_WORKER)}`;

const PAYLOADS = [
  { name: '200 B product', value: product(200), goals: true, operations: 20_000 },
  { name: '10 KB product, mostly text', value: product(10_000), goals: true, operations: 20_000 },
  { name: '10 KB page of records', value: page(10_000), goals: false, operations: 6_400 },
];

const { rookery, bentocache, cacheable, 'async-cache-dedupe': asyncCacheDedupe } = contenders;
/** A memory that is too small for any entry, but keeps tokens: what each process has for the entries of the others. */
const TOKENS_ONLY = { memory: { maxBytes: 1 } };
const SETUPS = [
  { name: 'raw ioredis GET + JSON.parse', open: openRaw },
  { name: 'rookery', open: rookery },
  { name: 'rookery, 3 tags', open: rookery, tags: TAGS },
  { name: 'rookery, 3 tags, tokens warm', open: rookery, tags: TAGS, settings: TOKENS_ONLY },
  { name: 'bentocache', open: bentocache },
  { name: 'bentocache, 3 tags', open: bentocache, tags: TAGS },
  { name: 'cacheable', open: cacheable },
  { name: 'cacheable, 3 tags', open: cacheable, tags: TAGS },
  { name: 'async-cache-dedupe, 3 tags', open: asyncCacheDedupe, tags: TAGS },
  { name: 'cache-manager', open: openCacheManager },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('A hit in Redis', [...PACKAGES, 'cache-manager'], redis);

for (const { name: payload, value, goals, operations } of PAYLOADS) {
  await node.command('FLUSHALL');
  const running = [];
  for (const setup of SETUPS) running.push(await fill(setup, value));
  for (const concurrency of [1, WORKERS]) {
    const size = JSON.stringify(value).length;
    const each = Math.ceil(operations / (concurrency === 1 ? 10 : 1) / (quick ? 4 : 1));
    const results = await compare(running, { rounds, operations: each, concurrency });
    table(`${payload} (${size} bytes), concurrency ${concurrency}`, results);
    if (goals) goal('rookery against raw', results[1].ratio, concurrency === 1 ? 0.9 : 1.5);
    console.log();
  }
  for (const { close } of running) await close();
}
await countTrips();
await redis.stop();

/** Every key is there before it is read: a load in the measurement fails the bench. */
async function fill({ name, open, ...setup }, value, target = node) {
  let isFilled = false;
  const load = () => {
    if (isFilled) throw new Error(`${name}: a hit was expected`);
    return value;
  };
  // A contender's keys are its own.
  const prefix = slug(name);
  const { read, close } = await open({ redis: target, tier: 'redis', ...setup, load });
  const run = (worker, i) => read(`${prefix}-${keyOf(worker, i)}`);
  for (let worker = 0; worker < WORKERS; worker++) {
    for (let i = 0; i < KEYS_PER_WORKER; i++) await run(worker, i);
  }
  isFilled = true;
  return { name, run, close };
}

async function countTrips() {
  console.log('What one hit sends, one caller');
  for (const setup of SETUPS) {
    const tap = await WireTap.before(node);
    const { run, close } = await fill(setup, PAYLOADS[0].value, tap);
    for (let i = 0; i < READS_COUNTED; i++) await run(0, i);
    const cost = await tap.during(async () => {
      for (let i = 0; i < READS_COUNTED; i++) await run(0, i);
    });
    const [trips, commands] = [cost.trips / READS_COUNTED, cost.commands / READS_COUNTED];
    console.log(`  ${setup.name.padEnd(34)} ${trips.toFixed(2)} trips, ${commands.toFixed(2)} commands`);
    if (setup.settings === TOKENS_ONLY) limit('trips of a hit with 3 tags, tokens warm', Math.round(trips), 1);
    await close();
    tap.stop();
  }
}
