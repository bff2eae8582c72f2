import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../lib/clock.mjs';
import { contenders } from '../lib/contenders/index.mjs';
import { serve } from '../lib/crew.mjs';

const WARM_ROUNDS = 100;
const REPORT_AFTER_MS = 100;

/** Many callers ask for one key at a moment that all processes know, and note when they were answered. */
serve(async ({ contender, redis, tags, value, loadMs, callers }) => {
  let loadedMs = [];
  const load = async () => {
    await sleep(loadMs);
    loadedMs.push(nowMs());
    return value;
  };
  const cache = await contenders[contender]({ redis, tier: 'redis', tags, load });
  return {
    // A service that has run for a while has its code compiled, that of waiting for other processes included.
    async warm() {
      for (let round = 0; round < WARM_ROUNDS; round++) {
        await Promise.all(Array.from({ length: callers }, () => cache.read(`warm-${round}`)));
      }
    },
    async run({ key, atMs }) {
      loadedMs = [];
      await sleep(Math.max(0, atMs - nowMs()));
      const answeredMs = await Promise.all(
        Array.from({ length: callers }, async () => {
          const found = await cache.read(key);
          if (JSON.stringify(found ?? null) !== JSON.stringify(value)) throw new Error('another value was expected');
          return nowMs();
        }),
      );
      // So that no process reports while others are still being woken.
      await sleep(REPORT_AFTER_MS);
      return { loadedMs, answeredMs };
    },
    close: () => cache.close(),
  };
});
