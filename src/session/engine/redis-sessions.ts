import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { ScriptSendOptions } from '../../core/scripts/script-transport.js';
import type { Clock } from '../../core/time/clock.js';
import { TurnBatcher } from '../../core/scripts/turn-batcher.js';
import type { KnownToken } from '../cookie/known-tokens.js';
import type { AttributeChanges } from '../session-attributes.js';
import type { LifetimeConfig, SessionConfig } from '../session-config.js';
import {
  sessionCreate,
  sessionDestroy,
  sessionList,
  sessionLoad,
  sessionRetire,
  sessionRotate,
  sessionSave,
} from '../session.scripts.gen.js';
import { FIELD, fieldOfName } from './session-fields.js';
import type { SessionKeySpace, SessionPlace } from './session-keys.js';
import { readRecord, type SessionRecord } from './session-record.js';
import { failOfSessions, SessionScripts } from './session-scripts.js';

/** What a session is made of. */
export interface NewSession {
  /** Empty for nobody. */
  readonly user: string;
  readonly lifetime: LifetimeConfig;
  /** What it is made from and by, as `Devices` puts it. */
  readonly device: string;
  readonly attributes: AttributeChanges;
  /** The digest of a session of the same user that it takes the place of, and that ends with it; empty for none. */
  readonly predecessor: string;
}

/** The digest of the id that a session has by now; empty where it has ended in favour of another, elsewhere. */
export interface Replaced {
  readonly successor: string;
}

/** What became of a write: it is made, perhaps under the new id that the session has been given; or there is no such session, where that id is empty too. */
export type WriteOutcome = 'done' | 'gone' | Replaced;

/** What became of a new id: it is given, and this is the time until the session's deadline; there is no such session; or it has been given another already. */
export type RotateOutcome = { readonly leftMs: number } | 'gone' | Replaced;

/** Why a session ends by a call. The scripts know the letters. */
export const END_LETTER = { destroyed: 'd', revoked: 'r' } as const;

/** For so long after two reads were under way at once, more are expected to be. */
const CROWDED_MS = 100;

class Loading {
  constructor(
    readonly token: KnownToken,
    readonly idleMs: number,
    readonly resolve: (record: SessionRecord | null) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

/** Sessions in Redis. Each method is one round trip, and reads of one turn of the event loop share theirs where they lie in one slot. */
export class RedisSessions {
  readonly #send: ScriptSendOptions;
  readonly #scripts: SessionScripts;
  readonly #batcher: TurnBatcher<Loading>;
  readonly #tells: number;
  /** Commands that read sessions. */
  #underWay = 0;
  /** Until then reads are taken to come several at once: one that left alone would make two turns of the event loop of one. */
  #crowdedUntilMs = 0;

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: SessionKeySpace,
    private readonly clock: Clock,
    private readonly config: Pick<SessionConfig, 'idleMs' | 'graceMs' | 'most' | 'evicts' | 'ends' | 'deadlineMs'>,
  ) {
    this.#send = { deadlineMs: config.deadlineMs };
    this.#scripts = new SessionScripts(connection.scripts);
    this.#tells = config.ends === null ? 0 : 1;
    this.#batcher = new TurnBatcher<Loading>(
      ({ token }) => connection.groupOf(token.place.key),
      (loadings) => this.#load(loadings),
    );
  }

  /** How many a user may have; 0 for any number. */
  get most(): number {
    return this.config.most;
  }

  /**
   * Null when there is none. Unless it is only looked at, its end is put off, once a tenth of its idle timeout is over. Until then a read that is alone is the
   * server's own `HGETALL`, which is the quickest; where several are under way at once, those of one turn of the event loop leave as one.
   */
  load(token: KnownToken, isUse: boolean): Promise<SessionRecord | null> {
    const nowMs = this.clock.monotonicMs();
    const idleMs = isUse && nowMs >= token.freshUntilMs ? this.config.idleMs : 0;
    if (this.#underWay > 0) this.#crowdedUntilMs = nowMs + CROWDED_MS;
    if (idleMs > 0 || nowMs < this.#crowdedUntilMs) {
      return new Promise((resolve, reject) => this.#batcher.add(new Loading(token, idleMs, resolve, reject)));
    }
    this.#underWay += 1;
    return this.connection.send('HGETALL', [token.place.key], this.#send).then(
      (reply) => {
        this.#underWay -= 1;
        return readRecord(reply as readonly Buffer[]);
      },
      (error: unknown) => {
        this.#underWay -= 1;
        return failOfSessions(error);
      },
    );
  }

  /** The time at which it was made, 0 when the user has too many; and how many were ended for it. */
  create(
    { digest, key, slot, tag }: SessionPlace,
    { user, lifetime, device, attributes, predecessor }: NewSession,
  ): Promise<readonly [createdMs: number, evicted: number]> {
    const { idleMs, lifeMs } = lifetime;
    const words: string[] = [];
    if (device !== '') words.push(FIELD.device, device);
    for (const [name, json] of attributes.set) words.push(fieldOfName(name), json);
    return this.#scripts.run(
      sessionCreate,
      { session: key, index: this.keys.index(tag, user), deadlines: slot.deadlines, ended: slot.ended },
      {
        sessions: slot.sessions,
        id: digest,
        user,
        idleMs,
        lifeMs,
        most: this.config.most,
        evicts: this.config.evicts ? 1 : 0,
        tells: this.#tells,
        ownIdle: idleMs === this.config.idleMs ? '' : String(idleMs),
        before: predecessor,
        words,
      },
      this.#send,
    );
  }

  async save({ key }: SessionPlace, { removed, set }: AttributeChanges): Promise<WriteOutcome> {
    const words = removed.map(fieldOfName);
    for (const [name, json] of set) words.push(fieldOfName(name), json);
    const args = { removed: removed.length, words };
    const reply = await this.#scripts.run(sessionSave, { session: key }, args, this.#send);
    if (typeof reply !== 'number') return { successor: reply[0] ?? '' };
    return reply === 1 ? 'done' : 'gone';
  }

  /** Moves it to another digest of its slot. */
  async rotate({ digest, key, slot, tag }: SessionPlace, next: SessionPlace, user: string): Promise<RotateOutcome> {
    const reply = await this.#scripts.run(
      sessionRotate,
      { session: key, successor: next.key, index: this.keys.index(tag, user), deadlines: slot.deadlines },
      { id: digest, nextId: next.digest, user, graceMs: this.config.graceMs, tells: this.#tells },
      this.#send,
    );
    if (typeof reply !== 'number') return { successor: reply[0] ?? '' };
    return reply === 0 ? 'gone' : { leftMs: reply };
  }

  /** Ends it in favour of another, and says what it was. Null when there is none. With a grace, it can be read for a while. */
  async retire(
    { digest, key, slot, tag }: SessionPlace,
    user: string,
    hasGrace: boolean,
  ): Promise<SessionRecord | null> {
    return readRecord(
      await this.#scripts.run(
        sessionRetire,
        { session: key, index: this.keys.index(tag, user), deadlines: slot.deadlines, ended: slot.ended },
        { id: digest, user, graceMs: hasGrace ? this.config.graceMs : 0, tells: this.#tells },
        this.#send,
      ),
    );
  }

  /** Ends one, whatever id it has by now; `origin` is the digest of the first one. Resolves with how many have ended, 0 or 1. */
  destroy({ digest, slot, tag }: SessionPlace, user: string, origin: string): Promise<number> {
    return this.#destroy(tag, slot, user, { reason: 'destroyed', except: '', origin, isListed: 0, ids: [digest] });
  }

  /** Ends one if it is the user's. Resolves with how many have ended, 0 or 1. */
  revoke(tag: string, user: string, digest: string): Promise<number> {
    const slot = this.keys.slot(tag);
    return this.#destroy(tag, slot, user, { reason: 'revoked', except: '', origin: '', isListed: 1, ids: [digest] });
  }

  /** Ends all of a user, but for one. Resolves with how many have ended. */
  revokeAll(tag: string, user: string, except = ''): Promise<number> {
    const slot = this.keys.slot(tag);
    return this.#destroy(tag, slot, user, { reason: 'revoked', except, origin: '', isListed: 1, ids: [] });
  }

  list(tag: string, user: string): Promise<readonly (readonly string[])[]> {
    const args = { sessions: this.keys.slot(tag).sessions };
    return this.#scripts.run(sessionList, { index: this.keys.index(tag, user) }, args, this.#send);
  }

  #destroy(
    tag: string,
    { sessions, deadlines, ended }: SessionPlace['slot'],
    user: string,
    what: {
      readonly reason: keyof typeof END_LETTER;
      readonly except: string;
      readonly origin: string;
      readonly isListed: number;
      readonly ids: readonly string[];
    },
  ): Promise<number> {
    return this.#scripts.run(
      sessionDestroy,
      { index: this.keys.index(tag, user), deadlines, ended },
      { sessions, user, ...what, reason: END_LETTER[what.reason], tells: this.#tells },
      this.#send,
    );
  }

  #load(loadings: readonly Loading[]): void {
    const sessions = loadings.map(({ token }) => token.place.key);
    const idleMs = loadings.map((loading) => loading.idleMs);
    this.#underWay += 1;
    this.#scripts.run(sessionLoad, { sessions }, { idleMs }, this.#send).then(
      (replies) => {
        this.#underWay -= 1;
        const nowMs = this.clock.monotonicMs();
        for (let at = 0; at < loadings.length; at++) {
          const { token, resolve } = loadings[at] as Loading;
          const record = readRecord(replies[at] ?? []);
          if (record?.leftMs !== undefined) token.freshUntilMs = nowMs + freshMs(record, this.config.idleMs);
          resolve(record);
        }
      },
      (error: unknown) => {
        this.#underWay -= 1;
        for (const { reject } of loadings) reject(error);
      },
    );
  }
}

/** For how long the end of a session need not be put off. */
function freshMs({ leftMs = 0, meta, successor }: SessionRecord, defaultMs: number): number {
  const ownMs = meta.idleMs ?? defaultMs;
  // One that was replaced is never put off.
  return successor === undefined ? Math.max(0, leftMs - 0.9 * ownMs) : leftMs;
}
