// Claim: a miss takes two round trips, with tags or without, and costs hardly more than a hand-written GET + SET, though nobody loads a key twice.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { PACKAGES } from './lib/contenders/index.mjs';
import { compareReads, openMisses, WORKERS } from './lib/reads.mjs';
import { goal, header, limit, table } from './lib/report.mjs';
import { product, TAGS } from './lib/values.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const VALUE = product(200);
const MISSES_COUNTED = 100;
const LOADS = [
  { concurrency: 1, operations: quick ? 500 : 2_000 },
  { concurrency: WORKERS, operations: quick ? 3_200 : 12_800 },
];

const SETUPS = [
  { name: 'raw ioredis GET + SET', contender: 'raw' },
  { name: 'rookery', contender: 'rookery' },
  { name: 'rookery, 3 tags', contender: 'rookery', tags: TAGS },
  { name: 'rookery with memory, 3 tags', contender: 'rookery', tier: 'both', tags: TAGS },
  { name: 'bentocache', contender: 'bentocache' },
  { name: 'bentocache, 3 tags', contender: 'bentocache', tags: TAGS },
  { name: 'cacheable', contender: 'cacheable' },
  { name: 'cacheable, 3 tags', contender: 'cacheable', tags: TAGS },
  { name: 'async-cache-dedupe', contender: 'async-cache-dedupe' },
  { name: 'async-cache-dedupe, 3 tags', contender: 'async-cache-dedupe', tags: TAGS },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('A miss: every read asks for a new key', PACKAGES, redis);

for (const [i, results] of (await compareReads(SETUPS, 'misses', node, VALUE, LOADS, rounds)).entries()) {
  table(`200 B product, concurrency ${LOADS[i].concurrency}`, results);
  goal('rookery against raw', results[1].ratio, 0.95);
  goal('rookery with 3 tags against raw', results[2].ratio, 0.95);
  console.log();
}

console.log('What one miss sends, one caller');
for (const setup of SETUPS) {
  const tap = await WireTap.before(node);
  const { name, run, close } = await openMisses(setup, tap, VALUE);
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
