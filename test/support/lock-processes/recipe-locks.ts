import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { nowUs } from '../job-process.js';
import type { Claim, Wish } from './claims.js';
import type { AskSettings, HeldLock, Locks } from './held-lock.js';
import type { OpenSettings } from './protocol.js';

/**
 * The lock of many articles, for a checker to find out: `SET NX PX`, tried again and again; whoever has it takes itself to have it until it gives it back, by a
 * `GET` that sees a lock there and a `DEL` of whosever it is.
 */
export class RecipeLocks implements Locks {
  readonly #client: Redis;
  #claims = 0;

  constructor(private readonly settings: OpenSettings) {
    const { redis } = settings;
    if (!('url' in redis) || redis.url === undefined) throw new Error('The recipe knows single servers only.');
    this.#client = new Redis(redis.url);
  }

  async run(wish: Wish, { ttlMs }: AskSettings, work: (held: HeldLock) => Promise<void>): Promise<void> {
    const key = `${this.settings.prefix}:recipe:${wish.resource}`;
    const calledUs = nowUs();
    let askedUs = nowUs();
    while ((await this.#client.set(key, 'locked', 'PX', ttlMs, 'NX')) === null) {
      await delay(2);
      askedUs = nowUs();
    }
    this.#claims += 1;
    const { process } = this.settings;
    const grantedUs = nowUs();
    const id = `${process}-recipe-${this.#claims}`;
    // It has no fence.
    const rest = { fence: 0, queuedUs: null, heldUntilUs: grantedUs, isLate: false };
    let claim: Claim = { ...wish, ...rest, id, process, calledUs, askedUs, grantedUs };
    await work({
      get claim() {
        return claim;
      },
      look: () => (claim = { ...claim, heldUntilUs: nowUs() }),
    });
    if ((await this.#client.get(key)) !== null) await this.#client.del(key);
  }

  isExpected(): boolean {
    return false;
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }
}
