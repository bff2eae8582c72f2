import { isAscii, isUtf8 } from 'node:buffer';

/**
 * The value of JSON text in UTF-8, or `undefined` when the bytes are something else.
 *
 * The parser's own error is dropped on purpose: its message quotes the text. Without the check, damaged UTF-8 would be read as
 * replacement characters, and the value would come back changed.
 */
export function parseJson(bytes: Buffer): unknown {
  const text = decodeText(bytes);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Plain ASCII, which most JSON is, needs no decoding: reading it as Latin-1 is a copy, at half the cost. */
function decodeText(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}
