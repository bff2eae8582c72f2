import { Injectable } from '@nestjs/common';
import type { Cancel } from '../core/time/clock.js';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { handedOver } from './http/response-carrier.js';
import { readDevice, UNKNOWN_DEVICE } from './engine/device.js';
import { readMeta } from './engine/session-fields.js';
import { isDigest, slotOfUser } from './engine/session-id.js';
import type { SessionCounters } from './session-counters.js';
import { SessionAttributesView } from './session-attributes.js';
import type { SessionEndListener } from './session.events.js';
import { SessionRuntime } from './session.runtime.js';
import { checkUser, type SessionHandle, type LoginOptions, type AnyAttributes } from './session.js';

/** One of a user's sessions, as it is shown to people. Times are in milliseconds since the epoch, by the server's clock. */
export interface SessionSummary {
  /** Names it, and is good for nothing but to end it: it cannot be turned back into an id. */
  readonly handle: string;
  readonly createdAtMs: number;
  /** When it was last used, at a tenth of the idle timeout exactly. */
  readonly lastSeenMs: number;
  /** When it ends at the latest. */
  readonly deadlineMs: number;
  /** The address that it was made from. */
  readonly ip: string | null;
  /** What it was made by, such as `Firefox 128 on Windows`. */
  readonly agent: string | null;
}

/** What attributes are to be; `undefined` takes one out. */
export type AttributeUpdate<Attributes extends object = AnyAttributes> = {
  readonly [Name in keyof Attributes]?: Attributes[Name] | undefined;
};

/** How a session is made without a request. */
export interface CreateSessionOptions<Attributes extends object = AnyAttributes> extends LoginOptions {
  /** Default: nobody. */
  readonly userId?: string | number;
  readonly attributes?: AttributeUpdate<Attributes>;
}

/**
 * Sessions for code that has no request of theirs: by their token, and by their user.
 *
 * A token is what the cookie holds: the id, and its signature. One that is not in order is that of no session, and never reaches Redis.
 *
 * All reject with `RedisUnavailableError` within `redisDeadline` while Redis is away.
 */
@Injectable()
export class SessionService {
  readonly #runtime: SessionRuntime;

  constructor(runtime: SessionRuntime) {
    this.#runtime = runtime;
  }

  get counters(): Readonly<SessionCounters> {
    return this.#runtime.counters;
  }

  /** Makes a session, for a client that is given its {@link tokenOf} in another way than by a cookie. Rejects with `TooManySessionsError`. One round trip. */
  async create<Attributes extends object = AnyAttributes>({
    userId,
    attributes = {},
    ...lifetime
  }: CreateSessionOptions<NoInfer<Attributes>> = {}): Promise<SessionHandle<Attributes>> {
    const session = this.#runtime.begin<Attributes>(handedOver(UNKNOWN_DEVICE));
    for (const [name, value] of Object.entries(attributes)) session.set(name as never, value as never);
    await session.begin(userId ?? null, lifetime);
    return session;
  }

  /** What a client has to come with: a secret. Null while the session is new, and where another request has just replaced its id. */
  tokenOf({ id }: Pick<SessionHandle, 'id'>): string | null {
    return id === null ? null : this.#runtime.signer.sign(id);
  }

  /** The session of a token, or null. Reading it is a use: its end is put off. One round trip. */
  get<Attributes extends object = AnyAttributes>(token: string): Promise<SessionHandle<Attributes> | null> {
    return this.#read(token, true);
  }

  /** The same without putting its end off. */
  peek<Attributes extends object = AnyAttributes>(token: string): Promise<SessionHandle<Attributes> | null> {
    return this.#read(token, false);
  }

  /** Puts the session's end off. Resolves with whether there is one. One round trip; a write at most once in a tenth of the idle timeout. */
  async touch(token: string): Promise<boolean> {
    return (await this.#read(token, true)) !== null;
  }

  /**
   * Changes attributes without reading the session. Resolves with whether there is one: what has ended is not brought back. One round trip.
   */
  async update<Attributes extends object = AnyAttributes>(
    token: string,
    attributes: AttributeUpdate<NoInfer<Attributes>>,
  ): Promise<boolean> {
    const { redis, counters, tokens } = this.#runtime;
    const known = tokens.find(token);
    if (known === null) return false;
    const view = new SessionAttributesView(new Map());
    const removed: string[] = [];
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) removed.push(name);
      else view.set(name, value);
    }
    const changes = { removed, set: view.changes()?.set ?? [] };
    const outcome = await redis.save(known.place, changes);
    const isSaved = outcome === 'done' || (outcome !== 'gone' && outcome.successor !== '');
    counters[isSaved ? 'saved' : 'lateSaves'] += 1;
    return isSaved;
  }

  /** Ends the session of a token. Resolves with whether there was one. Two round trips. */
  async destroy(token: string): Promise<boolean> {
    const session = await this.peek(token);
    await session?.destroy();
    return session !== null;
  }

  /** The sessions that a user has, the oldest first. One round trip. */
  async listForUser(userId: string | number): Promise<SessionSummary[]> {
    const user = checkUser(userId);
    const rows = await this.#runtime.redis.list(slotOfUser(user), user);
    return rows.map(readSummary).sort((one, other) => one.createdAtMs - other.createdAtMs);
  }

  /** How many sessions a user has. One round trip. */
  async count(userId: string | number): Promise<number> {
    return (await this.listForUser(userId)).length;
  }

  /**
   * Ends one of a user's sessions, by the handle that {@link listForUser} has told: nobody's else, whatever the handle. Resolves with whether there was one. One
   * round trip.
   */
  async destroyForUser(userId: string | number, handle: string): Promise<boolean> {
    const user = checkUser(userId);
    if (!isDigest(handle)) return false;
    const { redis, counters } = this.#runtime;
    const ended = await redis.revoke(slotOfUser(user), user, handle);
    counters.destroyed += ended;
    return ended > 0;
  }

  /**
   * Ends all sessions of a user, in one step: logout everywhere, and after a change of the password. `except` goes on: the session that asks for it. Resolves with how many
   * have ended. One round trip, however many there are.
   */
  async destroyAllForUser(
    userId: string | number,
    { except }: { readonly except?: Pick<SessionHandle, 'handle'> } = {},
  ): Promise<number> {
    const user = checkUser(userId);
    const { redis, counters } = this.#runtime;
    const ended = await redis.revokeAll(slotOfUser(user), user, except?.handle ?? undefined);
    counters.destroyed += ended;
    return ended;
  }

  /**
   * Ends all sessions of everybody: after a leak, say. Those that are made, or given a new id, meanwhile may be left. Resolves with how many ids have been taken back,
   * those that were just replaced among them. A SCAN of every node;
   * ends are told as `expired`.
   */
  async destroyEverySession(): Promise<number> {
    const { connection, keys, counters } = this.#runtime;
    const { deadlineMs } = this.#runtime.config;
    let count = 0;
    for await (const found of connection.scan(keys.pattern(), { deadlineMs })) {
      const groups = new Map<number, string[]>();
      for (const key of found) {
        if (keys.isOfEnds(key)) continue;
        if (keys.isSession(key)) count += 1;
        const group = connection.groupOf(key);
        groups.set(group, [...(groups.get(group) ?? []), key]);
      }
      for (const group of groups.values()) await connection.send('UNLINK', group, { deadlineMs });
    }
    counters.destroyed += count;
    return count;
  }

  /**
   * Calls `listener` when a session has ended, in one of the processes that listen, and at least once. Needs the module's option `ends`.
   *
   * @throws {ConfigurationError} without that option
   */
  onEnd(listener: SessionEndListener): Cancel {
    const { ends } = this.#runtime;
    if (ends === null) throw new ConfigurationError('onEnd needs SessionModule.forRoot({ ends: {} }).');
    return ends.on(listener);
  }

  #read<Attributes extends object>(token: string, isUse: boolean): Promise<SessionHandle<Attributes> | null> {
    const known = this.#runtime.tokens.find(token);
    return known === null ? Promise.resolve(null) : this.#runtime.find(known, isUse, handedOver(UNKNOWN_DEVICE));
  }
}

function readSummary([handle = '', meta = '', seenMs, device = '']: readonly string[]): SessionSummary {
  const { createdMs, deadlineMs } = readMeta(meta);
  return { handle, createdAtMs: createdMs, lastSeenMs: createdMs + Number(seenMs), deadlineMs, ...readDevice(device) };
}
