// Claim: a hit in memory on an entry with three tags costs no round trip and no copy, whatever its size, and no caller can spoil another's value.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { compare } from './lib/compare.mjs';
import { contenders, PACKAGES } from './lib/contenders/index.mjs';
import { goal, header, limit, table } from './lib/report.mjs';
import { product, TAGS } from './lib/values.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 11 });
const KEYS = Array.from({ length: 100 }, (_, i) => `product-${i}`);
const READS_COUNTED = 1_000;
const OPERATIONS = quick ? 100_000 : 500_000;
/** For those that a round of as many would keep busy for a minute. */
const FEWER = OPERATIONS / 50;
const PAYLOADS = { '200 B': product(200), '10 KB': product(10_000) };

/** Memory in front of Redis, coherent with other processes; the memory of one process alone where there is no such thing. */
const SETUPS = [
  { name: 'rookery', contender: 'rookery', tier: 'both' },
  { name: 'bentocache', contender: 'bentocache', tier: 'both', operations: FEWER },
  {
    name: 'bentocache, this process, shared',
    contender: 'bentocache',
    tier: 'memory',
    isolates: false,
    operations: FEWER,
  },
  { name: 'cacheable', contender: 'cacheable', tier: 'both', operations: FEWER },
  {
    name: 'cacheable, this process, shared',
    contender: 'cacheable',
    tier: 'memory',
    isolates: false,
    operations: FEWER,
  },
  { name: 'async-cache-dedupe, this process', contender: 'async-cache-dedupe', tier: 'memory' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('A hit in memory with 3 tags, one caller', PACKAGES, redis);

for (const [size, value] of Object.entries(PAYLOADS)) {
  await node.command('FLUSHALL');
  const taps = [];
  const running = [];
  for (const { name, contender, tier, isolates, operations } of SETUPS) {
    const tap = await WireTap.before(node);
    taps.push(tap);
    const cache = await contenders[contender]({ redis: tap, tier, isolates, tags: TAGS, load: () => value });
    const run = (_, i) => cache.read(KEYS[i % KEYS.length]);
    for (let i = 0; i < 3 * KEYS.length; i++) await run(0, i);
    running.push({ name, run, operations, tap, cache });
  }
  for (const one of running) one.cost = await one.tap.during(() => readMany(one.run, READS_COUNTED));
  const results = await compare(running, { rounds, operations: OPERATIONS, concurrency: 1 });
  table(`${size} product`, results, 'rookery');
  for (const { name, run, cost } of running) {
    const first = await run(0, 0);
    const isShared = first === (await run(0, 0)) && !Object.isFrozen(first);
    const trips = (cost.trips / READS_COUNTED).toFixed(2);
    console.log(
      `  ${name.padEnd(34)} ${trips} trips a hit${isShared ? ', and every caller holds the same mutable object' : ''}`,
    );
  }
  goal(`rookery at ${size}`, results[0].perSecond / 1e6, 3, ' M/s');
  limit('rookery, trips a hit', Math.floor(running[0].cost.trips / READS_COUNTED), 0);
  console.log();
  for (const { cache } of running) await cache.close();
  for (const tap of taps) tap.stop();
}
await redis.stop();

async function readMany(run, times) {
  for (let i = 0; i < times; i++) await run(0, i);
}
