// Claim: a miss takes two round trips, with tags or without, and costs hardly more than a hand-written GET + SET, though nobody loads a key twice.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { compare } from './lib/compare.mjs';
import { contenders, PACKAGES } from './lib/contenders/index.mjs';
import { openRaw } from './lib/contenders/raw.mjs';
import { goal, header, limit, table } from './lib/report.mjs';
import { product, slug, TAGS } from './lib/values.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const VALUE = product(200);
const MISSES_COUNTED = 100;
const OPERATIONS = { 1: quick ? 500 : 2_000, 64: quick ? 3_200 : 12_800 };

const { rookery, bentocache, cacheable, 'async-cache-dedupe': asyncCacheDedupe } = contenders;
const SETUPS = [
  { name: 'raw ioredis GET + SET', open: openRaw },
  { name: 'rookery', open: rookery },
  { name: 'rookery, 3 tags', open: rookery, tags: TAGS },
  { name: 'rookery with memory, 3 tags', open: rookery, tier: 'both', tags: TAGS },
  { name: 'bentocache', open: bentocache },
  { name: 'bentocache, 3 tags', open: bentocache, tags: TAGS },
  { name: 'cacheable', open: cacheable },
  { name: 'cacheable, 3 tags', open: cacheable, tags: TAGS },
  { name: 'async-cache-dedupe', open: asyncCacheDedupe },
  { name: 'async-cache-dedupe, 3 tags', open: asyncCacheDedupe, tags: TAGS },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('A miss: every read asks for a new key', PACKAGES, redis);

const running = [];
for (const setup of SETUPS) running.push(await openMisses(setup, node));
for (const concurrency of [1, 64]) {
  const results = await compare(running, { rounds, operations: OPERATIONS[concurrency], concurrency });
  table(`200 B product, concurrency ${concurrency}`, results);
  goal('rookery against raw', results[1].ratio, 0.95);
  goal('rookery with 3 tags against raw', results[2].ratio, 0.95);
  console.log();
}
for (const { close } of running) await close();

console.log('What one miss sends, one caller');
for (const setup of SETUPS) {
  const tap = await WireTap.before(node);
  const { name, run, close } = await openMisses(setup, tap);
  await times(MISSES_COUNTED, run);
  let alone = 0;
  const cost = await tap.during(() =>
    times(MISSES_COUNTED, async () => {
      await run();
      await settled(tap);
      alone += 1;
    }),
  );
  const trips = cost.trips / alone;
  console.log(`  ${name.padEnd(34)} ${trips.toFixed(2)} trips, ${(cost.commands / alone).toFixed(2)} commands`);
  if (name.startsWith('rookery')) limit(`trips of ${name}`, Math.round(trips), 2);
  await close();
  tap.stop();
}
await redis.stop();

async function openMisses({ name, open, tier = 'redis', ...setup }, target) {
  // Short-lived, so that the rounds before do not weigh on the server.
  const { read, close } = await open({ redis: target, tier, ttlMs: 20_000, ...setup, load: () => VALUE });
  const prefix = `${slug(name)}-${target.port}`;
  let next = 0;
  const run = () => {
    next += 1;
    return read(`${prefix}-${next}`);
  };
  return { name, run, close };
}

/** A commit that nobody waits for must not share a trip with the next read. */
async function settled(tap) {
  for (let before = -1; before !== tap.commands;) {
    before = tap.commands;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function times(count, run) {
  for (let i = 0; i < count; i++) await run();
}
