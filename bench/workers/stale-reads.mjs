import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { nowMs } from '../lib/clock.mjs';
import { contenders } from '../lib/contenders/index.mjs';
import { serve } from '../lib/crew.mjs';

/** What the readers read: the source's version, as it was some milliseconds before the load ends. */
const KEYS = ['one', 'two', 'three'];

/** Reads without a break, and holds what it was given against the invalidations that had been acknowledged when it asked. */
serve(async ({ contender, redis, tier, tags, source, ttlMs, longestLoadMs }) => {
  const database = new Redis(redis.port, redis.host);
  const load = async () => {
    const version = Number(await database.get(source));
    await sleep(Math.random() * longestLoadMs);
    return { version };
  };
  const cache = await contenders[contender]({ redis, tier, tags, load, ttlMs });
  let reads = [];
  let isReading = false;
  let reading;
  const read = async () => {
    for (let i = 0; isReading; i++) {
      const startedMs = nowMs();
      const { version } = await cache.read(KEYS[i % KEYS.length]);
      reads.push(startedMs, version);
      await nextTurn();
    }
  };
  return {
    start() {
      reads = [];
      isReading = true;
      reading = read();
    },
    async stop() {
      isReading = false;
      await reading;
    },
    report: (acknowledged) => staleness(reads, acknowledged),
    async close() {
      await cache.close();
      database.disconnect();
    },
  };
});

/** `acknowledged[i]` is when version i + 1 was known to be the only one to be read. */
function staleness(reads, acknowledged) {
  let stale = 0;
  // For how long after each acknowledgement an older version was still read.
  const lateMs = acknowledged.map(() => 0);
  for (let at = 0, latest = 0; at < reads.length; at += 2) {
    const startedMs = reads[at];
    const version = reads[at + 1];
    while (latest < acknowledged.length && acknowledged[latest] < startedMs) latest += 1;
    if (version >= latest) continue;
    stale += 1;
    for (let missed = version; missed < latest; missed++)
      lateMs[missed] = Math.max(lateMs[missed], startedMs - acknowledged[missed]);
  }
  return { reads: reads.length / 2, stale, lateMs };
}
