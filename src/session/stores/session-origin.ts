import type { AttributeChanges } from '../session-attributes.js';

/** The session in Redis that an object was read from, or was written as, and what that one held then. */
export class SessionOrigin {
  constructor(
    readonly key: string,
    /** Which session it is: one that is made under the same key after it has another. */
    readonly birth: string,
    /** How its cookie was set up, in JSON; empty without a cookie. */
    readonly cookie: string,
    /** Names, and values in JSON. */
    readonly attributes: ReadonlyMap<string, string>,
  ) {}

  /** What has become different from it. */
  changesTo(attributes: ReadonlyMap<string, string>): AttributeChanges {
    return {
      removed: [...this.attributes.keys()].filter((name) => !attributes.has(name)),
      set: [...attributes].filter(([name, json]) => this.attributes.get(name) !== json),
    };
  }

  /** Without the attributes that a library did not take over into the object that it made: nobody has taken those out. */
  asTakenOverBy(session: object): SessionOrigin {
    const taken = [...this.attributes].filter(([name]) => Object.hasOwn(session, name));
    return new SessionOrigin(this.key, this.birth, this.cookie, new Map(taken));
  }
}
