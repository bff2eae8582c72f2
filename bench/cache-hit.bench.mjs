// Claim: a hit in Redis costs nearly what a hand-written GET + JSON.parse costs, and less under load; with three tags, too, it is one round trip.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { PACKAGES } from './lib/contenders/index.mjs';
import { compareReads, openHits, WORKERS } from './lib/reads.mjs';
import { goal, header, limit, table } from './lib/report.mjs';
import { page, product, TAGS } from './lib/values.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const READS_COUNTED = 100;

const PAYLOADS = [
  { name: '200 B product', value: product(200), goals: true, operations: 20_000 },
  { name: '10 KB product, mostly text', value: product(10_000), goals: true, operations: 20_000 },
  { name: '10 KB page of records', value: page(10_000), goals: false, operations: 6_400 },
];

/** A memory that is too small for any entry, but keeps tokens: what each process has for the entries of the others. */
const TOKENS_ONLY = { memory: { maxBytes: 1 } };
const SETUPS = [
  { name: 'raw ioredis GET + JSON.parse', contender: 'raw' },
  { name: 'rookery', contender: 'rookery' },
  { name: 'rookery, 3 tags', contender: 'rookery', tags: TAGS },
  { name: 'rookery, 3 tags, tokens warm', contender: 'rookery', tags: TAGS, settings: TOKENS_ONLY },
  { name: 'bentocache', contender: 'bentocache' },
  { name: 'bentocache, 3 tags', contender: 'bentocache', tags: TAGS },
  { name: 'cacheable', contender: 'cacheable' },
  { name: 'cacheable, 3 tags', contender: 'cacheable', tags: TAGS },
  { name: 'async-cache-dedupe, 3 tags', contender: 'async-cache-dedupe', tags: TAGS },
  { name: 'cache-manager', contender: 'cache-manager' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('A hit in Redis', [...PACKAGES, 'cache-manager'], redis);

for (const { name: payload, value, goals, operations } of PAYLOADS) {
  await node.command('FLUSHALL');
  const loads = [1, WORKERS].map((concurrency) => ({
    concurrency,
    operations: Math.ceil(operations / (concurrency === 1 ? 10 : 1) / (quick ? 4 : 1)),
  }));
  const size = JSON.stringify(value).length;
  for (const [i, results] of (await compareReads(SETUPS, 'hits', node, value, loads, rounds)).entries()) {
    const { concurrency } = loads[i];
    table(`${payload} (${size} bytes), concurrency ${concurrency}`, results);
    if (goals) goal('rookery against raw', results[1].ratio, concurrency === 1 ? 0.9 : 1.5);
    console.log();
  }
}
await countTrips();
await redis.stop();

async function countTrips() {
  console.log('What one hit sends, one caller');
  for (const setup of SETUPS) {
    const tap = await WireTap.before(node);
    const { run, close } = await openHits(setup, tap, PAYLOADS[0].value);
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
