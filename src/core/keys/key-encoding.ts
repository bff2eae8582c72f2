import { types } from 'node:util';
import { className, isDirectInstance, isPlainObject } from '../codec/value-kind.js';
import type { KeyPart } from './key-part.js';
import { encodeString, escapeString } from './key-string.js';
import { KeyTrail } from './key-trail.js';

const GIVE_A_KEY = 'Give a key function that picks what identifies it';

/** What no value gives, so that a hole is not `undefined`. */
const HOLE = '~hole';

/** Instances whose bytes are all they are. */
const BYTES = new Set(
  (
    'Buffer ArrayBuffer SharedArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array ' +
    'Int32Array Uint32Array Float16Array Float32Array Float64Array BigInt64Array BigUint64Array'
  ).split(' '),
);

/**
 * The text of a list of key parts. **Injective**: different lists never have the same text. **Canonical**: equal lists
 * always do, in every process and on every version of Node, so that a key made by hand equals a decorator's.
 *
 * | Value | Text |
 * | --- | --- |
 * | `'apple'`, `'a b'` | `apple`, `a%20b`: bare when it starts with a letter |
 * | `'42'`, `''` | `'42`, `'` |
 * | `42`, `-1.5`, `1n` | `42`, `-1.5`, `1n` |
 * | `true`, `null`, `undefined`, `NaN`, `-Infinity` | `~true`, `~null`, `~undefined`, `~NaN`, `~-Infinity` |
 * | a list `['a', ['b']]`, `[]`, a hole in one | `(a,(b))`, `()`, `~hole` |
 * | `{ b: 2, a: 1 }`, `{}`, with or without a prototype | `(a=1,b=2)`, `(=)`: own properties, sorted by code unit |
 * | a `Map`, a `Set`, in any order | `~map(a=1,b=2)`, `~set(1,2)` |
 * | a `Date` | `~date(1704067200000)`: milliseconds since the epoch |
 * | a `Buffer`, `ArrayBuffer`, `DataView` or typed array | `~Buffer(AQID)`: its bytes in base64url |
 * | an instance of a class with `toJSON()`, a `URL` | `@Money((amount=5))`: class name and result |
 *
 * The parts are joined by `,`; no parts at all are `~`. `-0` is `0`, as `-0 === 0`. A text holds none of
 * `: { } * ? [ ] \`, no space and no control character, and its length is not limited.
 *
 * An instance of a class without `toJSON()` is refused, and so is whatever carries state that this function cannot see
 * (symbol keys, hidden properties, extra properties of a list, subclasses of `Date`, `Map` and so on): its enumerable fields
 * may not be all that it is, `#private` ones never show, and two different objects under one key would hand one caller the
 * other's value. Functions, symbols, cycles and nesting beyond 64 levels are refused, too. Extra properties on a typed array are
 * not seen. Classes are told apart by their names, so a name has to be unique among the values of one key, and to survive
 * the build.
 *
 * @throws {KeyEncodingError} naming the position of what was refused, and the fix.
 */
export function encodeKey(parts: readonly KeyPart[]): string {
  if (parts.length === 1) {
    const part = parts[0];
    if (typeof part === 'string') return encodeString(part);
    if (typeof part === 'number') return encodeNumber(part);
  }
  return parts.length === 0 ? '~' : encodeAll(parts, KeyTrail.start()).join(',');
}

function encodeAll(values: readonly unknown[], trail: KeyTrail): string[] {
  const encoded: string[] = [];
  for (let index = 0; index < values.length; index++) {
    trail.at = index;
    encoded.push(index in values ? encodePart(values[index], trail) : HOLE);
  }
  return encoded;
}

function encodePart(value: unknown, trail: KeyTrail): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value);
    case 'number':
      return encodeNumber(value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
    case 'undefined':
      return `~${value}`;
    case 'object':
      return value === null ? '~null' : encodeObject(value, trail.enter(value));
    default:
      throw trail.refuse(`it is a ${typeof value}`, `${GIVE_A_KEY}.`);
  }
}

function encodeNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : `~${value}`;
}

function encodeObject(value: object, trail: KeyTrail): string {
  if (Array.isArray(value) && isDirectInstance(value, 'Array')) return encodeArray(value, trail);
  if (isPlainObject(value) && !isBuiltIn(value)) return encodePlain(value, trail);
  if (types.isDate(value) && isDirectInstance(value, 'Date')) return encodeDate(value, trail);
  if (types.isMap(value) && isDirectInstance(value, 'Map')) return encodeMap(value, trail);
  if (types.isSet(value) && isDirectInstance(value, 'Set')) return encodeSet(value, trail);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return encodeBytes(value, trail);
  return encodeInstance(value, trail);
}

function encodeArray(value: readonly unknown[], trail: KeyTrail): string {
  const encoded = encodeAll(value, trail);
  const present = encoded.filter((text) => text !== HOLE).length;
  refuseHiddenState(value, present + 1, trail); // the one more is `length`
  return `(${encoded.join(',')})`;
}

function encodePlain(value: object, trail: KeyTrail): string {
  const names = Object.keys(value).sort();
  refuseHiddenState(value, names.length, trail);
  if (names.length === 0) return '(=)';
  const entries = names.map((name) => {
    trail.at = name;
    return `${escapeString(name)}=${encodePart((value as Record<string, unknown>)[name], trail)}`;
  });
  return `(${entries.join(',')})`;
}

function encodeDate(value: Date, trail: KeyTrail): string {
  refuseHiddenState(value, 0, trail);
  return `~date(${encodeNumber(Date.prototype.getTime.call(value))})`;
}

function encodeMap(value: ReadonlyMap<unknown, unknown>, trail: KeyTrail): string {
  refuseHiddenState(value, 0, trail);
  const entries = Array.from(value, ([key, item], index) => {
    trail.at = index;
    return `${encodePart(key, trail)}=${encodePart(item, trail)}`;
  });
  return `~map(${entries.sort().join(',')})`;
}

function encodeSet(value: ReadonlySet<unknown>, trail: KeyTrail): string {
  refuseHiddenState(value, 0, trail);
  return `~set(${encodeAll([...value], trail)
    .sort()
    .join(',')})`;
}

function encodeBytes(value: ArrayBufferView | ArrayBufferLike, trail: KeyTrail): string {
  const name = className(value);
  if (!BYTES.has(name)) return encodeInstance(value, trail);
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value);
  return `~${name}(${bytes.toString('base64url')})`;
}

function encodeInstance(value: object, trail: KeyTrail): string {
  const name = className(value);
  if (types.isPromise(value)) throw trail.refuseContainer('it is a promise', 'Await it first.');
  if (name === '' || !hasToJson(value)) {
    throw trail.refuseContainer(
      `it is an instance of ${name === '' ? 'a class without a name' : name}, which may hold more than its fields show`,
      `${GIVE_A_KEY}, or give its class a name and a toJSON() method.`,
    );
  }
  trail.at = 'toJSON';
  return `@${escapeString(name)}(${encodePart(value.toJSON(), trail)})`;
}

/** A toJSON() that a subclass of a built-in inherits knows nothing about what the subclass adds. */
function hasToJson(value: object): value is { toJSON(): unknown } {
  const owner = isBuiltIn(value) ? (Object.getPrototypeOf(value) as object) : value;
  const isOwn = owner === value || Object.hasOwn(owner, 'toJSON');
  return isOwn && typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

function isBuiltIn(value: object): boolean {
  return (
    Array.isArray(value) || types.isDate(value) || types.isMap(value) || types.isSet(value) || ArrayBuffer.isView(value)
  );
}

function refuseHiddenState(value: object, visible: number, trail: KeyTrail): void {
  if (Reflect.ownKeys(value).length === visible) return;
  throw trail.refuseContainer('it has symbol keys, hidden properties or properties of its own', `${GIVE_A_KEY}.`);
}
