import type { Caller } from '../../core/calls/caller.js';
import { ConfigurationError } from '../../core/errors/configuration.error.js';

/**
 * Tells whether a request was made by a page of the application itself, or by no page: by what browsers say of it and pages cannot change, `Sec-Fetch-Site`, and
 * `Origin` from browsers that do not send it. What says neither is no browser, and brings no cookie against its owner's will.
 */
export class OriginPolicy {
  readonly #trusted: ReadonlySet<string>;

  /** @throws {ConfigurationError} for what is no origin */
  constructor(trusted: readonly string[]) {
    this.#trusted = new Set(trusted.map(originOf));
  }

  admits({ headers }: Pick<Caller, 'headers'>): boolean {
    const { 'sec-fetch-site': site, origin, host } = headers;
    if (typeof origin === 'string' && this.#trusted.has(origin)) return true;
    if (site !== undefined) return site === 'same-origin' || site === 'none';
    if (origin === undefined) return true;
    return typeof origin === 'string' && typeof host === 'string' && hostOf(origin) === host.toLowerCase();
  }
}

function originOf(text: string): string {
  const origin = URL.canParse(text) ? new URL(text).origin : 'null';
  if (origin !== 'null' && origin === text) return origin;
  throw new ConfigurationError(
    `SessionModule: trustedOrigins must hold origins, such as 'https://app.example.com'; it holds '${text}'.`,
  );
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
