/** A plain object of any realm: `vm` contexts and test runners have an `Object` of their own. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || isObjectPrototype(prototype);
}

/** An instance of the built-in class `name` itself, of any realm, and not of a subclass. */
export function isDirectInstance(value: object, name: string): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return className(value) === name && isObjectPrototype(Object.getPrototypeOf(prototype) as object | null);
}

/** The name of the class that an object is an instance of, or `''` when it has none. */
export function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  return typeof name === 'string' ? name : '';
}

function isObjectPrototype(prototype: object | null): boolean {
  return (
    prototype === Object.prototype ||
    (prototype !== null && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf'))
  );
}
