// Claim: a caller that is known to be refused is refused from memory, twenty times as fast as by Redis.
import { startRedis } from 'rookery/testing';
import { compareApart } from './lib/apart.mjs';
import { readArgs } from './lib/args.mjs';
import { openLimiterApart, WORKERS } from './lib/decisions.mjs';
import { goal, header, table } from './lib/report.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const GENERATIONS = quick ? 1 : 3;
const LEAST = 20;
const OPERATIONS = { 1: quick ? 2_000 : 4_000, [WORKERS]: quick ? 10_000 : 20_000 };
/** For those that a round of so few would not keep busy. */
const MORE = quick ? 200_000 : 500_000;

const SETUPS = [
  { name: 'rookery, by Redis', limiter: 'rookery', settings: { maxCallers: 0 } },
  { name: 'rookery, from memory', limiter: 'rookery', operations: MORE },
  { name: 'rate-limiter-flexible, by Redis', limiter: 'rate-limiter-flexible' },
  {
    name: 'rate-limiter-flexible, from memory',
    limiter: 'rate-limiter-flexible',
    settings: { inMemoryBlockOnConsumed: 2 },
    operations: MORE,
  },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('Refusals of 1,000 callers', ['rookery', 'ioredis', 'rate-limiter-flexible'], redis);

for (const concurrency of [1, WORKERS]) {
  await node.command('FLUSHALL');
  const open = (setup) => openLimiterApart(setup, 'refusals', node, concurrency);
  const loads = [{ concurrency, operations: OPERATIONS[concurrency] }];
  const [results] = await compareApart(SETUPS, open, loads, rounds, GENERATIONS);
  table(`${concurrency} at once`, results, 'by Redis');
  goal('rookery, from memory against Redis', results[1].ratio, LEAST, ' x');
  console.log();
}
await redis.stop();
