/**
 * Turns values into bytes and back.
 *
 * A codec that can keep a value gives it back equal; one that cannot throws an {@link EncodeError} rather than change it.
 * {@link jsonCodec} is the exception, as its page says. Bytes that the codec did not write are a {@link DecodeError}, whatever
 * they hold: `decode` never throws anything else, and neither hangs nor allocates more than a small multiple of its input.
 * Both are synchronous, without side effects, and safe to call at any time.
 */
export interface Codec {
  /** 1 to 127, stored in front of each payload, so that a change of codec is noticed. Rookery's own are 1 to 15. */
  readonly id: number;

  /** For error messages and telemetry: a word such as `json`. */
  readonly name: string;

  /** Text is stored as UTF-8. A returned buffer belongs to the caller. */
  encode(value: unknown): string | Buffer;

  /** The result must not share memory with `bytes`, which may be a slice of a larger network buffer. */
  decode(bytes: Buffer): unknown;
}
