import { FIELD, nameOfField } from './session-fields.js';

/** What a session's hash holds, besides what applications put there. */
export interface SessionRecord {
  readonly createdMs: number;
  readonly deadlineMs: number;
  readonly seenMs: number;
  /** Empty for nobody. */
  readonly user: string;
  /** The digest of the session that has come after it; empty when that is another's. Undefined: it is the one. */
  readonly successor: string | undefined;
  /** What it has left of its time, when it was read. Undefined where that was not asked. */
  readonly leftMs: number | undefined;
  readonly attributes: Map<string, Buffer>;
}

const HASH = 35;

/** Reads fields and their values; with an odd number of them, the last is the time that is left. Null when there are none. */
export function readRecord(fields: readonly Buffer[]): SessionRecord | null {
  if (fields.length < 2) return null;
  const attributes = new Map<string, Buffer>();
  let createdMs = 0;
  let deadlineMs = 0;
  let seenMs = 0;
  let user = '';
  let successor: string | undefined;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at] as Buffer;
    const value = fields[at + 1] as Buffer;
    if (field[0] !== HASH || field[1] === HASH) {
      attributes.set(nameOfField(field), value);
      continue;
    }
    switch (field.toString('latin1')) {
      case FIELD.created:
        createdMs = numberOf(value);
        break;
      case FIELD.deadline:
        deadlineMs = numberOf(value);
        break;
      case FIELD.seen:
        seenMs = numberOf(value);
        break;
      case FIELD.user:
        user = value.toString();
        break;
      case FIELD.successor:
        successor = value.toString();
        break;
    }
  }
  const leftMs = fields.length % 2 === 1 ? numberOf(fields.at(-1) as Buffer) : undefined;
  return { createdMs, deadlineMs, seenMs, user, successor, leftMs, attributes };
}

function numberOf(value: Buffer): number {
  return Number(value.toString('latin1'));
}
