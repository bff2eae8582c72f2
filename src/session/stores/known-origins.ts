import type { SessionOrigin } from './session-origin.js';

/**
 * Remembers by the objects themselves where they came from: two requests for one session have two objects, and each its own origin. It keeps nothing alive.
 *
 * A session is known as itself, and else by its companion: an object that it holds under a certain name, and that goes over to what is made of it.
 */
export class KnownOrigins {
  readonly #origins = new WeakMap<object, SessionOrigin>();

  constructor(private readonly companion: string) {}

  of(session: object): SessionOrigin | undefined {
    const own = this.#origins.get(session);
    if (own !== undefined) return own;
    const companion = this.#companionOf(session);
    return companion === null ? undefined : this.#origins.get(companion);
  }

  remember(session: object, origin: SessionOrigin): void {
    this.#origins.set(session, origin);
    const companion = this.#companionOf(session);
    // Copies have the companion of what they were made of, and speak for themselves alone.
    if (companion !== null && !this.#origins.has(companion)) this.#origins.set(companion, origin);
  }

  #companionOf(session: object): object | null {
    const companion: unknown = Reflect.get(session, this.companion);
    return typeof companion === 'object' ? companion : null;
  }
}
