import { expect, it } from '@jest/globals';
import keySlot from 'cluster-key-slot';
import { allSlotTags, isSlotTag, slotTagAt } from './slot-tags.js';

it('there are 256, one in each 256th of the cluster', () => {
  const parts = allSlotTags().map((tag) => Math.floor(keySlot(`{${tag}}`) / 64));
  expect(parts).toEqual(Array.from({ length: 256 }, (_, part) => part));
});

it('they are the same for ever: sessions lie under them', () => {
  expect([slotTagAt(0), slotTagAt(1), slotTagAt(127), slotTagAt(255)]).toMatchInlineSnapshot(`
    [
      "F9",
      "Ap",
      "Dr",
      "C9",
    ]
  `);
  for (const tag of allSlotTags()) expect(tag).toMatch(/^[A-Za-z][A-Za-z0-9]$/);
  expect([isSlotTag(slotTagAt(7)), isSlotTag('??'), isSlotTag('')]).toEqual([true, false, false]);
});
