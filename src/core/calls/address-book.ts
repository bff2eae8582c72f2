import { LRUCache } from 'lru-cache';
import { bareAddress, isInRange, networkOf, parseAddress, type IpRange } from './ip-address.js';

/** What is known of an address. */
export interface KnownAddress {
  /** Whether it is a proxy whose word counts. */
  readonly isTrusted: boolean;
  readonly key: readonly ['ip', string];
}

/** Addresses that are remembered at once. */
const MOST_ADDRESSES = 10_000;

/** Looks addresses up, and parses each once for as long as it is remembered. */
export class AddressBook {
  readonly #known = new LRUCache<string, KnownAddress>({ max: MOST_ADDRESSES });

  constructor(
    private readonly trusted: readonly IpRange[],
    private readonly ipv6Prefix: number,
  ) {}

  /** Undefined for what is no address. */
  find(text: string): KnownAddress | undefined {
    return this.#known.get(text) ?? this.#read(text);
  }

  #read(text: string): KnownAddress | undefined {
    const bare = bareAddress(text);
    if (bare === undefined) return undefined;
    return (bare === text ? undefined : this.#known.get(bare)) ?? this.#learn(bare);
  }

  #learn(bare: string): KnownAddress {
    const address = parseAddress(bare);
    const known: KnownAddress = {
      isTrusted: this.trusted.some((range) => isInRange(address, range)),
      key: ['ip', networkOf(address, this.ipv6Prefix)],
    };
    // A copy: a slice of a header keeps the whole header in memory.
    this.#known.set(Buffer.from(bare, 'latin1').toString('latin1'), known);
    return known;
  }
}
