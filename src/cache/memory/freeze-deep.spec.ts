import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { freezeDeep } from './freeze-deep.js';

function isFrozenThroughout(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isFrozenThroughout);
}

describe('freezeDeep', () => {
  it('leaves nothing in a value that could be changed', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(freezeDeep(value)).toBe(true);
        expect(isFrozenThroughout(value)).toBe(true);
      }),
    );
  });

  it('changes no content', () => {
    const value = { list: [{ a: 1 }, null, 'text'], nested: { deep: { deeper: [[]] } } };
    const before = structuredClone(value);
    freezeDeep(value);
    expect(value).toEqual(before);
  });

  it('freezes objects without a prototype too', () => {
    const value = Object.assign(Object.create(null) as object, { inner: { a: 1 } });
    expect(freezeDeep(value)).toBe(true);
    expect(isFrozenThroughout(value)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a date', new Date()],
    ['a map', new Map()],
    ['a set', new Set()],
    ['bytes', Buffer.from('a')],
    ['a typed array', new Uint8Array(2)],
    ['an array buffer', new ArrayBuffer(2)],
    ['an instance of a class', new (class Secret {})()],
    ['an error', new Error()],
  ])('says that freezing does not protect %s, wherever it lies', (_name, value) => {
    expect(freezeDeep(value)).toBe(false);
    expect(freezeDeep({ list: [{ value }] })).toBe(false);
  });

  it('freezes what lies in a part that is frozen already', () => {
    const value = Object.freeze({ inner: { list: [1] } });
    expect(freezeDeep(value)).toBe(true);
    expect(isFrozenThroughout(value)).toBe(true);
  });

  it('comes to an end with values that hold themselves, or one part many times', () => {
    const cycle: { self?: unknown; part: object } = { part: { a: 1 } };
    cycle.self = cycle;
    expect(freezeDeep(cycle)).toBe(true);
    expect(Object.isFrozen(cycle.part)).toBe(true);
    let shared: object = { leaf: true };
    for (let level = 0; level < 60; level++) shared = { left: shared, right: shared };
    expect(freezeDeep(shared)).toBe(true);
  });

  it.each([undefined, null, 0, 'text', true, 1n])('has nothing to do for %p', (value) => {
    expect(freezeDeep(value)).toBe(true);
  });
});
