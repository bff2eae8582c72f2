import type { Codec } from './codec.js';
import { DecodeError, EncodeError } from './codec.errors.js';
import { parseJson } from './parse-json.js';

/**
 * JSON: fast, readable in `redis-cli`, known to every language. The default.
 *
 * **It changes what JSON has no form for, and says nothing**: a `Date` comes back as a string, a `Map` or `Set` as `{}`, a
 * `Buffer` as `{ type, data }`, an instance as a plain object without its class, `NaN` and `Infinity` as `null`, `-0` as 0; a
 * property that is `undefined`, a function or a symbol is gone, and in a list it is `null`. Use {@link structuredCodec}
 * where any of these matter.
 *
 * @throws {EncodeError} for what has no JSON at all: `undefined`, a function or a symbol by itself, a bigint, a cycle. What a
 * `toJSON()` throws is its `cause`.
 * @throws {DecodeError} for anything but JSON in UTF-8.
 */
export const jsonCodec: Codec = {
  id: 1,
  name: 'json',

  encode(value) {
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch (cause) {
      throw new EncodeError('The value has no JSON form: it holds a bigint or a cycle, or a toJSON() failed.', {
        context: { codec: 'json' },
        cause,
      });
    }
    if (json === undefined) {
      throw new EncodeError(`A value of type ${typeof value} has no JSON form.`, { context: { codec: 'json' } });
    }
    return json;
  },

  decode(bytes) {
    const value = parseJson(bytes);
    if (value === undefined) throw new DecodeError('The bytes are not JSON in UTF-8.', { context: { codec: 'json' } });
    return value;
  },
};
