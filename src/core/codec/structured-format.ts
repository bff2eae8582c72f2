/*
 * What the structured codec writes: plain JSON when JSON keeps the value, else `#` and JSON in which an object with a `$` stands
 * for something else: `{"$":"Date","v":0}`. Plain objects that have a `$` of their own are wrapped: `{"$":"Object","v":{"$":1}}`.
 * Payloads outlive deployments: tags may be added, and never change their meaning.
 */

/** The first byte of a payload that has tags in it. No JSON begins with it. */
export const TAGGED_PAYLOAD = '#';

/** A value that JSON has no form for. */
export interface Tagged {
  readonly $: Tag;
  readonly v?: unknown;
}

/** What a tagged object stands for, and what its `v` holds. */
export type Tag =
  | 'Date' // milliseconds since the epoch; null when invalid
  | 'Map' // key, value, key, value, ...
  | 'Set' // members
  | 'bigint' // hexadecimal digits, behind a minus when negative: read in linear time, unlike decimal ones
  | 'Buffer' // base64
  | 'Uint8Array' // base64
  | 'number' // 'NaN', 'Infinity', '-Infinity' or '-0'
  | 'undefined' // nothing
  | 'Object' // properties, one of which is `$`
  | 'null'; // properties of an object whose prototype is null

/** Lists, objects, maps and sets may nest so deep: recursion has to end before the stack does. A cycle ends here, too. */
export const MAX_DEPTH = 500;
