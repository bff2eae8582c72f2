import { encodeKey } from '../core/keys/key-encoding.js';
import { encodeString } from '../core/keys/key-string.js';
import type { KeyPart } from '../core/keys/key-part.js';

/** In a key pattern: any part, or any number of further parts. */
export const ANY: unique symbol = Symbol('rookery:cache:any');

/** In a key pattern: a part that is text with this beginning. */
export class StartingWith {
  constructor(readonly text: string) {}
}

/** In a key pattern: a part that is text and begins with `text`, or any number of further parts behind it. Whatever `text` holds stands for itself. */
export function startingWith(text: string): StartingWith {
  return new StartingWith(text);
}

/**
 * Keys by their parts: values stand for themselves, `ANY` for anything, `startingWith(text)` for text with that beginning.
 *
 * A key of more than 200 bytes is stored as its hash: among patterns with wildcards, only `[ANY]` finds it.
 */
export type KeyPattern = readonly (KeyPart | typeof ANY | StartingWith)[];

/** Whether the pattern is but a key. */
export function isKey(pattern: KeyPattern): pattern is readonly KeyPart[] {
  return !pattern.some((part) => part === ANY || part instanceof StartingWith);
}

/** The pattern as SCAN knows it. No value in it can act as a wildcard. */
export function encodeKeyPattern(pattern: KeyPattern): string {
  return pattern.map(encodePart).join(',');
}

function encodePart(part: KeyPattern[number]): string {
  if (part === ANY) return '*';
  // Without a beginning there is no telling how the text's encoding begins.
  if (part instanceof StartingWith) return part.text === '' ? '*' : `${encodeString(part.text)}*`;
  return encodeKey([part]);
}
