import { describe, expect, it } from '@jest/globals';
import { Recent } from './recent.js';

describe('Recent', () => {
  it('remembers what was added last, and forgets the rest', () => {
    const recent = new Recent(10);
    for (let i = 0; i < 100; i++) recent.add(`text ${i}`);
    const remembered = Array.from({ length: 100 }, (_, i) => i).filter((i) => recent.has(`text ${i}`));
    expect(remembered.length).toBeGreaterThanOrEqual(10);
    expect(remembered.length).toBeLessThanOrEqual(20);
    expect(remembered).toEqual(Array.from({ length: remembered.length }, (_, i) => 100 - remembered.length + i));
  });

  it('remembers what is added again and again', () => {
    const recent = new Recent(10);
    for (let i = 0; i < 100; i++) {
      recent.add('hot');
      recent.add(`text ${i}`);
      expect(recent.has('hot')).toBe(true);
    }
  });

  it('forgets what is deleted, however old it is', () => {
    const recent = new Recent(2);
    for (const text of ['a', 'b', 'c']) recent.add(text);
    for (const text of ['a', 'c']) recent.delete(text);
    expect(['a', 'b', 'c'].map((text) => recent.has(text))).toEqual([false, true, false]);
  });
});
