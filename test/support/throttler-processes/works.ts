import { setTimeout as delay } from 'node:timers/promises';
import { RateLimitExceededError, type RateLimiter } from '../../../src/throttler/index.js';
import { nowUs } from '../job-process.js';
import { seededRandom } from '../seeded-random.js';
import type { Work, WorksSettings } from './protocol.js';

/** Tries to work in slots, again and again, and tells when it did. */
export async function runWorks(limiter: RateLimiter, settings: WorksSettings): Promise<readonly Work[]> {
  const { seed, policy, caller, workers, mostMs, untilUs } = settings;
  const random = seededRandom(seed);
  const works: Work[] = [];
  const work = async (): Promise<void> => {
    const startUs = nowUs();
    await delay(random() * mostMs);
    works.push({ startUs, endUs: nowUs() });
  };
  const worker = async (): Promise<void> => {
    while (nowUs() < untilUs) {
      await limiter.run(policy, caller, work).catch(ignoreRefusals);
      await delay(random() * mostMs);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return works;
}

/** How many went on at one moment, at most. */
export function mostAtOnce(works: readonly Work[]): number {
  const changes = works.flatMap(({ startUs, endUs }) => [
    { atUs: startUs, by: 1 },
    { atUs: endUs, by: -1 },
  ]);
  // Of the same microsecond, ends come first.
  changes.sort((a, b) => a.atUs - b.atUs || a.by - b.by);
  let now = 0;
  return changes.reduce((most, { by }) => Math.max(most, (now += by)), 0);
}

function ignoreRefusals(error: unknown): void {
  if (!(error instanceof RateLimitExceededError)) throw error;
}
