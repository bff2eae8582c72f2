import { MAX_DEPTH } from './structured-format.js';

/** What is not in the format. Carries nothing: whoever catches it turns it into a DecodeError. */
export class MalformedPayload extends Error {}

/** Puts back what the tags in parsed JSON stand for, in place. Throws {@link MalformedPayload}, and nothing else. */
export function readStructured(json: unknown): unknown {
  return read(json, 0);
}

function read(json: unknown, depth: number): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (depth >= MAX_DEPTH) throw new MalformedPayload();
  if (Array.isArray(json)) return readItems(json, depth);
  return Object.hasOwn(json, '$') ? readTagged(json as Record<'$' | 'v', unknown>, depth) : readProperties(json, depth);
}

function readItems(items: unknown[], depth: number): unknown[] {
  for (let index = 0; index < items.length; index++) items[index] = read(items[index], depth + 1);
  return items;
}

function readProperties(object: object, depth: number): object {
  const properties = object as Record<string, unknown>;
  // JSON.parse made each of these an own property, __proto__ among them: the assignment cannot reach a prototype.
  for (const name of Object.keys(properties)) {
    const value = properties[name];
    if (typeof value === 'object' && value !== null) properties[name] = read(value, depth + 1);
  }
  return properties;
}

function readTagged({ $: tag, v }: Record<'$' | 'v', unknown>, depth: number): unknown {
  switch (tag) {
    case 'Date':
      return readDate(v);
    case 'Map':
      return readMap(list(v), depth);
    case 'Set':
      return new Set(readItems(list(v), depth));
    case 'bigint':
      return readBigInt(text(v));
    case 'Buffer':
      return readBytes(text(v));
    case 'Uint8Array':
      return new Uint8Array(readBytes(text(v)));
    case 'number':
      return readNumber(v);
    case 'undefined':
      return undefined;
    case 'Object':
      return readProperties(plain(v), depth);
    case 'null':
      return Object.setPrototypeOf(readProperties(plain(v), depth), null) as object;
    default:
      throw new MalformedPayload();
  }
}

function readDate(v: unknown): Date {
  if (v !== null && typeof v !== 'number') throw new MalformedPayload();
  return new Date(v ?? NaN);
}

function readMap(flat: unknown[], depth: number): Map<unknown, unknown> {
  if (flat.length % 2 !== 0) throw new MalformedPayload();
  const items = readItems(flat, depth);
  const map = new Map<unknown, unknown>();
  for (let index = 0; index < items.length; index += 2) map.set(items[index], items[index + 1]);
  return map;
}

function readBigInt(digits: string): bigint {
  const isNegative = digits.startsWith('-');
  const hex = isNegative ? digits.slice(1) : digits;
  if (!/^[0-9a-f]+$/.test(hex)) throw new MalformedPayload();
  const magnitude = BigInt(`0x${hex}`);
  return isNegative ? -magnitude : magnitude;
}

/** Node skips what is not base64, and bytes would be missing unnoticed: the length of the text gives it away. */
function readBytes(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  if (bytes.length !== (base64.length / 4) * 3 - padding) throw new MalformedPayload();
  return bytes;
}

function readNumber(v: unknown): number {
  if (v === '-0' || v === 'NaN' || v === 'Infinity' || v === '-Infinity') return Number(v);
  throw new MalformedPayload();
}

function text(v: unknown): string {
  if (typeof v === 'string') return v;
  throw new MalformedPayload();
}

function list(v: unknown): unknown[] {
  if (Array.isArray(v)) return v as unknown[];
  throw new MalformedPayload();
}

function plain(v: unknown): object {
  if (typeof v === 'object' && v !== null && !Array.isArray(v)) return v;
  throw new MalformedPayload();
}
