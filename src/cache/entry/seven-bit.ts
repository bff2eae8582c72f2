/** Numbers in bytes below 128, most significant first, so that they may stand in text. `length` bytes hold numbers below 128 to that power. */
export function writeSevenBit(value: number, length: number): string {
  let text = '';
  let rest = Math.min(Math.max(0, Math.floor(value)), 128 ** length - 1);
  for (let i = 0; i < length; i++) {
    text = String.fromCharCode(rest % 128) + text;
    rest = Math.floor(rest / 128);
  }
  return text;
}

/** What {@link writeSevenBit} wrote. */
export function readSevenBit(bytes: Buffer, at: number, length: number): number {
  let value = 0;
  for (let i = at; i < at + length; i++) value = value * 128 + (bytes[i] ?? 0);
  return value;
}
