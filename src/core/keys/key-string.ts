/**
 * What needs escaping: every ASCII character but letters, digits and `_ - . @ / +`; spaces, controls and invisible marks
 * beyond ASCII; half surrogate pairs (with the `u` flag the range matches no whole pair). The list is of fixed ranges and
 * not of Unicode properties, so that two versions of Node never spell one string in two ways.
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  /[\u0000-*,:-?[-^`{-\u00A0\u00AD\u061C\u1680\u180E\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000\uFEFF\uFFF0-\uFFFF\uD800-\uDFFF\u{E0000}-\u{E0FFF}]/gu;

/** Most keys: an identifier, a slug or a UUID. Its escaped form is itself. */
const SAFE = /^[\w.@/+-]*$/;

const STARTS_WITH_LETTER = /^[A-Za-z\u0080-\uFFFF]/;

/** A string as part of a key: bare when it starts with a letter, behind `'` when it could be read as something else. */
export function encodeString(text: string): string {
  const escaped = SAFE.test(text) ? text : escapeString(text);
  return STARTS_WITH_LETTER.test(escaped) ? escaped : `'${escaped}`;
}

/**
 * Percent-escapes a string so that it holds only letters, digits and `_ - . @ / + %`, besides visible characters beyond
 * ASCII, which stay as they are. Injective: an escape is `%` and the two digits of a UTF-8 byte, or `%u` and the four
 * digits of half a surrogate pair, which UTF-8 cannot tell from another half.
 */
export function escapeString(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const codePoint = character.codePointAt(0) as number;
  if (codePoint < 0x80) return `%${hex(codePoint)}`;
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return `%u${hex(codePoint)}`;
  return encodeURIComponent(character);
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}
