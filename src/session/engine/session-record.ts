import { nameOfField, readMeta, type SessionMeta } from './session-fields.js';

/** What a session's hash holds. */
export class SessionRecord {
  #meta: SessionMeta | undefined;

  constructor(
    private readonly metaText: Buffer,
    /** The digest of the session that has come after it; empty when that is another's. Undefined: it is the one. */
    readonly successor: string | undefined,
    /** The digest of the first id that it had. Undefined: it has no other. */
    readonly origin: string | undefined,
    /** What it has left of its time. Undefined where that was not asked. */
    readonly leftMs: number | undefined,
    readonly attributes: Map<string, Buffer>,
  ) {}

  /** Read when it is asked for, which many requests do not. */
  get meta(): SessionMeta {
    return (this.#meta ??= readMeta(this.metaText.toString()));
  }
}

const HASH = 35;
/** The second character of `#n`. */
const SUCCESSOR = 110;
/** The second character of `#o`. */
const ORIGIN = 111;

/** Reads fields and their values; with an odd number of them, the last is the time that is left. Null when there are none. This is under every request. */
export function readRecord(fields: readonly Buffer[]): SessionRecord | null {
  const attributes = new Map<string, Buffer>();
  let meta: Buffer | undefined;
  let successor: string | undefined;
  let origin: string | undefined;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at] as Buffer;
    const value = fields[at + 1] as Buffer;
    if (field[0] !== HASH || field[1] === HASH) attributes.set(nameOfField(field), value);
    else if (field.length === 1) meta = value;
    else if (field[1] === SUCCESSOR) successor = value.toString();
    else if (field[1] === ORIGIN) origin = value.toString();
  }
  if (meta === undefined) return null;
  const leftMs = fields.length % 2 === 1 ? Number((fields[fields.length - 1] as Buffer).toString()) : undefined;
  return new SessionRecord(meta, successor, origin, leftMs, attributes);
}
