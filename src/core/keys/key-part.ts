/**
 * One part of a key: a string, number, boolean, bigint, `null`, `undefined`, or an object that `encodeKey` can tell apart
 * from every other by its content. Which objects those are is checked when the key is built, see {@link encodeKey}.
 */
export type KeyPart = string | number | boolean | bigint | null | undefined | object;

/** A key as callers give it: one part, or a list of parts. `'a'` and `['a']` are the same key. */
export type KeyParts = KeyPart | readonly KeyPart[];

/** The list of parts that a key stands for: a list is taken as it is, anything else is a list of one. */
export function toKeyParts(key: KeyParts): readonly KeyPart[] {
  return Array.isArray(key) ? (key as readonly KeyPart[]) : [key];
}
