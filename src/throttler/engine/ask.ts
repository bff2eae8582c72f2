import type { Definition, Policy } from '../policies/policy.js';

/** A policy as one request uses it. */
export interface PolicyUse {
  readonly policy: Policy;
  readonly definition: Definition;
  /** Where the caller's counter is. */
  readonly key: string;
  /** Where it stands that the caller is blocked. Also the beginning of `key`. */
  readonly callerKey: string;
}

/** One request, as the script is asked about it. All of its keys lie in one slot. */
export class Ask {
  readonly callerKeys: readonly string[];

  constructor(
    readonly uses: readonly PolicyUse[],
    /** What it is called as a holder of slots. */
    readonly holder: number,
  ) {
    const [first] = uses;
    const isOneCaller = uses.every(({ callerKey }) => callerKey === first?.callerKey);
    this.callerKeys =
      isOneCaller && first !== undefined ? [first.callerKey] : [...new Set(uses.map(({ callerKey }) => callerKey))];
  }

  appendKeys(keys: string[]): void {
    for (const key of this.callerKeys) keys.push(key);
    for (const { key } of this.uses) keys.push(key);
    for (const { key, policy } of this.uses) if (policy.blockMs > 0) keys.push(blockKey(key));
  }
}

/** Where it stands that a policy blocks a caller. */
export function blockKey(policyKey: string): string {
  return `${policyKey}:block`;
}
