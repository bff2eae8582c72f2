import { setImmediate } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RateLimiter, RateLimitPolicy, WindowPolicy } from '../../../src/throttler/index.js';
import { nowUs } from '../job-process.js';
import type { Decision, OpenSettings, StormSettings } from './protocol.js';
import { seededRandom } from '../seeded-random.js';
import { pick } from './pick.js';
import { Recipe } from './recipe.js';

/** Asks as often as it can, as many callers at once. */
export class Storm {
  readonly #decisions: Decision[] = [];
  readonly #random: () => number;

  constructor(
    private readonly limiter: RateLimiter,
    private readonly process: OpenSettings,
    private readonly settings: StormSettings,
  ) {
    this.#random = seededRandom(settings.seed);
  }

  async run(): Promise<readonly Decision[]> {
    const { redis, prefix } = this.process;
    let recipe: Recipe | undefined;
    if (this.settings.by === 'recipe') {
      if (!('url' in redis) || redis.url === undefined) throw new Error('The recipe knows single servers only.');
      recipe = new Recipe(new Redis(redis.url), prefix);
    }
    await Promise.all(Array.from({ length: this.settings.workers }, () => this.#ask(recipe)));
    recipe?.close();
    return this.#decisions;
  }

  async #ask(recipe: Recipe | undefined): Promise<void> {
    const { choices, callers, mostUnits, untilUs } = this.settings;
    while (nowUs() < untilUs) {
      const caller = pick(this.#random, callers);
      const policies = pick(this.#random, choices);
      const units = 1 + Math.floor(this.#random() * mostUnits);
      const sentUs = nowUs();
      const answer =
        recipe === undefined
          ? await this.#consume(policies, caller, units)
          : { admitted: await recipe.consume(this.#windowOf(policies), caller), fromMemory: false };
      this.#decisions.push({ caller, policies, units, ...answer, sentUs, answeredUs: nowUs() });
      // Or else the answers to the others would be late.
      if (answer.fromMemory) await setImmediate();
    }
  }

  async #consume(
    policies: readonly string[],
    caller: string,
    cost: number,
  ): Promise<Pick<Decision, 'admitted' | 'fromMemory'>> {
    const { admitted, decidedBy } = await this.limiter.consume(policies, caller, { cost });
    if (decidedBy === 'process') throw new Error('Redis was to decide.');
    return { admitted, fromMemory: decidedBy === 'memory' };
  }

  #windowOf([name]: readonly string[]): WindowPolicy & { readonly name: string } {
    return this.process.policies.find((policy) => policy.name === name) as RateLimitPolicy & WindowPolicy;
  }
}
