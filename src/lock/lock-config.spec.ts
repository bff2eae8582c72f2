import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { resolveLockConfig } from './lock-config.js';
import type { LockModuleOptions } from './lock.options.js';

describe('the options of LockModule', () => {
  it('have defaults', () => {
    expect(resolveLockConfig({})).toEqual({
      ttlMs: 30_000,
      waitMs: 10_000,
      maxHoldMs: 900_000,
      deadlineMs: 1_000,
      drainMs: 5_000,
      replicas: 0,
      connection: undefined,
      quorum: null,
    });
  });

  it('are in milliseconds', () => {
    const options: LockModuleOptions = {
      ttl: '10ms',
      wait: '0ms',
      maxHold: '1m',
      redisDeadline: '250ms',
      drainTimeout: '0ms',
      replicas: 2,
      connection: 'locks',
    };
    expect(resolveLockConfig(options)).toEqual({
      ttlMs: 10,
      waitMs: 0,
      maxHoldMs: 60_000,
      deadlineMs: 250,
      drainMs: 0,
      replicas: 2,
      connection: 'locks',
      quorum: null,
    });
  });

  it('know a quorum of servers', () => {
    expect(resolveLockConfig({ quorum: { connections: ['a', 'b', 'c'] } }).quorum).toEqual({
      connections: ['a', 'b', 'c'],
      nodeDeadlineMs: 200,
    });
    const quorum = { connections: ['a'], nodeDeadline: '50ms' } as const;
    expect(resolveLockConfig({ quorum }).quorum).toEqual({ connections: ['a'], nodeDeadlineMs: 50 });
  });

  it.each<readonly [Readonly<Record<string, unknown>>, string]>([
    [{ ttl: '9ms' }, 'ttl'],
    [{ ttl: '0ms' }, 'ttl'],
    [{ ttl: 30_000 }, 'ttl'],
    [{ ttl: '25d' }, 'ttl'],
    [{ wait: '-1s' }, 'wait'],
    [{ wait: '25d' }, 'wait'],
    [{ wait: 10 }, 'wait'],
    [{ maxHold: '0ms' }, 'maxHold'],
    [{ redisDeadline: '0ms' }, 'redisDeadline'],
    [{ redisDeadline: 'soon' }, 'redisDeadline'],
    [{ drainTimeout: '-1s' }, 'drainTimeout'],
    [{ replicas: -1 }, 'replicas'],
    [{ replicas: 1.5 }, 'replicas'],
    [{ replicas: NaN }, 'replicas'],
    [{ replicas: '1' }, 'replicas'],
    [{ quorum: { connections: [] } }, 'quorum.connections'],
    [{ quorum: { connections: ['a', 'b', 'a'] } }, 'quorum.connections'],
    [{ quorum: { connections: ['a'], nodeDeadline: '0ms' } }, 'quorum.nodeDeadline'],
    [{ quorum: { connections: ['a', 'b', 'c'] }, replicas: 1 }, 'replicas'],
    [{ quorum: { connections: ['a', 'b', 'c'] }, connection: 'a' }, 'connection'],
  ])('are refused at boot, with the name of the option: %j', (options, name) => {
    const resolve = () => resolveLockConfig(options);
    expect(resolve).toThrow(ConfigurationError);
    expect(resolve).toThrow(`LockModule: `);
    expect(resolve).toThrow(name);
  });
});
