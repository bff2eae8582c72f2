import type { Codec } from '../core/codec/codec.js';
import { DecodeError } from '../core/codec/codec.errors.js';

/** Layout of an entry: this byte, the codec's id, the payload. Another layout will get another byte, and old processes read it as absent. */
const LAYOUT = 1;
const HEADER_BYTES = 2;

/** What was found under a key. `unreadable` bytes may be replaced, by whoever passes them back. */
export type ReadEntry =
  | { readonly kind: 'hit'; readonly value: unknown }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly bytes: Buffer };

/** Throws `EncodeError` for a value that the codec cannot keep. */
export function writeEntry(codec: Codec, value: unknown): string | Buffer {
  const payload = codec.encode(value);
  const header = String.fromCharCode(LAYOUT, codec.id);
  return typeof payload === 'string' ? header + payload : Buffer.concat([Buffer.from(header), payload]);
}

/** Never throws for what the bytes hold: whatever this process cannot read is `unreadable`. */
export function readEntry(codec: Codec, bytes: Buffer | null): ReadEntry {
  if (bytes === null) return { kind: 'absent' };
  if (bytes[0] !== LAYOUT || bytes[1] !== codec.id) return { kind: 'unreadable', bytes };
  try {
    return { kind: 'hit', value: codec.decode(bytes.subarray(HEADER_BYTES)) };
  } catch (error) {
    if (error instanceof DecodeError) return { kind: 'unreadable', bytes };
    throw error;
  }
}
