import { nameOfField } from './session-fields.js';

/** What a session's hash holds, besides what applications put there. */
export interface SessionRecord {
  readonly createdMs: number;
  readonly deadlineMs: number;
  /** Empty for nobody. */
  readonly user: string;
  /** Its own idle timeout, or undefined where it is the module's. */
  readonly idleMs: number | undefined;
  /** The digest of the session that has come after it; empty when that is another's. Undefined: it is the one. */
  readonly successor: string | undefined;
  /** What it has left of its time. Undefined where that was not asked. */
  readonly leftMs: number | undefined;
  readonly attributes: Map<string, Buffer>;
}

const HASH = 35;
/** The second character of the module's own fields, as `FIELD` has them. */
const CREATED = 99;
const DEADLINE = 100;
const IDLE = 108;
const SUCCESSOR = 110;
const USER = 117;

/** Reads fields and their values; with an odd number of them, the last is the time that is left. Null when there are none. This is under every request. */
export function readRecord(fields: readonly Buffer[]): SessionRecord | null {
  if (fields.length < 2) return null;
  const attributes = new Map<string, Buffer>();
  let createdMs = 0;
  let deadlineMs = 0;
  let user = '';
  let idleMs: number | undefined;
  let successor: string | undefined;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at] as Buffer;
    const value = fields[at + 1] as Buffer;
    if (field[0] !== HASH || field[1] === HASH) {
      attributes.set(nameOfField(field), value);
      continue;
    }
    if (field[1] === CREATED) createdMs = numberOf(value);
    else if (field[1] === DEADLINE) deadlineMs = numberOf(value);
    else if (field[1] === USER) user = value.toString();
    else if (field[1] === IDLE) idleMs = numberOf(value);
    else if (field[1] === SUCCESSOR) successor = value.toString();
  }
  const leftMs = fields.length % 2 === 1 ? numberOf(fields[fields.length - 1] as Buffer) : undefined;
  return { createdMs, deadlineMs, user, idleMs, successor, leftMs, attributes };
}

/** Of decimal digits. Making text of them first costs more than all the rest. */
function numberOf(digits: Buffer): number {
  let value = 0;
  for (let at = 0; at < digits.length; at++) value = value * 10 + (digits[at] as number) - 48;
  return value;
}
