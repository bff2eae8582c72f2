import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { resolveStartRedisConfig } from './start-redis.options.js';

const refuse = (options: object): unknown => {
  try {
    return resolveStartRedisConfig(options);
  } catch (error) {
    return error;
  }
};

describe('resolveStartRedisConfig', () => {
  it('fills in the defaults', () => {
    expect(resolveStartRedisConfig({})).toMatchObject({
      topology: 'standalone',
      tls: false,
      appendOnly: false,
      args: {},
    });
    expect(resolveStartRedisConfig({ topology: 'cluster' })).toMatchObject({
      masters: 3,
      replicasPerMaster: 0,
      nodeTimeoutMs: 2_000,
    });
    expect(resolveStartRedisConfig({ topology: 'sentinel' })).toMatchObject({
      replicas: 1,
      sentinels: 3,
      downAfterMs: 1_000,
    });
  });

  it('keeps a log of changes for data that is to be kept, unless told otherwise', () => {
    expect(resolveStartRedisConfig({ dataDir: 'data' }).appendOnly).toBe(true);
    expect(resolveStartRedisConfig({ dataDir: 'data', appendOnly: false }).appendOnly).toBe(false);
  });

  it.each([
    [{ topology: 'ring' }, 'topology'],
    [{ username: 'alice' }, 'username'],
    [{ username: 'default', password: 'x' }, 'username'],
    [{ username: 'two words', password: 'x' }, 'username'],
    [{ password: '' }, 'password'],
    [{ topology: 'cluster', dataDir: 'data' }, 'dataDir'],
    [{ topology: 'cluster', masters: 2 }, 'masters'],
    [{ topology: 'cluster', replicasPerMaster: 0.5 }, 'replicasPerMaster'],
    [{ topology: 'cluster', nodeTimeout: '0ms' }, 'nodeTimeout'],
    [{ topology: 'sentinel', sentinels: 0 }, 'sentinels'],
    [{ topology: 'sentinel', downAfter: '0s' }, 'downAfter'],
    [{ port: 70_000 }, 'port'],
  ])('refuses %j and names the option', (options, name) => {
    const error = refuse(options);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String(error)).toContain(`startRedis: ${name}`);
  });
});
