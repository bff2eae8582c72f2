/**
 * Freezes a value and all that it holds, so that everybody may be given the same one. Returns false for a value that freezing does not
 * protect, because it keeps its content elsewhere than in properties: a `Date`, `Map`, `Set` or bytes somewhere in it.
 */
export function freezeDeep(value: unknown): boolean {
  if (!isObject(value)) return true;
  const waiting: object[] = [value];
  let frozenBefore: Set<object> | undefined;
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    if (Object.isFrozen(object)) {
      // A part that was met before, or one that its codec froze, perhaps without what it holds: so it is gone through, but once.
      frozenBefore ??= new Set();
      if (frozenBefore.has(object)) continue;
      frozenBefore.add(object);
    }
    if (!isPlain(object)) return false;
    Object.freeze(object);
    for (const child of Object.values(object) as unknown[]) if (isObject(child)) waiting.push(child);
  }
  return true;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPlain(object: object): boolean {
  if (Array.isArray(object)) return true;
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}
