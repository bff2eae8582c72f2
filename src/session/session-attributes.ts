import { jsonCodec } from '../core/codec/json.codec.js';
import { SessionUsageError } from './session.errors.js';

/** What has changed since the session was read. */
export interface AttributeChanges {
  readonly removed: readonly string[];
  /** Names, and values in JSON. */
  readonly set: readonly (readonly [name: string, json: string])[];
}

/** Names that lead to the prototype of whatever object they are copied to. */
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const LONGEST_NAME = 200;
const MOST_ATTRIBUTES = 1_000;

/** What a request has done with an attribute. */
class Touched {
  constructor(
    /** What was read and not set may have been changed within; what was taken out may be about to be stored by a write under way, be it stored or not. */
    readonly how: 'read' | 'set' | 'removed',
    /** Undefined for what was taken out. */
    readonly value: unknown,
  ) {}
}

const REMOVED = new Touched('removed', undefined);

/** What one request sees of a session's attributes: what was stored, read when it is asked for, and what it has changed since. */
export class SessionAttributesView {
  #stored: Map<string, Buffer>;
  /** One map and no more, since each request makes one. */
  readonly #touched = new Map<string, Touched>();

  constructor(stored: Map<string, Buffer>) {
    this.#stored = stored;
  }

  get(name: string): unknown {
    const touched = this.#touched.get(name);
    if (touched !== undefined) return touched.value;
    const bytes = this.#stored.get(name);
    if (bytes === undefined) return undefined;
    const value = jsonCodec.decode(bytes);
    // An object may be changed by the caller: it is compared in the end. Anything else cannot be.
    if (typeof value === 'object' && value !== null) this.#touched.set(name, new Touched('read', value));
    return value;
  }

  has(name: string): boolean {
    const touched = this.#touched.get(name);
    return touched === undefined ? this.#stored.has(name) : touched.how !== 'removed';
  }

  set(name: string, value: unknown): void {
    if (value === undefined) {
      this.delete(name);
      return;
    }
    checkName(name);
    // What cannot be kept is refused here, where it comes from, and not at the end of the request.
    jsonCodec.encode(value);
    if (this.#stored.size + this.#touched.size >= MOST_ATTRIBUTES && !this.has(name)) this.#checkRoom();
    this.#touched.set(name, new Touched('set', value));
  }

  delete(name: string): boolean {
    const had = this.has(name);
    this.#touched.set(name, REMOVED);
    return had;
  }

  names(): string[] {
    return [...new Set([...this.#stored.keys(), ...this.#touched.keys()])].filter((name) => this.has(name));
  }

  /** Values that were handed out are compared with what was stored: an object may have been changed within. Null when nothing has. */
  changes(): AttributeChanges | null {
    if (this.#touched.size === 0) return null;
    const set: [string, string][] = [];
    const removed: string[] = [];
    for (const [name, { how, value }] of this.#touched) {
      if (how === 'removed') {
        if (this.#stored.has(name)) removed.push(name);
        continue;
      }
      const json = jsonCodec.encode(value).toString();
      if (!isEqual(this.#stored.get(name), json)) set.push([name, json]);
    }
    return set.length === 0 && removed.length === 0 ? null : { removed, set };
  }

  /** What was written is what is stored. What was changed here since is still to be written. */
  commit({ removed, set }: AttributeChanges): void {
    for (const name of removed) this.#stored.delete(name);
    for (const [name, json] of set) this.#stored.set(name, Buffer.from(json));
  }

  /** All of them as they are now, on those that are stored elsewhere. */
  over(stored: ReadonlyMap<string, Buffer>): AttributeChanges {
    const all = new Map([...stored].map(([name, bytes]) => [name, bytes.toString()]));
    const changes = this.changes();
    for (const name of changes?.removed ?? []) all.delete(name);
    for (const [name, json] of changes?.set ?? []) all.set(name, json);
    return { removed: [], set: [...all] };
  }

  /** Those that were set here and are not stored yet, and nothing that was read: not even what was changed within. */
  own(): AttributeChanges {
    return {
      removed: [],
      set: (this.changes()?.set ?? []).filter(([name]) => this.#touched.get(name)?.how !== 'read'),
    };
  }

  /** They are stored elsewhere from now on, and nothing else of what was stored or read is. Values that were handed out stay what they are. */
  moveTo({ set }: AttributeChanges): void {
    const before = this.#stored;
    this.#stored = new Map(set.map(([name, json]) => [name, Buffer.from(json)]));
    for (const [name, { how, value }] of this.#touched) {
      if (this.#stored.has(name) || how === 'removed') continue;
      if (how === 'set' && !isEqual(before.get(name), jsonCodec.encode(value).toString())) continue;
      this.#touched.delete(name);
    }
  }

  /** Takes over what others have stored meanwhile, but for what was changed here. */
  takeOver(
    stored: ReadonlyMap<string, Buffer>,
    since: ReadonlyMap<string, Buffer>,
    changed: AttributeChanges | null,
  ): void {
    const own = new Set([...(changed?.removed ?? []), ...(changed?.set ?? []).map(([name]) => name)]);
    for (const name of new Set([...stored.keys(), ...since.keys()])) {
      const bytes = stored.get(name);
      if (own.has(name) || bytes?.toString() === since.get(name)?.toString()) continue;
      if (bytes === undefined) this.delete(name);
      else this.set(name, jsonCodec.decode(bytes));
    }
  }

  /** What is stored, as far as it is known. */
  known(): ReadonlyMap<string, Buffer> {
    return new Map(this.#stored);
  }

  #checkRoom(): void {
    if (this.names().length < MOST_ATTRIBUTES) return;
    throw new SessionUsageError(`A session holds ${MOST_ATTRIBUTES} attributes at most.`);
  }
}

/** @throws {SessionUsageError} for what no attribute can be called */
function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) {
    throw new SessionUsageError(`The name of an attribute must be a text of 1 to ${LONGEST_NAME} characters.`);
  }
  if (FORBIDDEN.has(name)) throw new SessionUsageError(`No attribute can be called '${name}'.`);
}

function isEqual(stored: Buffer | undefined, json: string): boolean {
  return stored !== undefined && stored.toString() === json;
}
