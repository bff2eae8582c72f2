import type { Codec } from '../../core/codec/codec.js';
import { DecodeError, EncodeError } from '../../core/codec/codec.errors.js';
import { structuredCodec } from '../../core/codec/structured.codec.js';
import type { WriteBehindSettings } from './define-write-behind.js';

/** How the values of one journal become bytes, and how two of one key become one. */
export interface ValueFormat<Value> {
  /** Throws `EncodeError` for what the journal cannot keep. */
  encode(value: Value): string | Buffer;
  /** Throws `DecodeError`. */
  decode(bytes: Buffer): Value;
  /** What the source will have in the end, from an earlier and a later value. */
  merge(earlier: Value, later: Value): Value;
}

/** The format that a journal's mode and codec ask for. */
export function valueFormat<Value>({
  mode,
  codec = structuredCodec,
}: Pick<WriteBehindSettings<Value>, 'mode' | 'codec'>): ValueFormat<Value> {
  // The type of `mode` says that a journal which adds holds numbers.
  return mode === 'add' ? (SUMS as unknown as ValueFormat<Value>) : latest(codec);
}

const SUMS: ValueFormat<number> = {
  encode(value) {
    if (Number.isSafeInteger(value)) return value.toFixed(0);
    throw new EncodeError('A journal that adds takes safe integers only.', { context: { codec: 'sum' } });
  },
  decode(bytes) {
    const sum = Number(bytes.toString('latin1'));
    if (Number.isSafeInteger(sum)) return sum;
    throw new DecodeError('The bytes are not a safe integer.', { context: { codec: 'sum' } });
  },
  merge: (earlier, later) => earlier + later,
};

/** The id of the codec stands in front, so that bytes of another one are noticed. */
function latest<Value>(codec: Codec): ValueFormat<Value> {
  const head = Buffer.of(codec.id);
  return {
    encode(value) {
      const payload = codec.encode(value);
      return Buffer.concat([head, typeof payload === 'string' ? Buffer.from(payload) : payload]);
    },
    decode(bytes) {
      if (bytes[0] === codec.id) return codec.decode(bytes.subarray(1)) as Value;
      throw new DecodeError('The value was written with another codec.', { context: { codec: codec.name } });
    },
    merge: (_earlier, later) => later,
  };
}
