import { describe, expect, it } from '@jest/globals';
import { LockUsageError } from '../lock.errors.js';
import { checkFence, sqlFence } from './sql-fence.js';

const FENCE = 1_800_000_000_000_001;

describe('sqlFence', () => {
  it('is a condition on a column, with the fence as text, so that no driver rounds it', () => {
    expect(sqlFence('fence', FENCE, 3)).toEqual({
      text: '("fence" IS NULL OR "fence" <= $3::bigint)',
      value: '1800000000000001',
    });
    expect(sqlFence('orders.fence', FENCE, 1).text).toBe(
      '("orders"."fence" IS NULL OR "orders"."fence" <= $1::bigint)',
    );
    expect(sqlFence('shop.orders.Fence_2', 1, 65_535).text).toBe(
      '("shop"."orders"."Fence_2" IS NULL OR "shop"."orders"."Fence_2" <= $65535::bigint)',
    );
  });

  it.each([
    '',
    '.',
    'fence.',
    '.fence',
    'a..b',
    'a.b.c.d',
    'fe nce',
    'fence"',
    '"fence"',
    'fence;',
    "f'",
    'fence) OR (1=1',
    'fence--',
    '1fence',
    'fe\nnce',
    'fence\n',
    'f'.repeat(64),
    'fénce',
  ])('takes nothing for a column that is not the name of one: %j', (column) => {
    expect(() => sqlFence(column, FENCE, 1)).toThrow(LockUsageError);
  });

  it.each([0, -1, 1.5, NaN, Infinity, 65_536, '1'])('takes nothing for a parameter that is none: %p', (parameter) => {
    expect(() => sqlFence('fence', FENCE, parameter as number)).toThrow(LockUsageError);
  });

  it.each([0, -1, 1.5, NaN, Infinity, 2 ** 53, '1', null, undefined, 1n])(
    'takes nothing for a fence that is none: %p',
    (fence) => {
      expect(() => sqlFence('fence', fence as number, 1)).toThrow(LockUsageError);
      expect(() => checkFence(fence as number)).toThrow(LockUsageError);
    },
  );
});
