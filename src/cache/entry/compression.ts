import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { DecodeError } from '../../core/codec/codec.errors.js';

/** Bytes that would unpack to more than this are taken for damage, or an attack. */
const MOST_BYTES = 512 * 1024 * 1024;

/** The fastest level: what a cache saves in traffic must not be lost in waiting. */
const OPTIONS = { level: constants.Z_BEST_SPEED, maxOutputLength: MOST_BYTES } as const;

/** The packed form, or null when packing gains nothing. */
export function compress(payload: string | Buffer): Buffer | null {
  const packed = deflateRawSync(payload, OPTIONS);
  return packed.length < payload.length ? packed : null;
}

/** Throws `DecodeError` for bytes that {@link compress} did not make. */
export function decompress(packed: Buffer): Buffer {
  try {
    return inflateRawSync(packed, OPTIONS);
  } catch {
    throw new DecodeError('The bytes are not what was compressed.', { context: { codec: 'deflate' } });
  }
}
