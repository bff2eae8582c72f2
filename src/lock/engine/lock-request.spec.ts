import { describe, expect, it } from '@jest/globals';
import { resolveLockConfig } from '../lock-config.js';
import { LockUsageError } from '../lock.errors.js';
import type { LockOptions } from '../lock.options.js';
import { LockRequest } from './lock-request.js';

const DEFAULTS = resolveLockConfig({ ttl: '20s', wait: '3s', maxHold: '1h' });

const request = (options: LockOptions): LockRequest => new LockRequest(options, DEFAULTS);

/** As a caller in JavaScript may write them. */
const wrong = (options: Readonly<Record<string, unknown>>): (() => LockRequest) => {
  return () => request(options);
};

describe('a request for a lock', () => {
  it('has the defaults of the module', () => {
    expect(request({})).toMatchObject({
      ttlMs: 20_000,
      waitMs: 3_000,
      maxHoldMs: 3_600_000,
      atLeastMs: 0,
      extent: 'all',
    });
    expect(request({}).signal).toBeUndefined();
  });

  it('has what was asked for', () => {
    const { signal } = new AbortController();
    const all: LockOptions = { ttl: '10ms', wait: '0ms', maxHold: '2s', atLeast: '1s', signal };
    expect(request(all)).toMatchObject({ ttlMs: 10, waitMs: 0, maxHoldMs: 2_000, atLeastMs: 1_000 });
    expect(request(all).signal).toBe(signal);
    expect(request({ ttl: '24d', wait: '24d' })).toMatchObject({ ttlMs: 2_073_600_000, waitMs: 2_073_600_000 });
  });

  it('is never prolonged by itself where that is not wanted', () => {
    expect(request({ autoExtend: false, maxHold: '5m' }).maxHoldMs).toBe(0);
    expect(request({ autoExtend: true }).maxHoldMs).toBe(3_600_000);
  });

  it('is for all of it, for reading, or for permits', () => {
    expect(request({ mode: 'write' }).extent).toBe('all');
    expect(request({ mode: 'read' }).extent).toEqual({ permits: 1, limit: 999_999_999 });
    expect(request({ limit: 3 }).extent).toEqual({ permits: 1, limit: 3 });
    expect(request({ limit: 3, permits: 3 }).extent).toEqual({ permits: 3, limit: 3 });
    expect(request({ permits: 1 }).extent).toBe('all');
  });

  it.each<Readonly<Record<string, unknown>>>([
    { ttl: '9ms' },
    { ttl: '0ms' },
    { ttl: '-1s' },
    { ttl: '25d' },
    { ttl: '30' },
    { ttl: 'soon' },
    { ttl: '' },
    { ttl: 30_000 },
    { ttl: NaN },
    { ttl: null },
    { ttl: {} },
    { wait: '-1ms' },
    { wait: '25d' },
    { wait: 0 },
    { wait: Infinity },
    { maxHold: '0ms' },
    { maxHold: '1y' },
    { atLeast: '-5s' },
    { atLeast: 'x'.repeat(1_000) },
    { limit: 0 },
    { limit: -1 },
    { limit: 1.5 },
    { limit: NaN },
    { limit: '3' },
    { limit: 1_000_000_000 },
    { limit: null },
    { limit: 3, permits: 0 },
    { limit: 3, permits: -1 },
    { limit: 3, permits: 4 },
    { limit: 3, permits: 1.5 },
    { limit: 3, permits: '1' },
    { permits: 2 },
    { permits: 0 },
    { limit: 3, mode: 'read' },
    { mode: 'exclusive' },
    { mode: 1 },
  ])('could never be right with %j', (options) => {
    expect(wrong(options)).toThrow(LockUsageError);
    const message = messageOf(wrong(options));
    // The option that is wrong, and no more of what was given than can be read.
    expect(message).toMatch(new RegExp(Object.keys(options).join('|')));
    expect(message.length).toBeLessThan(200);
  });

  it('says of a duration what it may be', () => {
    expect(messageOf(wrong({ ttl: '9ms' }))).toBe(
      "ttl must be a duration from '10ms' to '24d', with its unit, such as '500ms' or '30s'; it is '9ms'.",
    );
    expect(messageOf(wrong({ wait: { secret: 'hunter2' } }))).not.toContain('hunter2');
  });
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('It did not throw.');
}
