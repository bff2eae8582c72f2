import { setTimeout as delay } from 'node:timers/promises';
import { nowUs } from '../job-process.js';
import { seededRandom } from '../seeded-random.js';
import { pick } from '../throttler-processes/pick.js';
import type { Claim } from './claims.js';
import type { StormSettings } from './protocol.js';
import type { RookeryLocks } from './rookery-locks.js';

/** Long enough that no lease ends on a busy machine. */
const TTL_MS = 60_000;
const WAIT_MS = 60_000;

/** Takes locks and gives them back as often as it can, and tells of each. */
export async function storm(locks: RookeryLocks, settings: StormSettings): Promise<readonly Claim[]> {
  const random = seededRandom(settings.seed);
  const claims: Claim[] = [];
  const work = async (): Promise<void> => {
    while (nowUs() < settings.untilUs) {
      const wish = pick(random, settings.wishes);
      const waitMs = random() < settings.impatience ? 0 : WAIT_MS;
      try {
        const { held, handle } = await locks.take(wish, { ttlMs: TTL_MS, waitMs, byUsing: false });
        await delay(random() * settings.mostMs);
        held.look();
        await handle.release();
        claims.push(held.claim);
      } catch (error) {
        if (waitMs > 0 || !locks.isExpected(error)) throw error;
        await delay(1);
      }
    }
  };
  await Promise.all(Array.from({ length: settings.workers }, work));
  return claims;
}
