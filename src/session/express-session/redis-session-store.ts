import { Store, type SessionData } from 'express-session';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { answer, type StoreCallback } from '../stores/answer.js';
import { KnownOrigins } from '../stores/known-origins.js';
import type { SessionStoreOptions } from '../stores/session-store.options.js';
import { StoredSessions, type ReadSession } from '../stores/stored-sessions.js';

/**
 * Keeps the sessions of `express-session` in Redis: parallel requests do not undo what others have changed, and a session that has ended stays so.
 *
 * ```ts
 * app.use(session({ secret, resave: false, saveUninitialized: false, store: new RedisSessionStore(connections.get()) }));
 * ```
 *
 * - A session that was read here is written as its difference from what was read, attribute by attribute: of two requests that change the same attribute, the
 *   later wins. If it was destroyed meanwhile, or has expired, nothing is written, and that is no error. A copy that has the cookie object of such a
 *   session counts as that session. Any other object is stored as a whole.
 * - A session ends with its cookie, to the millisecond, or `ttl` after its last use when the cookie does not expire. `touch` writes the cookie's new expiry. A
 *   lifetime that one request gives the cookie is not undone by another that was under way.
 * - Without Redis a callback is given a {@link SessionStoreUnavailableError}, within `redisDeadline`: the request fails, with 503. The store never emits `disconnect`,
 *   since `express-session` would then go on without a session, as if nobody had ever logged in.
 * - One round trip each; `all`, `length` and `clear` scan every primary. `all` hands out a list, since ids are not in Redis: keys are made of their digests.
 */
export class RedisSessionStore extends Store {
  readonly #sessions: StoredSessions;
  /** A session of the library holds the cookie object of what it was made of, and so does a copy. */
  readonly #origins = new KnownOrigins('cookie');

  /** @throws {ConfigurationError} for an option that cannot be */
  constructor(connection: RedisConnection, options: SessionStoreOptions = {}) {
    super();
    this.#sessions = new StoredSessions(connection, 'express-session', options);
  }

  /** The session of an id, or null. */
  override get(sid: string, callback: StoreCallback<SessionData | null>): void {
    const work = this.#sessions.read(sid).then((read) => read && this.#handOut(read));
    answer(work, callback);
  }

  /** Writes what has changed in a session that was read here, unless it has ended; stores any other as a whole. */
  override set(sid: string, session: SessionData, callback?: StoreCallback): void {
    const work = this.#sessions
      .write(sid, session, this.#origins.of(session))
      .then((origin) => this.#origins.remember(session, origin));
    answer(work, callback);
  }

  /** Writes the cookie, and puts the session's end off. */
  override touch(sid: string, session: SessionData, callback?: StoreCallback): void {
    const work = this.#sessions.touch(sid, session, this.#origins.of(session)).then((origin) => {
      if (origin !== undefined) this.#origins.remember(session, origin);
    });
    answer(work, callback);
  }

  /** Ends a session, whether there is one or not. */
  override destroy(sid: string, callback?: StoreCallback): void {
    answer(this.#sessions.destroy(sid), callback);
  }

  /** How many there are. O(keys in the server). */
  override length(callback: StoreCallback<number>): void {
    answer(this.#sessions.count(), callback);
  }

  /** All of them, without their ids. O(keys in the server), and all in memory at once. */
  override all(callback: StoreCallback<SessionData[]>): void {
    const work = this.#sessions.readAll().then((all) => all.map((read) => this.#handOut(read)));
    answer(work, callback);
  }

  /** Ends all of them; one that is made meanwhile may be left. O(keys in the server). */
  override clear(callback?: StoreCallback): void {
    answer(this.#sessions.clear(), callback);
  }

  /** `express-session` makes its session of what `get` has handed out. */
  override createSession(...[request, data]: Parameters<Store['createSession']>): ReturnType<Store['createSession']> {
    const origin = this.#origins.of(data);
    const session = super.createSession(request, data);
    if (origin !== undefined) this.#origins.remember(session, origin.asTakenOverBy(session));
    return session;
  }

  #handOut({ session, origin }: ReadSession): SessionData {
    this.#origins.remember(session, origin);
    return session as unknown as SessionData;
  }
}
