import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { KeySpace } from '../../core/keys/key-space.js';
import { digestOfId } from './session-id.js';

/** What all sessions of a slot have in common. */
export interface SlotKeys {
  /** What their keys begin with: a digest follows. */
  readonly sessions: string;
  readonly deadlines: string;
  readonly ended: string;
}

/** Where one session lies. */
export class SessionPlace {
  readonly key: string;

  constructor(
    readonly tag: string,
    readonly slot: SlotKeys,
    readonly digest: string,
  ) {
    this.key = slot.sessions + digest;
  }
}

/** Names the keys of sessions: `<prefix>:session:{<slot tag>}:s<digest>` and the lists beside them. */
export class SessionKeySpace {
  readonly #space: KeySpace;
  readonly #slots = new Map<string, SlotKeys>();

  constructor({ keyPrefix }: Pick<RedisConnection, 'keyPrefix'>) {
    this.#space = new KeySpace(keyPrefix, 'session');
  }

  /** Where the session of an id lies. The id is one that was made or verified here. */
  placeOf(id: string): SessionPlace {
    return this.place(id.slice(0, 2), digestOfId(id));
  }

  place(tag: string, digest: string): SessionPlace {
    return new SessionPlace(tag, this.slot(tag), digest);
  }

  slot(tag: string): SlotKeys {
    let keys = this.#slots.get(tag);
    if (keys === undefined) {
      keys = {
        sessions: this.#space.key(tag, 's'),
        deadlines: this.#space.key(tag, 'deadlines'),
        ended: this.#space.key(tag, 'ended'),
      };
      this.#slots.set(tag, keys);
    }
    return keys;
  }

  /** The list of a user's sessions, in the slot where they lie. */
  index(tag: string, user: string): string {
    return this.#space.key(tag, 'user', user);
  }

  /** What SCAN finds every key by. */
  pattern(): string {
    return this.#space.pattern();
  }

  /** Whether a key that was scanned holds a session. */
  isSession(key: string): boolean {
    return key.slice(this.#space.prefix.length + 4).startsWith(':s');
  }

  /** Whether a key that was scanned keeps ends that are still to be told. */
  isOfEnds(key: string): boolean {
    return key.endsWith('}:deadlines') || key.endsWith('}:ended');
  }
}
