import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { KeyParts } from '../../core/keys/key-part.js';
import { KeySpace } from '../../core/keys/key-space.js';
import type { Caller } from '../../core/calls/caller.js';
import type { PolicyUse } from '../engine/ask.js';
import { resolvePolicy, type Policy, type PolicyDefaults } from './policy.js';
import type { RateLimitPolicy } from './policy.options.js';

/** So many apply to one request. */
export const MOST_POLICIES = 8;

/** The policies of the module, by name, and where callers' counters are. */
export class PolicyRegistry {
  /** Those that apply to every guarded route. */
  readonly everywhere: readonly Policy[];
  readonly #policies = new Map<string, Policy>();
  readonly #space: KeySpace;

  constructor(
    policies: readonly RateLimitPolicy[],
    readonly defaults: PolicyDefaults,
    keyPrefix: string,
  ) {
    this.#space = new KeySpace(keyPrefix, 'limit');
    for (const options of policies) {
      const policy = resolvePolicy(options, undefined, defaults, 'ThrottlerModule');
      if (this.#policies.has(policy.name)) {
        throw new ConfigurationError(
          `ThrottlerModule: there are two policies named '${policy.name}'. Give each its own name.`,
        );
      }
      this.#policies.set(policy.name, policy);
    }
    this.everywhere = policies.filter(({ optIn }) => optIn !== true).map(({ name }) => this.get(name));
  }

  has(name: string): boolean {
    return this.#policies.has(name);
  }

  all(): readonly Policy[] {
    return [...this.#policies.values()];
  }

  /** Throws `ConfigurationError`, listing those there are. */
  get(name: string): Policy {
    const policy = this.#policies.get(name);
    if (policy !== undefined) return policy;
    const known = [...this.#policies.keys()].map((each) => `'${each}'`).join(', ') || 'none';
    throw new ConfigurationError(
      `There is no rate limit policy '${name}'; there are ${known}. Add it to 'policies' in ThrottlerModule.forRoot().`,
    );
  }

  /** Where it stands that a caller is blocked. Throws `KeyEncodingError` for a tracker that cannot be part of a key. */
  callerKey(tracker: KeyParts): string {
    return this.#space.key(tracker);
  }

  policyKey(policy: Policy, callerKey: string): string {
    return callerKey + policy.suffix;
  }

  use(policy: Policy, callerKey: string, units: number, caller?: Caller): PolicyUse {
    // A request has one slot, whatever it costs elsewhere.
    const own = policy.isConcurrency ? Math.sign(units) : units;
    const definition = policy.definition(policy.limitFor(caller), own);
    return { policy, definition, key: this.policyKey(policy, callerKey), callerKey };
  }
}
