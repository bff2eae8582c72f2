import type { RateLimiter } from '../../../src/throttler/index.js';
import { RateLimitUsageError } from '../../../src/throttler/index.js';
import type { ChurnSettings } from './protocol.js';
import { seededRandom } from '../seeded-random.js';
import { pick } from './pick.js';

/** Does everything that a limiter can do, at random. */
export class Churn {
  readonly #random: () => number;
  readonly #actions: readonly ((policies: readonly string[], caller: string, cost: number) => Promise<unknown>)[];
  #left: number;

  constructor(
    limiter: RateLimiter,
    private readonly settings: ChurnSettings,
  ) {
    this.#random = seededRandom(settings.seed);
    this.#left = settings.operations;
    const consume = async (policies: readonly string[], caller: string, cost: number): Promise<void> => {
      const { release } = await limiter.consume(policies, caller, { cost });
      // Some are never given back, as by a process that dies.
      if (this.#random() < 0.7) await release();
    };
    this.#actions = [
      ...Array.from({ length: 12 }, () => consume),
      (policies, caller, cost) => limiter.peek(policies, caller, { cost }),
      (policies, caller, cost) => limiter.refund(policies, caller, { cost }),
      (policies, caller, cost) => limiter.penalize(policies, caller, { cost }),
      (policies, caller) => limiter.reset(policies, caller),
      (_, caller) => limiter.block(caller, '1s'),
      (_, caller) => limiter.unblock(caller),
    ];
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.settings.workers }, () => this.#work()));
  }

  async #work(): Promise<void> {
    const { policies, callers } = this.settings;
    while (this.#left-- > 0) {
      const first = pick(this.#random, policies);
      const chosen = this.#random() < 0.5 ? [first] : [first, pick(this.#random, policies)];
      const act = pick(this.#random, this.#actions);
      await act(chosen, pick(this.#random, callers), 1 + Math.floor(this.#random() * 3)).catch(ignoreCosts);
    }
  }
}

/** More than a limit has is asked for now and then. */
function ignoreCosts(error: unknown): void {
  if (!(error instanceof RateLimitUsageError)) throw error;
}
