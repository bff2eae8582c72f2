/**
 * A description of a value that differs whenever two values differ in anything a codec may lose: types, order, -0 and 0,
 * invalid dates, prototypes, `undefined` and absence. Stricter than any deep equality that a test runner has.
 */
export function portrait(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'string'
      ? JSON.stringify(value)
      : `${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`;
  }
  const kind = (Object.getPrototypeOf(value) as { constructor: { name: string } } | null)?.constructor.name ?? 'null';
  if (value instanceof Date) return [kind, value.getTime().toString()];
  if (value instanceof Map) return [kind, Array.from(value, ([key, item]) => [portrait(key), portrait(item)])];
  if (value instanceof Set) return [kind, Array.from(value, portrait)];
  if (value instanceof Uint8Array) return [kind, Buffer.from(value).toString('hex')];
  if (Array.isArray(value)) return [kind, value.map(portrait)];
  return [
    kind,
    Reflect.ownKeys(value).map((key) => [String(key), portrait((value as Record<PropertyKey, unknown>)[key])]),
  ];
}
