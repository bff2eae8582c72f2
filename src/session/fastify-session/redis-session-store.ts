import type { SessionStore } from '@fastify/session';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { answer, type StoreCallback } from '../stores/answer.js';
import { KnownOrigins } from '../stores/known-origins.js';
import type { SessionStoreOptions } from '../stores/session-store.options.js';
import { StoredSessions, type ReadSession } from '../stores/stored-sessions.js';
import { LOAD_MARK, LoadMark } from './load-mark.js';

type Session = Parameters<SessionStore['set']>[1];

/**
 * Keeps the sessions of `@fastify/session` in Redis: parallel requests do not undo what others have changed, and a session that has ended stays so.
 *
 * ```ts
 * await app.register(fastifySession, { secret, store: new RedisSessionStore(connections.get()) });
 * ```
 *
 * - A session that was read here is written as its difference from what was read, attribute by attribute: of two requests that change the same attribute, the
 *   later wins. If it was destroyed meanwhile, or has expired, nothing is written, and that is no error. Any other object is stored as a whole.
 * - To be known again, a session that was read has a property more, `#rookery`, which JSON leaves out. A session without it, such as one that was put together of
 *   another's attributes, is stored as a whole. `reload()` of a session that has ended, or cannot be read, makes the library store an empty one under the
 *   same id.
 * - A session ends with its cookie, to the millisecond, or `ttl` after its last use when the cookie does not expire. A lifetime that one request gives the cookie is not
 *   undone by another that was under way.
 * - Without Redis a callback is given a {@link SessionStoreUnavailableError}, within `redisDeadline`: the request fails, with 503.
 * - One round trip each. Ids are not in Redis: keys are made of their digests.
 */
export class RedisSessionStore implements SessionStore {
  readonly #sessions: StoredSessions;
  readonly #origins = new KnownOrigins(LOAD_MARK);

  /** @throws {ConfigurationError} for an option that cannot be */
  constructor(connection: RedisConnection, options: SessionStoreOptions = {}) {
    this.#sessions = new StoredSessions(connection, 'fastify-session', options);
  }

  /** The session of an id, or null. */
  get(sid: string, callback: StoreCallback<Session | null>): void {
    const work = this.#sessions.read(sid).then((read) => read && this.#handOut(read));
    answer(work, callback);
  }

  /** Writes what has changed in a session that was read here, unless it has ended; stores any other as a whole. */
  set(sid: string, session: Session, callback: StoreCallback): void {
    const work = this.#sessions
      .write(sid, session, this.#origins.of(session))
      .then((origin) => this.#origins.remember(session, origin));
    answer(work, callback);
  }

  /** Ends a session, whether there is one or not. */
  destroy(sid: string, callback: StoreCallback): void {
    answer(this.#sessions.destroy(sid), callback);
  }

  #handOut({ session, origin }: ReadSession): Session {
    session[LOAD_MARK] = new LoadMark();
    this.#origins.remember(session, origin);
    return session as unknown as Session;
  }
}
