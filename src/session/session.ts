import { SessionAttributesView, type AttributeChanges } from './session-attributes.js';
import { resolveLifetime, type LifetimeConfig } from './session-config.js';
import type { SessionCounters } from './session-counters.js';
import { SessionEndedError, SessionUsageError, TooManySessionsError } from './session.errors.js';
import type { SessionLifetime } from './session.options.js';
import type { Replaced, RedisSessions } from './engine/redis-sessions.js';
import { newSessionId } from './engine/session-id.js';
import type { SessionKeySpace, SessionPlace } from './engine/session-keys.js';
import type { SessionRecord } from './engine/session-record.js';

/** Attributes of any name, for an application that does not say which it has. */
export type AnyAttributes = Readonly<Record<string, unknown>>;

/** What an attribute can be called: any text, or what the application says. */
export type AttributeName<Attributes extends object> = keyof Attributes & string;

/** How a login begins a session. */
export type LoginOptions = SessionLifetime;

/** The way back to the client. */
export interface SessionCarrier {
  /** What it comes from and with, as `Devices` puts it. */
  readonly device: string;
  /** Whether an id can still be given to the client. */
  readonly isOpen: boolean;
  /** From now on there may be something to save. */
  mayChange(session: Pick<SessionHandle, 'isNew' | 'hasChanged' | 'save'>): void;
  /** Gives the client an id. */
  issue(id: string, lifeMs: number): void;
  /** Has the client forget its id, if it has one and can still be told. */
  withdraw(): void;
}

/** What sessions stand on. */
export interface SessionParts {
  readonly redis: RedisSessions;
  readonly keys: SessionKeySpace;
  readonly config: LifetimeConfig;
  readonly counters: SessionCounters;
}

/** A session that lies in Redis. */
export class StoredSession {
  constructor(
    readonly place: SessionPlace,
    /** Null where another request has just replaced it. */
    readonly id: string | null,
    readonly record: Pick<SessionRecord, 'meta'>,
    /** The digest of the first id that it had. */
    readonly origin: string,
  ) {}
}

const LONGEST_USER = 200;

/**
 * One client's session, as one request sees it.
 *
 * - Attributes are read and written here, and saved by the request's end; a save writes what has changed and nothing else, so requests that change
 *   different attributes at once lose nothing.
 * - What has ended is not brought back: a save that comes late writes nothing.
 * - Nothing is stored, and no cookie set, until there is an attribute or a login.
 *
 * Calls that write are carried out one after the other, also when nobody waits for them: two saves at once of what is new make one session.
 *
 * Attributes are JSON: what `JSON.stringify` leaves out is left out. The application says once what there is, `type ShopSession = Session<{ cart: CartLine[] }>`,
 * and names and values are checked.
 */
export class SessionHandle<Attributes extends object = AnyAttributes> {
  readonly #parts: SessionParts;
  readonly #carrier: SessionCarrier;
  #stored: StoredSession | null;
  #attributes: SessionAttributesView;
  /** What is to be done before the next thing is. */
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(
    parts: SessionParts,
    carrier: SessionCarrier,
    stored: StoredSession | null,
    attributes: SessionRecord['attributes'],
  ) {
    this.#parts = parts;
    this.#carrier = carrier;
    this.#stored = stored;
    this.#attributes = new SessionAttributesView(attributes);
  }

  /** Whether there is nothing of it in Redis yet. */
  get isNew(): boolean {
    return this.#stored === null;
  }

  /** Who is logged in, as it was given to {@link logIn}; null for nobody. */
  get userId(): string | null {
    const user = this.#stored?.record.meta.user ?? '';
    return user === '' ? null : user;
  }

  /** Names it where people see it, such as in a list of devices. It cannot be used to come with. Null while it is new. */
  get handle(): string | null {
    return this.#stored?.place.digest ?? null;
  }

  /**
   * The secret by which the client comes again; its cookie holds it, signed. Whoever knows it is the client: it belongs in no log. Null while the session is new,
   * and where another request has just replaced it.
   */
  get id(): string | null {
    return this.#stored?.id ?? null;
  }

  /** When it was made: for somebody who is logged in, the time of the login. Milliseconds since the epoch, by the server's clock; null while it is new. */
  get createdAtMs(): number | null {
    return this.#stored?.record.meta.createdMs ?? null;
  }

  /** When it ends at the latest. Milliseconds since the epoch, by the server's clock; null while it is new. */
  get deadlineMs(): number | null {
    return this.#stored?.record.meta.deadlineMs ?? null;
  }

  /** An attribute, or undefined when there is none. An object may be changed in place. */
  get<Name extends AttributeName<Attributes>>(name: Name): Attributes[Name] | undefined {
    const value = this.#attributes.get(name);
    if (typeof value === 'object') this.#carrier.mayChange(this);
    return value as Attributes[Name] | undefined;
  }

  has(name: AttributeName<Attributes>): boolean {
    return this.#attributes.has(name);
  }

  /**
   * Sets an attribute; `undefined` takes it out.
   *
   * @throws {SessionUsageError} for a name that no attribute can have
   * @throws {EncodeError} for a value that JSON has no form for
   */
  set<Name extends AttributeName<Attributes>>(name: Name, value: Attributes[Name] | undefined): this {
    this.#attributes.set(name, value);
    this.#carrier.mayChange(this);
    return this;
  }

  /** Takes an attribute out. Returns whether there was one. */
  delete(name: AttributeName<Attributes>): boolean {
    this.#carrier.mayChange(this);
    return this.#attributes.delete(name);
  }

  /** The names of its attributes. */
  names(): AttributeName<Attributes>[] {
    return this.#attributes.names() as AttributeName<Attributes>[];
  }

  /**
   * Writes what has changed, as the end of the request does by itself. Call it where others must see it before, or where the handler writes the answer itself.
   *
   * Rejects with `SessionEndedError` when the session has ended meanwhile, with `RedisUnavailableError`, and with `EncodeError` when an object was changed into what
   * JSON has no form for. One round trip, none when nothing has changed.
   */
  save(): Promise<void> {
    return this.#inTurn(() => this.#save());
  }

  async #save(): Promise<void> {
    const changes = this.#attributes.changes();
    if (changes === null) return;
    const { counters, redis } = this.#parts;
    const stored = this.#stored;
    if (stored === null) {
      await this.#create('', this.#parts.config, changes);
      return;
    }
    const outcome = await redis.save(stored.place, changes);
    if (outcome === 'gone') {
      counters.lateSaves += 1;
      throw new SessionEndedError();
    }
    if (outcome !== 'done') this.#follow(stored, outcome);
    this.#attributes.commit(changes);
    counters.saved += 1;
  }

  /** Whether there is something to {@link save}, or an object was changed into what cannot be. */
  get hasChanged(): boolean {
    try {
      return this.#attributes.changes() !== null;
    } catch {
      return true;
    }
  }

  /**
   * Logs a user in: a session with a new id and new lifetimes, so that whoever knew the id before does not come in with it. The attributes stay, unless
   * somebody else was logged in: then only what this request has given to {@link set} does, and no object that it has read.
   *
   * The id before is good for reading what was there before the login, during `rotationGrace`, unless it was somebody else's.
   *
   * Rejects with `TooManySessionsError`, and all is as it was; with `RedisUnavailableError`, and then the user may be logged in all the same, and the session before
   * may be there until its time is over. Two round trips, one where there was no session; three where others have written to it meanwhile.
   */
  async logIn(userId: string | number, options: LoginOptions = {}): Promise<void> {
    const user = checkUser(userId);
    return this.#inTurn(() => this.#logIn(user, options));
  }

  async #logIn(user: string, options: LoginOptions): Promise<void> {
    const { config, redis } = this.#parts;
    const lifetime = resolveLifetime(options, config, 'logIn');
    const before = this.#stored;
    const last = before?.record.meta.user ?? '';
    const stays = last === '' || last === user;
    const changes = this.#attributes.changes();
    const known = this.#attributes.known();
    const kept = stays ? this.#attributes.over(known) : this.#attributes.own();
    const predecessor = before !== null && last === user ? before.place.digest : '';
    await this.#create(user, lifetime, kept, predecessor);
    if (before === null) return;
    // Who has left the keyboard to somebody else leaves nothing to read.
    const retired = await redis.retire(before.place, last, stays);
    if (retired === null || !stays) return;
    // What other requests have written between this one's reading it and its end.
    this.#attributes.takeOver(retired.attributes, known, changes);
    await this.#save();
  }

  /** @internal Makes it, be there attributes or not. */
  async begin(userId: string | number | null, options: LoginOptions): Promise<void> {
    const lifetime = resolveLifetime(options, this.#parts.config, 'create');
    await this.#create(userId === null ? '' : checkUser(userId), lifetime, this.#attributes.own());
  }

  /**
   * Gives it a new id, and takes the old one's power away: for a change of what its user may do. The rest stays as it is. When another request has just done so,
   * that is enough.
   *
   * Rejects with `SessionEndedError`; and with `RedisUnavailableError`, and then it may have been given a new id that nobody knows: the old one ends with
   * `rotationGrace`. One round trip, none while it is new.
   */
  regenerate(): Promise<void> {
    return this.#inTurn(() => this.#regenerate());
  }

  async #regenerate(): Promise<void> {
    const stored = this.#stored;
    if (stored === null) return;
    this.#checkCarrier();
    const { keys, redis, counters } = this.#parts;
    const { record, place } = stored;
    // In the slot that it lies in, be that of its user or not.
    const id = place.tag + newSessionId(record.meta.user).slice(place.tag.length);
    const next = keys.placeOf(id);
    const outcome = await redis.rotate(place, next, record.meta.user);
    if (outcome === 'gone') throw new SessionEndedError();
    if ('successor' in outcome) {
      this.#follow(stored, outcome);
      return;
    }
    counters.rotated += 1;
    this.#stored = new StoredSession(next, id, record, stored.origin);
    this.#carrier.issue(id, outcome.leftMs);
  }

  /**
   * Ends it: a logout. Its id is good for nothing from then on, in no process, nor is one that another request has given it since, and the client is told to forget it.
   * What is set afterwards makes a new one.
   *
   * Where nobody is logged in, an id that another request has given it is found for as long as `rotationGrace` only.
   *
   * Rejects with `RedisUnavailableError`. One round trip, none while it is new.
   */
  destroy(): Promise<void> {
    return this.#inTurn(() => this.#destroy());
  }

  async #destroy(): Promise<void> {
    const stored = this.#stored;
    if (stored !== null) {
      const { counters, redis } = this.#parts;
      counters.destroyed += await redis.destroy(stored.place, stored.record.meta.user, stored.origin);
    }
    this.#stored = null;
    this.#attributes = new SessionAttributesView(new Map());
    this.#carrier.withdraw();
  }

  /** Nothing that is secret: for whoever logs it, or sends it, by mistake. */
  toJSON(): { readonly handle: string | null } {
    return { handle: this.handle };
  }

  async #create(user: string, lifetime: LifetimeConfig, attributes: AttributeChanges, predecessor = ''): Promise<void> {
    this.#checkCarrier();
    const { keys, redis, counters } = this.#parts;
    const id = newSessionId(user);
    const place = keys.placeOf(id);
    const made = { user, lifetime, device: this.#carrier.device, attributes, predecessor };
    const [createdMs, evicted] = await redis.create(place, made);
    if (createdMs === 0) {
      counters.refused += 1;
      throw new TooManySessionsError(redis.most);
    }
    counters.created += 1;
    counters.evicted += evicted;
    this.#attributes.moveTo(attributes);
    const meta = { createdMs, deadlineMs: createdMs + lifetime.lifeMs, idleMs: lifetime.idleMs, user };
    this.#stored = new StoredSession(place, id, { meta }, place.digest);
    this.#carrier.issue(id, lifetime.lifeMs);
  }

  /** @throws {SessionEndedError} where what has come after it is another's */
  #follow(stored: StoredSession, { successor }: Replaced): void {
    if (successor === '') {
      this.#parts.counters.lateSaves += 1;
      throw new SessionEndedError();
    }
    const { place, record, origin } = stored;
    this.#stored = new StoredSession(this.#parts.keys.place(place.tag, successor), null, record, origin);
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#last.then(action, action);
    this.#last = done;
    return done;
  }

  #checkCarrier(): void {
    if (this.#carrier.isOpen) return;
    throw new SessionUsageError(
      'No cookie can be set any more: the answer is on its way, or the call has none. Save, log in and regenerate before that.',
    );
  }
}

/** @throws {SessionUsageError} for what names nobody */
export function checkUser(userId: unknown): string {
  const user = typeof userId === 'number' && Number.isSafeInteger(userId) ? String(userId) : userId;
  if (typeof user === 'string' && user !== '' && user.length <= LONGEST_USER) return user;
  throw new SessionUsageError(`A user is named by a text of 1 to ${LONGEST_USER} characters, or by a whole number.`);
}
