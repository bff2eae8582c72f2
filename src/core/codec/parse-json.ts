import { isUtf8 } from 'node:buffer';

/**
 * The value of JSON text in UTF-8, or `undefined` when the bytes are something else.
 *
 * The parser's own error is dropped on purpose: its message quotes the text. Without the check, damaged UTF-8 would be read as
 * replacement characters, and the value would come back changed.
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
