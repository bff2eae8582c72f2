import type { CookieConfig } from './cookie-config.js';
import type { KnownToken, KnownTokens } from './known-tokens.js';
import type { Signer } from './signer.js';

/** More cookies of our name than that are not looked at: a client has one, and whoever sends many has made them up. */
const MOST_CANDIDATES = 4;

/** Reads the session's token from requests, and writes it into answers. */
export class SessionCookie {
  readonly #mark: string;

  constructor(
    private readonly config: CookieConfig,
    private readonly signer: Signer,
    private readonly tokens: KnownTokens,
  ) {
    this.#mark = `${config.name}=`;
  }

  /**
   * The token that a `Cookie` header brings; undefined when there is no cookie of ours, null when there is and none is in order. Where a neighbour's
   * cookie has the same name, the one that is signed counts.
   */
  read(header: string | readonly string[] | undefined): KnownToken | null | undefined {
    if (header === undefined) return undefined;
    const text = typeof header === 'string' ? header : header.join('; ');
    let found: null | undefined;
    let from = 0;
    for (let candidate = 0; candidate < MOST_CANDIDATES; candidate++) {
      const at = this.#find(text, from);
      if (at < 0) return found;
      const end = text.indexOf(';', at);
      const value = text.slice(at, end < 0 ? undefined : end).trimEnd();
      const token = this.tokens.find(value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value);
      if (token !== null) return token;
      found = null;
      from = at;
    }
    return found;
  }

  /** The `Set-Cookie` that gives the client an id. */
  issue(id: string, lifeMs: number): string {
    const lasting = this.config.persistent ? `; Max-Age=${Math.ceil(lifeMs / 1_000)}` : '';
    return `${this.#mark}${this.signer.sign(id)}; ${this.config.attributes}${lasting}`;
  }

  /** The `Set-Cookie` that takes the id from the client. */
  withdraw(): string {
    return `${this.#mark}; ${this.config.attributes}; Max-Age=0`;
  }

  /** Where the next value of a cookie of this name begins, or -1. */
  #find(text: string, from: number): number {
    for (let at = from; ;) {
      at = text.indexOf(this.#mark, at);
      if (at < 0) return -1;
      const before = text[at - 1];
      if (at === 0 || before === ' ' || before === ';') return at + this.#mark.length;
      at += 1;
    }
  }
}
