import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { InFlight } from './in-flight.js';

describe('InFlight', () => {
  it('holds what a Map holds, whatever comes and goes', () => {
    const key = fc.integer({ min: 0, max: 400 });
    const step = fc.tuple(fc.constantFrom('set', 'set', 'delete'), key);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 2_000 }), (steps) => {
        const model = new Map<number, number>();
        const inFlight = new InFlight<number, number>();
        steps.forEach(([what, at], i) => {
          if (what === 'set') model.set(at, i);
          else model.delete(at);
          if (what === 'set') inFlight.set(at, i);
          else inFlight.delete(at);
          expect([inFlight.size, inFlight.get(at), inFlight.has(at)]).toEqual([
            model.size,
            model.get(at),
            model.has(at),
          ]);
        });
        expect(inFlight.entries()).toEqual([...model]);
        inFlight.clear();
        expect([inFlight.size, inFlight.entries()]).toEqual([0, []]);
      }),
      { numRuns: 50 },
    );
  });
});
