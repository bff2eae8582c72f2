// Claim: keys and tags that come and go leave nothing behind, neither in Redis nor in the process.
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { openCache } from './lib/contenders/rookery.mjs';
import { header, limit } from './lib/report.mjs';
import { product } from './lib/values.mjs';

const { quick } = readArgs({ rounds: 1 });
const KEYS = quick ? 40_000 : 1_000_000;
const BOUNDED = 120_000;
const CONCURRENCY = 64;
const STEPS = 4;
const VALUE = product(200);
const MEBIBYTE = 1024 * 1024;
/** Tokens are kept for a minute at least, longer than any load may take. */
const LONGEST_REST_MS = 150_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const redis = await startRedis();
const [node] = redis.nodes;
header(
  `${KEYS.toLocaleString('en')} keys, each read once with a tag of its own, TTL 1 s, memory tier on`,
  ['rookery', 'ioredis'],
  redis,
);
const { app, cache } = await openCache(node, { memory: true, ttl: '1s' });

const before = await measure('before');
// What is bounded (100,000 tokens, 10,000 entries in memory) first grows to its full size.
await readAll(0, BOUNDED);
await measure('all bounds reached');
const samples = [];
for (let step = 1; step <= STEPS; step++) {
  await readAll(BOUNDED + ((step - 1) * KEYS) / STEPS, KEYS / STEPS);
  samples.push(await measure(`after ${(step * 100) / STEPS} %`));
}
const sinceMs = performance.now();
while ((await keysLeft()) > 10 && performance.now() - sinceMs < LONGEST_REST_MS) await sleep(1_000);
const rested = await measure(`at rest, ${Math.round((performance.now() - sinceMs) / 1_000)} s later`);

const [first] = samples;
const last = samples.at(-1);
limit('keys that are left in Redis', rested.keys, 10);
limit('growth of used_memory from before to rest', rested.redisMb - before.redisMb, 2, ' MiB');
limit('growth of the heap from 25 % to 100 %', last.heapMb - first.heapMb, 0.1 * first.heapMb + 2, ' MiB');
await app.close();
await redis.stop();

async function readAll(from, count) {
  let next = from;
  const worker = async () => {
    while (next < from + count) {
      const key = next;
      next += 1;
      await cache.getOrSet(key, () => VALUE, { tags: [['tag', key]] });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function measure(when) {
  collectGarbage();
  const { heapUsed, rss } = process.memoryUsage();
  const redisMb = Number(/^used_memory:(\d+)/m.exec(String(await node.command('INFO', 'memory')))[1]) / MEBIBYTE;
  const sample = { redisMb, heapMb: heapUsed / MEBIBYTE, rssMb: rss / MEBIBYTE, keys: await keysLeft() };
  const [server, heap, resident] = [sample.redisMb, sample.heapMb, sample.rssMb].map((mb) => `${mb.toFixed(1)} MiB`);
  console.log(
    `  ${when.padEnd(22)} Redis ${server.padStart(11)} in ${String(sample.keys).padStart(8)} keys, heap ${heap}, rss ${resident}`,
  );
  return sample;
}

async function keysLeft() {
  return Number(await node.command('DBSIZE'));
}
