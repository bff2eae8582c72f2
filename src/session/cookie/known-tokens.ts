import { LRUCache } from 'lru-cache';
import type { SessionKeySpace, SessionPlace } from '../engine/session-keys.js';
import type { Signer } from './signer.js';

/** Tokens that are remembered at once. */
const MOST_TOKENS = 10_000;

/** A token that is in order. Whether there is a session, it does not tell. */
export class KnownToken {
  /** Until then, by the monotonic clock, the session's end need not be put off: it was a moment ago. */
  freshUntilMs = 0;

  constructor(
    readonly id: string,
    readonly place: SessionPlace,
  ) {}
}

/** Verifies tokens, and each once for as long as it is remembered. */
export class KnownTokens {
  readonly #known = new LRUCache<string, KnownToken>({ max: MOST_TOKENS });

  constructor(
    private readonly signer: Signer,
    private readonly keys: SessionKeySpace,
  ) {}

  /** Null for what is not in order, of whatever type and length. */
  find(token: unknown): KnownToken | null {
    // Without noting the use, which would cost each request more than verifying one in ten thousand again does.
    return typeof token === 'string' ? (this.#known.peek(token) ?? this.#verify(token)) : null;
  }

  #verify(token: string): KnownToken | null {
    const id = this.signer.verify(token);
    if (id === null) return null;
    const known = new KnownToken(id, this.keys.placeOf(id));
    // A copy: a slice of a header keeps the whole header in memory.
    this.#known.set(Buffer.from(token, 'latin1').toString('latin1'), known);
    return known;
  }
}
