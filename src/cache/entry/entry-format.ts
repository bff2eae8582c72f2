import type { Codec } from '../../core/codec/codec.js';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { compress, decompress } from './compression.js';
import { ID_LENGTH } from './entry-id.js';
import { readSevenBit, writeSevenBit } from './seven-bit.js';

/*
 * What lies under an entry's key begins with a byte that says what it is. All bytes before the payload are below 128 or UTF-8, so that an
 * entry with a payload of text is text.
 *
 *   value    2, codec, id of this version (10), flags, end of freshness (6), stored at (6), load time (3), length of tags (2), tags, payload
 *   lease    3, id of the lease (10), '0', or '1' when somebody waits for it
 *   failure  4, id (10), end of the backoff (6)
 *
 * Times are milliseconds since the epoch. A process that finds another layout treats the entry as absent, and may replace it.
 */
const VALUE = 2;
/** The first byte of a lease. */
export const LEASE = 3;
const FAILURE = 4;

/** The first bytes of an entry, by which a refresh knows it again: what it is, and which version. */
export const HEAD_LENGTH = 2 + ID_LENGTH;

const FLAGS_AT = HEAD_LENGTH;
const FRESH_UNTIL_AT = FLAGS_AT + 1;
const STORED_AT = FRESH_UNTIL_AT + 6;
const LOAD_MS_AT = STORED_AT + 6;
const TAGS_LENGTH_AT = LOAD_MS_AT + 3;
const TAGS_AT = TAGS_LENGTH_AT + 2;
const COMPRESSED = 1;
const PROLONGED = 2;

/** More than that is refused, since every entry carries its tags. */
const MOST_TAG_BYTES = 128 ** 2 - 1;

/** What a tag takes beside its name: its token of up to 17 characters, and two spaces. */
const TAG_OVERHEAD_BYTES = 19;

/** One of an entry's tags, with the token that it had before the value was loaded. */
export class TagToken {
  constructor(
    /** As it stands in keys. */
    readonly tag: string,
    readonly token: string,
  ) {}
}

/** What an entry says about its value. */
export interface EntryFacts {
  readonly freshUntilMs: number;
  readonly storedAtMs: number;
  /** How long the value took to load. */
  readonly loadMs: number;
  readonly tags: readonly TagToken[];
}

/** What was found under a key. */
export type HeldEntry =
  | StoredValue
  | { readonly kind: 'lease'; readonly id: string }
  | { readonly kind: 'failure'; readonly id: string; readonly untilMs: number }
  /** Of another layout or codec. */
  | { readonly kind: 'unreadable'; readonly head: Buffer };

/** A value as it was found: read as far as is needed to judge it. */
export class StoredValue implements EntryFacts {
  readonly kind = 'value';
  readonly freshUntilMs: number;
  /** Kept beyond its time because the loader failed. */
  readonly isProlonged: boolean;
  #tags: readonly TagToken[] | undefined;

  constructor(readonly bytes: Buffer) {
    this.isProlonged = ((bytes[FLAGS_AT] ?? 0) & PROLONGED) !== 0;
    this.freshUntilMs = readSevenBit(bytes, FRESH_UNTIL_AT, 6);
  }

  /** Of this version: the id of the lease that it was loaded under, if it was. */
  get id(): string {
    return this.bytes.toString('latin1', 2, HEAD_LENGTH);
  }

  get storedAtMs(): number {
    return readSevenBit(this.bytes, STORED_AT, 6);
  }

  get loadMs(): number {
    return readSevenBit(this.bytes, LOAD_MS_AT, 3);
  }

  get tags(): readonly TagToken[] {
    this.#tags ??= readTags(this.bytes);
    return this.#tags;
  }

  /** By which a refresh knows it again. */
  get head(): string {
    return this.bytes.toString('latin1', 0, HEAD_LENGTH);
  }

  /** The same in memory of its own, with or without the payload: `bytes` are as a rule part of a larger network buffer. */
  detached(withPayload: boolean): StoredValue {
    const length = withPayload ? this.bytes.length : TAGS_AT + readSevenBit(this.bytes, TAGS_LENGTH_AT, 2);
    const own = new StoredValue(Buffer.from(this.bytes.subarray(0, length)));
    own.#tags = this.#tags;
    return own;
  }

  /** The new flags and end of freshness for this entry when it has to serve longer. */
  prolongedUntil(untilMs: number): string {
    const flags = (this.bytes[FLAGS_AT] ?? 0) | PROLONGED;
    return String.fromCharCode(flags) + writeSevenBit(untilMs, 6);
  }

  /** A copy of the caller's own. Throws `DecodeError`. */
  decode(codec: Codec): unknown {
    const at = TAGS_AT + readSevenBit(this.bytes, TAGS_LENGTH_AT, 2);
    const payload = this.bytes.subarray(at);
    const isCompressed = ((this.bytes[FLAGS_AT] ?? 0) & COMPRESSED) !== 0;
    return codec.decode(isCompressed ? decompress(payload) : payload);
  }
}

/** An encoded value, not yet an entry: it becomes one when its tags are known. */
export class Payload {
  constructor(
    readonly bytes: string | Buffer,
    readonly isCompressed: boolean,
  ) {}
}

/** Throws `EncodeError` for a value that the codec cannot keep. `compressAbove` is in bytes. */
export function encodePayload(codec: Codec, value: unknown, compressAbove: number): Payload {
  const bytes = codec.encode(value);
  const compressed = bytes.length > compressAbove ? compress(bytes) : null;
  return new Payload(compressed ?? bytes, compressed !== null);
}

/** A copy of the value, of the caller's own. */
export function decodePayload(codec: Codec, { bytes, isCompressed }: Payload): unknown {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return codec.decode(isCompressed ? decompress(buffer) : buffer);
}

/** Throws `ConfigurationError` for more tags, as they stand in entries, than one entry can carry. */
export function checkTagsFit(tags: readonly string[]): void {
  let bytes = 0;
  for (const tag of tags) bytes += Buffer.byteLength(tag) + TAG_OVERHEAD_BYTES;
  if (bytes <= MOST_TAG_BYTES) return;
  throw new ConfigurationError(
    `The ${tags.length} tags of an entry take ${bytes} bytes, and it carries ${MOST_TAG_BYTES} at most. Give it fewer tags, or use a segment.`,
  );
}

/** The bytes of an entry; `id` names this version of it. */
export function writeValue(codec: Codec, id: string, payload: Payload, facts: EntryFacts): string | Buffer {
  const tags = facts.tags.map(({ tag, token }) => `${tag} ${token}`).join(' ');
  const header =
    String.fromCharCode(VALUE, codec.id) +
    id +
    String.fromCharCode(payload.isCompressed ? COMPRESSED : 0) +
    writeSevenBit(facts.freshUntilMs, 6) +
    writeSevenBit(facts.storedAtMs, 6) +
    writeSevenBit(facts.loadMs, 3) +
    writeSevenBit(Buffer.byteLength(tags), 2) +
    tags;
  const { bytes } = payload;
  return typeof bytes === 'string' ? header + bytes : Buffer.concat([Buffer.from(header), bytes]);
}

/** The lease under `id`, as it is taken. */
export function writeLease(id: string): string {
  return `${String.fromCharCode(LEASE)}${id}0`;
}

/** Says that a load failed, and until when it should not be tried again. */
export function writeFailure(id: string, untilMs: number): string {
  return String.fromCharCode(FAILURE) + id + writeSevenBit(untilMs, 6);
}

/** What lies under a key. Never throws for what the bytes hold. */
export function readHeld(codec: Codec, bytes: Buffer): HeldEntry {
  const kind = bytes[0];
  if (kind === VALUE && bytes[1] === codec.id && bytes.length >= TAGS_AT) return new StoredValue(bytes);
  if (kind === LEASE && bytes.length === ID_LENGTH + 2) {
    return { kind: 'lease', id: bytes.toString('latin1', 1, 1 + ID_LENGTH) };
  }
  if (kind === FAILURE && bytes.length === ID_LENGTH + 7) {
    const untilMs = readSevenBit(bytes, 1 + ID_LENGTH, 6);
    return { kind: 'failure', id: bytes.toString('latin1', 1, 1 + ID_LENGTH), untilMs };
  }
  // A copy, since the rest of the network buffer is not needed; bytes, since they need not be UTF-8.
  return { kind: 'unreadable', head: Buffer.from(bytes.subarray(0, HEAD_LENGTH)) };
}

const NO_TAGS: readonly TagToken[] = [];

function readTags(bytes: Buffer): readonly TagToken[] {
  const length = readSevenBit(bytes, TAGS_LENGTH_AT, 2);
  if (length === 0) return NO_TAGS;
  const words = bytes.toString('utf8', TAGS_AT, TAGS_AT + length).split(' ');
  const tags: TagToken[] = [];
  for (let i = 0; i + 1 < words.length; i += 2) tags.push(new TagToken(words[i] as string, words[i + 1] as string));
  return tags;
}
