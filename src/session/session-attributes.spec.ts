import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fieldOfName, nameOfField, readMeta } from './engine/session-fields.js';
import { readRecord } from './engine/session-record.js';
import { SessionAttributesView, type AttributeChanges } from './session-attributes.js';

const stored = (values: Record<string, unknown>): Map<string, Buffer> =>
  new Map(Object.entries(values).map(([name, value]) => [name, Buffer.from(JSON.stringify(value))]));

describe('changes', () => {
  it('are none for what was only read', () => {
    const view = new SessionAttributesView(stored({ a: { b: [1] }, c: 1 }));
    expect([view.get('a'), view.get('c'), view.get('d')]).toEqual([{ b: [1] }, 1, undefined]);
    expect(view.changes()).toBeNull();
  });

  it('are none for what was set to what it was', () => {
    const view = new SessionAttributesView(stored({ a: { b: 1 } }));
    view.set('a', { b: 1 });
    expect(view.changes()).toBeNull();
  });

  it('are what differs, in the end', () => {
    const view = new SessionAttributesView(stored({ a: [1], b: 2, c: 3 }));
    (view.get('a') as number[]).push(2);
    view.set('b', 4);
    view.set('b', 2);
    view.delete('c');
    view.set('d', null);
    view.delete('nothing');
    expect(view.changes()).toEqual({
      removed: ['c'],
      set: [
        ['a', '[1,2]'],
        ['d', 'null'],
      ],
    });
    view.commit(view.changes()!);
    expect([view.changes(), view.names().sort()]).toEqual([null, ['a', 'b', 'd']]);
  });

  it('lead from what was stored to what is shown, whatever was done', () => {
    const name = fc.constantFrom('a', 'b', 'c', '#c');
    const step = fc.oneof(
      fc.record({ name, value: fc.jsonValue() }),
      fc.record({ name, remove: fc.constant(true) }),
      fc.record({ name, read: fc.constant(true) }),
      // A write takes a while: what is changed meanwhile is left to the next one.
      fc.constant({ write: 'begins' as const }),
      fc.constant({ write: 'ends' as const }),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue()), fc.array(step, { maxLength: 20 }), (before, steps) => {
        const redis = stored(before);
        const view = new SessionAttributesView(new Map(redis));
        const model = new Map(Object.entries(before).map(([key, value]) => [key, JSON.stringify(value)]));
        let underWay: AttributeChanges | null = null;
        const end = (): void => {
          const changes = underWay;
          underWay = null;
          for (const removed of changes?.removed ?? []) redis.delete(removed);
          for (const [key, json] of changes?.set ?? []) redis.set(key, Buffer.from(json));
          if (changes !== null) view.commit(changes);
        };
        const begin = (): void => {
          end();
          underWay = view.changes();
        };
        for (const each of steps) {
          if ('write' in each) (each.write === 'begins' ? begin : end)();
          else if ('value' in each) {
            view.set(each.name, each.value);
            model.set(each.name, JSON.stringify(each.value));
          } else if ('remove' in each) {
            expect(view.delete(each.name)).toBe(model.delete(each.name));
          } else {
            const json = model.get(each.name);
            // As JSON: a value that was set is given back as it is until it is saved, and -0 is 0 in JSON.
            expect(JSON.stringify(view.get(each.name))).toBe(json);
          }
        }
        begin();
        end();
        expect(view.changes()).toBeNull();
        expect(new Map([...redis].map(([key, bytes]) => [key, bytes.toString()]))).toEqual(model);
        expect(view.names().sort()).toEqual([...model.keys()].sort());
      }),
    );
  });
});

describe('a thousand attributes', () => {
  const full = (): Record<string, unknown> => Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`a${i}`, i]));

  it('are the most, be they stored or set here, and what is refused is not set', () => {
    const [read, made] = [new SessionAttributesView(stored(full())), new SessionAttributesView(new Map())];
    for (const [name, value] of Object.entries(full())) made.set(name, value);
    for (const view of [read, made]) {
      expect(() => view.set('more', 1)).toThrow('1000 attributes at most');
      expect([view.has('more'), view.names().length]).toEqual([false, 1_000]);
      view.set('a7', 'again');
      view.delete('a8');
      view.set('more', 1);
      expect(view.names()).toHaveLength(1_000);
    }
  });
});

describe('fields', () => {
  it('of attributes are never those of the module, and lead back to their names', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ minLength: 1 }),
          fc.string().map((text) => `#${text}`),
        ),
        (name) => {
          const field = fieldOfName(name);
          expect(field).not.toMatch(/^#[^#]|^#$/s);
          expect(nameOfField(Buffer.from(field))).toBe(Buffer.from(name).toString());
        },
      ),
    );
  });

  it('make a record, whatever their order', () => {
    const fields = ['theme', '"dark"', '#', '1764268800000:43200000:60000:a:b', '##', '1', '#s', '7', '#b', '::1 curl'];
    const bytes = [...fields, '59000'].map((text) => Buffer.from(text));
    const record = readRecord(bytes)!;
    expect(record).toMatchObject({
      meta: { user: 'a:b', createdMs: 1_764_268_800_000, deadlineMs: 1_764_312_000_000, idleMs: 60_000 },
      successor: undefined,
      leftMs: 59_000,
    });
    expect([...record.attributes.keys()]).toEqual(['theme', '#']);
    expect(readRecord(bytes.slice(0, -1))!.leftMs).toBeUndefined();
    expect([readRecord([]), readRecord([Buffer.from('theme'), Buffer.from('1')])]).toEqual([null, null]);
    expect(readMeta('1:2::')).toEqual({ createdMs: 1, deadlineMs: 3, idleMs: undefined, user: '' });
  });
});
