// Claim: once an invalidation is acknowledged, Redis gives nobody what was there before, not even what was being loaded; memory follows within milliseconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { nowMs } from './lib/clock.mjs';
import { contenders, PACKAGES } from './lib/contenders/index.mjs';
import { Crew } from './lib/crew.mjs';
import { header, limit } from './lib/report.mjs';
import { quantile, sum } from './lib/stats.mjs';
import { TAGS } from './lib/values.mjs';

/** A round is a pair of invalidations, the second of which comes while the first one's load is under way. */
const { rounds } = readArgs({ rounds: 100, quickRounds: 20 });
const READERS = 2;
const LONGEST_LOAD_MS = 10;
const PAUSE_MS = 60;
/** Ends what is never put right. */
const TTL_MS = 2_000;
const SETUPS = [
  { contender: 'rookery', tier: 'redis' },
  { contender: 'bentocache', tier: 'redis' },
  { contender: 'cacheable', tier: 'redis' },
  { contender: 'async-cache-dedupe', tier: 'redis' },
  { contender: 'rookery', tier: 'both' },
  { contender: 'bentocache', tier: 'both' },
  { contender: 'cacheable', tier: 'both' },
];

const redis = await startRedis();
const [{ host, port }] = redis.nodes;
header(`${READERS} processes read while another invalidates, a loader of up to ${LONGEST_LOAD_MS} ms`, PACKAGES, redis);

const database = new Redis(port, host);
for (const [index, { contender, tier }] of SETUPS.entries()) {
  const setup = { contender, redis: { host, port }, tier, tags: TAGS, ttlMs: TTL_MS };
  const { reads, stale, lateMs } = await run(setup, `source-${index}`);
  const p99 = quantile(lateMs, 0.99);
  const share = `${stale.toLocaleString('en')} stale of ${reads.toLocaleString('en')} reads`;
  const name = `${contender}, ${tier === 'both' ? 'with memory' : 'Redis'}`;
  console.log(
    `  ${name.padEnd(30)} ${share}; old values go ${p99.toFixed(1)} ms after the invalidation (p99), ${Math.max(...lateMs).toFixed(1)} ms (last)`,
  );
  if (contender !== 'rookery') continue;
  if (tier === 'redis') limit('stale reads', stale, 0);
  else limit('p99 from the acknowledgement to the last stale read of a process', p99, 5, ' ms');
}
database.disconnect();
await redis.stop();

async function run(setup, source) {
  await database.set(source, 0);
  const readers = await Crew.start(new URL('./workers/stale-reads.mjs', import.meta.url), READERS, {
    ...setup,
    source,
    longestLoadMs: LONGEST_LOAD_MS,
  });
  const writer = await contenders[setup.contender]({ ...setup, load: () => undefined });
  const acknowledged = [];
  const change = async () => {
    await database.set(source, acknowledged.length + 1);
    await writer.invalidateTags(TAGS);
    acknowledged.push(nowMs());
  };
  await readers.ask('start');
  await sleep(200);
  for (let round = 0; round < rounds; round++) {
    await change();
    await sleep(Math.random() * LONGEST_LOAD_MS);
    await change();
    await sleep(PAUSE_MS + Math.random() * PAUSE_MS);
  }
  await readers.ask('stop');
  const reports = await readers.ask('report', acknowledged);
  await readers.stop();
  await writer.close();
  return {
    reads: sum(reports.map(({ reads }) => reads)),
    stale: sum(reports.map(({ stale }) => stale)),
    lateMs: reports.flatMap(({ lateMs }) => lateMs),
  };
}
