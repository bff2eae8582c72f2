import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { RedisUnavailableError } from '../errors/redis.errors.js';
import { ConnectionHealth, type HealthStatus } from './connection-health.js';

afterEach(() => void jest.restoreAllMocks());

describe('ConnectionHealth', () => {
  it('tells the state, why, and since when', async () => {
    const clock = new FakeClock();
    const health = new ConnectionHealth('default', clock);
    expect(health.status).toEqual({ state: 'connecting', sinceMs: 0 });
    await clock.advance('3s');
    expect(health.status).toEqual({ state: 'connecting', sinceMs: 3_000 });
    health.update('down', 'connect ECONNREFUSED');
    await clock.advance('1s');
    health.update('down', undefined);
    expect(health.status).toEqual({ state: 'down', reason: 'connect ECONNREFUSED', sinceMs: 1_000 });
    health.update('up', undefined);
    expect(health.status).toEqual({ state: 'up', sinceMs: 0 });
    expect(health.isUp).toBe(true);
  });

  it('tells listeners of changes only, until they cancel', () => {
    const health = new ConnectionHealth('default', new FakeClock());
    const seen: HealthStatus[] = [];
    const cancel = health.onChange((status) => seen.push(status));
    health.update('up', undefined);
    health.update('up', undefined);
    health.update('degraded', 'silent');
    cancel();
    health.update('down', 'silent');
    expect(seen.map(({ state }) => state)).toEqual(['up', 'degraded']);
  });

  it('spares the others when a listener throws', () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const health = new ConnectionHealth('default', new FakeClock());
    const seen: string[] = [];
    health.onChange(() => {
      throw new Error('oops');
    });
    health.onChange(({ state }) => seen.push(state));
    health.update('up', undefined);
    expect(seen).toEqual(['up']);
    expect(log).toHaveBeenCalledTimes(1);
  });

  it('can be awaited', async () => {
    const clock = new FakeClock();
    const health = new ConnectionHealth('default', clock);
    const up = health.untilUp({ within: '1s' });
    health.update('degraded', undefined);
    health.update('up', undefined);
    await expect(up).resolves.toBeUndefined();
    await expect(health.untilUp()).resolves.toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends the wait with a typed error when time is up', async () => {
    const clock = new FakeClock();
    const health = new ConnectionHealth('jobs', clock);
    const rejected = expect(health.untilUp({ within: '1s' })).rejects.toMatchObject({
      name: RedisUnavailableError.name,
      reason: 'not-connected',
      mayHaveRun: false,
      context: { connection: 'jobs' },
    });
    await clock.advance('1s');
    await rejected;
  });

  it("ends the wait with the signal's reason", async () => {
    const clock = new FakeClock();
    const health = new ConnectionHealth('default', clock);
    const reason = new Error('shutting down');
    const controller = new AbortController();
    const waiting = expect(health.untilUp({ signal: controller.signal })).rejects.toBe(reason);
    controller.abort(reason);
    await waiting;
    await expect(health.untilUp({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });
});
