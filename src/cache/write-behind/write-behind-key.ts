import { structuredCodec } from '../../core/codec/structured.codec.js';
import { KeyEncodingError } from '../../core/keys/key-encoding.error.js';

/** What names an entry of a journal: a scalar, or a list of them. It comes back just as it was given: `42` is not `'42'`, and `['a']` is not `'a'`. */
export type WriteBehindKey = string | number | bigint | boolean | null | readonly WriteBehindKey[];

/** The key as the journal holds it: one text for one key. Throws `KeyEncodingError` for what would not come back. */
export function encodeField(key: WriteBehindKey): string {
  return structuredCodec.encode(canonical(key, 'The key')).toString();
}

/** The key that {@link encodeField} was given. */
export function decodeField(field: string): WriteBehindKey {
  return structuredCodec.decode(Buffer.from(field)) as WriteBehindKey;
}

function canonical(key: unknown, path: string): unknown {
  if (Array.isArray(key)) return key.map((part, index) => canonical(part, `${path}[${index}]`));
  if (key === null) return key;
  switch (typeof key) {
    case 'string':
    case 'bigint':
    case 'boolean':
      return key;
    case 'number':
      if (Number.isFinite(key)) return key === 0 ? 0 : key;
      throw new KeyEncodingError(path, 'it is not finite', 'Give a number that names something.');
    default:
      throw new KeyEncodingError(
        path,
        `it is of type ${typeof key}`,
        'Give a string, a number, or a list of what matters.',
      );
  }
}
