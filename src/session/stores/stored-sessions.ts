import { randomBytes } from 'node:crypto';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { ScriptSendOptions } from '../../core/scripts/script-transport.js';
import { systemClock } from '../../core/time/clock.js';
import { fieldOfName } from '../engine/session-fields.js';
import type { AttributeChanges } from '../session-attributes.js';
import { sessionMerge, sessionPut } from '../session.scripts.gen.js';
import { readCookie, type CookieState } from './cookie-state.js';
import { COOKIE, encodeAttributes, readContent } from './session-content.js';
import { SessionOrigin } from './session-origin.js';
import { resolveStoreConfig, type SessionStoreOptions } from './session-store.options.js';
import { StoreKeys } from './store-keys.js';

/** A session as it was read, and where it came from. */
export interface ReadSession {
  readonly session: Record<string, unknown>;
  readonly origin: SessionOrigin;
}

const BIRTH_BYTES = 9;
const NO_CHANGES: AttributeChanges = { removed: [], set: [] };

/**
 * Sessions of another library in Redis: a hash for each, a field for each attribute. What has an origin is written as its difference from that, and
 * only to the session that it came from; what has none is stored as a whole.
 *
 * One round trip each, but for what goes over all sessions. All reject with `RedisUnavailableError` within `redisDeadline` while Redis is away.
 */
export class StoredSessions {
  readonly #keys: StoreKeys;
  readonly #ttlMs: number;
  readonly #send: Required<ScriptSendOptions>;

  /** @throws {ConfigurationError} for an option that cannot be */
  constructor(
    private readonly connection: RedisConnection,
    library: string,
    options: SessionStoreOptions,
  ) {
    const { names, ttlMs, deadlineMs } = resolveStoreConfig(options);
    this.#keys = new StoreKeys(connection, library, names);
    this.#ttlMs = ttlMs;
    this.#send = { deadlineMs };
  }

  /** Null when there is none. */
  async read(id: string): Promise<ReadSession | null> {
    return this.#readKey(this.#keys.of(id));
  }

  /** Resolves with where the session is from now on. When the one that it came from has ended, nothing was written. */
  async write(id: string, session: object, known: SessionOrigin | undefined): Promise<SessionOrigin> {
    const key = this.#keys.of(id);
    const origin = known?.key === key ? known : undefined;
    const cookie = this.#cookieOf(session, origin);
    const attributes = encodeAttributes(session);
    if (origin !== undefined) {
      await this.#merge(key, origin, cookie, origin.changesTo(attributes));
      return new SessionOrigin(key, origin.birth, cookie.settings, attributes);
    }
    const { settings, expires, ttlMs } = cookie;
    const words = wordsOf([...attributes, ...cookieAttribute(settings)]);
    const birth = randomBytes(BIRTH_BYTES).toString('base64url');
    const args = { birth, expires, ttlMs, words };
    return new SessionOrigin(
      key,
      await this.connection.scripts.run(sessionPut, { session: key }, args, this.#send),
      settings,
      attributes,
    );
  }

  /** Writes the cookie alone, and puts the session's end off, if there is one. */
  async touch(id: string, session: object, known: SessionOrigin | undefined): Promise<SessionOrigin | undefined> {
    const key = this.#keys.of(id);
    const origin = known?.key === key ? known : undefined;
    const cookie = this.#cookieOf(session, origin);
    await this.#merge(key, origin, cookie, NO_CHANGES);
    return origin && new SessionOrigin(key, origin.birth, cookie.settings, origin.attributes);
  }

  async destroy(id: string): Promise<void> {
    await this.connection.send('UNLINK', [this.#keys.of(id)], this.#send);
  }

  /** All that there are from beginning to end. For tests, and where there are few. */
  async readAll(): Promise<ReadSession[]> {
    const found: ReadSession[] = [];
    for await (const keys of this.#scan()) {
      const read = await Promise.all(keys.map((key) => this.#readKey(key)));
      found.push(...read.filter((each) => each !== null));
    }
    return found;
  }

  async count(): Promise<number> {
    let count = 0;
    for await (const keys of this.#scan()) count += keys.length;
    return count;
  }

  async clear(): Promise<void> {
    for await (const keys of this.#scan()) {
      const groups = new Map<number, string[]>();
      for (const key of keys) {
        const group = this.connection.groupOf(key);
        groups.set(group, [...(groups.get(group) ?? []), key]);
      }
      await Promise.all([...groups.values()].map((group) => this.connection.send('UNLINK', group, this.#send)));
    }
  }

  async #readKey(key: string): Promise<ReadSession | null> {
    const content = readContent((await this.connection.send('HGETALL', [key], this.#send)) as Buffer[]);
    if (content === null) return null;
    const { birth, cookie, attributes, session } = content;
    return { session, origin: new SessionOrigin(key, birth, cookie, attributes) };
  }

  async #merge(
    key: string,
    origin: SessionOrigin | undefined,
    { settings, expires, ttlMs }: CookieState,
    { removed, set }: AttributeChanges,
  ): Promise<void> {
    const before = origin?.cookie ?? '';
    const hasNewCookie = settings !== before;
    const gone = hasNewCookie && settings === '' ? [...removed, COOKIE] : removed;
    const words = [...gone.map(fieldOfName), ...wordsOf(hasNewCookie ? [...set, ...cookieAttribute(settings)] : set)];
    await this.connection.scripts.run(
      sessionMerge,
      { session: key },
      { birth: origin?.birth ?? '', cookie: hasNewCookie ? '' : before, expires, ttlMs, removed: gone.length, words },
      this.#send,
    );
  }

  #cookieOf(session: object, origin: SessionOrigin | undefined): CookieState {
    return readCookie(session, origin?.cookie ?? '', systemClock.now(), this.#ttlMs);
  }

  /** A key may come twice, and is handed out once. */
  async *#scan(): AsyncGenerator<string[]> {
    const seen = new Set<string>();
    for await (const keys of this.connection.scan(this.#keys.pattern(), this.#send)) {
      const fresh = [...new Set(keys)].filter((key) => !seen.has(key));
      for (const key of fresh) seen.add(key);
      yield fresh;
    }
  }
}

function cookieAttribute(settings: string): [name: string, json: string][] {
  return settings === '' ? [] : [[COOKIE, settings]];
}

function wordsOf(attributes: readonly (readonly [name: string, json: string])[]): string[] {
  return attributes.flatMap(([name, json]) => [fieldOfName(name), json]);
}
