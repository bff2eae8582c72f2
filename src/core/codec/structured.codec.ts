import type { Codec } from './codec.js';
import { DecodeError, EncodeError } from './codec.errors.js';
import { parseJson } from './parse-json.js';
import { TAGGED_PAYLOAD } from './structured-format.js';
import { MalformedPayload, readStructured } from './structured-reader.js';
import { StructuredWriter } from './structured-writer.js';

/**
 * Keeps values exactly as they were, or refuses them.
 *
 * Kept, at any place in the value: all that JSON keeps, and `Date` (invalid ones too), `Map` and `Set` with keys and members
 * of any kind and in their order, bigints of any size, `Buffer` as `Buffer` and `Uint8Array` as `Uint8Array`, `undefined`, `NaN`,
 * `Infinity`, `-Infinity`, `-0`, objects without a prototype, properties named `__proto__`, half surrogate pairs. An object
 * that occurs twice comes back as two equal ones.
 *
 * What it writes is JSON, with tags only where a value needs them, and without state: any version of Node or Rookery reads
 * what another wrote. Plain data is decoded at the speed of JSON.
 *
 * @throws {EncodeError} for what would come back as something else: instances of other classes, functions, symbols, getters,
 * symbol keys, lists with holes or properties, cycles, more than 500 levels of nesting. Only properties that are not enumerable go
 * unseen, and properties of a `Buffer`.
 * @throws {DecodeError} for bytes that it did not write.
 */
export const structuredCodec: Codec = {
  id: 2,
  name: 'structured',

  encode(value) {
    const written = new StructuredWriter().write(value);
    try {
      return written === value ? JSON.stringify(written) : TAGGED_PAYLOAD + JSON.stringify(written);
    } catch (cause) {
      throw new EncodeError('The value has no JSON form.', { context: { codec: 'structured' }, cause });
    }
  },

  decode(bytes) {
    const isTagged = bytes[0] === TAGGED_PAYLOAD.charCodeAt(0);
    const json = parseJson(isTagged ? bytes.subarray(1) : bytes);
    if (json === undefined) throw malformed();
    try {
      return isTagged ? readStructured(json) : json;
    } catch (error) {
      throw error instanceof MalformedPayload ? malformed() : error;
    }
  },
};

function malformed(): DecodeError {
  return new DecodeError('The bytes are not what the structured codec writes.', { context: { codec: 'structured' } });
}
