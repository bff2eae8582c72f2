import { Cluster, Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../errors/configuration.error.js';
import { resolveRedisConfig } from './redis-config.js';
import type { RedisModuleOptions } from './redis.options.js';

const SECRET = 'hunter2-secret';
const nodes = [{ host: '127.0.0.1', port: 7000 }];

function refusal(options: unknown): string {
  try {
    resolveRedisConfig(options as RedisModuleOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  throw new Error('These options were accepted.');
}

describe('resolveRedisConfig', () => {
  it('needs no option at all', () => {
    expect(resolveRedisConfig({})).toEqual([
      {
        name: 'default',
        target: {},
        keyPrefix: 'rookery',
        deadlineMs: 1_000,
        connectWithinMs: 2_000,
        required: false,
        slowLimit: 20,
        probeIntervalMs: 250,
        hangMs: 5_000,
      },
    ]);
  });

  it('gives every named connection options of its own', () => {
    const configs = resolveRedisConfig({
      keyPrefix: 'shop',
      deadline: '200ms',
      connections: { jobs: { url: 'redis://jobs', deadline: '3s', breaker: { slowLimit: 5, hangLimit: '10s' } } },
    });
    expect(
      configs.map(({ name, keyPrefix, deadlineMs, slowLimit, hangMs }) => [
        name,
        keyPrefix,
        deadlineMs,
        slowLimit,
        hangMs,
      ]),
    ).toEqual([
      ['default', 'shop', 200, 20, 5_000],
      ['jobs', 'rookery', 3_000, 5, 10_000],
    ]);
  });

  it('takes an option that is undefined for one that was left out', () => {
    expect(() => resolveRedisConfig({ url: undefined, sentinel: { name: 'm', nodes } })).not.toThrow();
  });

  it.each([
    ['url', { url: `http://:${SECRET}@host` }, 'redis://'],
    ['url', { url: `redis://:${SECRET}@host/cache` }, '/db'],
    ['url', { url: `${SECRET} is not a URL` }, 'redis://'],
    ['url', { url: `redis://:${SECRET}%zz@host` }, '%xx'],
    ['url', { url: `redis://:${SECRET}@host?tls=true` }, "'?'"],
    ['url', { url: `redis://${SECRET}@host` }, 'redis://:password@host'],
    ['url', { url: 'unix://run/redis.sock' }, 'unix:///path'],
    ['url', { url: 'unix:' }, 'unix:///path'],
    ['url and sentinel', { url: 'redis://host', sentinel: { name: 'm', nodes } }, 'exclude each other'],
    ['sentinel and cluster', { sentinel: { name: 'm', nodes }, cluster: { nodes } }, 'exclude each other'],
    ['username', { username: 'app' }, 'password'],
    ['db', { db: -1 }, 'whole number'],
    ['db', { db: 1.5 }, 'whole number'],
    ['db', { cluster: { nodes }, db: 1 }, 'database 0 only'],
    ['sentinel.nodes', { sentinel: { name: 'm', nodes: [] } }, '{ host, port }'],
    ['sentinel.name', { sentinel: { name: '', nodes } }, 'name'],
    ['cluster.nodes', { cluster: { nodes: [] } }, '{ host, port }'],
    ['cluster.nodes', { cluster: { nodes: [{ host: 'h', port: '7000' }] } }, '{ host, port }'],
    ['cluster.nodes', { cluster: {} }, '{ host, port }'],
    ['deadline', { deadline: 500 }, "'250ms'"],
    ['deadline', { deadline: '0ms' }, 'longer than nothing'],
    ['deadline', { deadline: '25d' }, "'24d'"],
    ['connectWithin', { connectWithin: 'soon' }, "'250ms'"],
    ['breaker.slowLimit', { breaker: { slowLimit: 0 } }, 'at least 1'],
    ['breaker.slowLimit', { breaker: { slowLimit: 2.5 } }, 'whole number'],
    ['breaker.probeInterval', { breaker: { probeInterval: '0s' } }, 'longer than nothing'],
    ['breaker.hangLimit', { breaker: { hangLimit: '5' } }, "'250ms'"],
    ['keyPrefix', { keyPrefix: 'shop{1}' }, 'letters'],
    ['keyPrefix', { keyPrefix: '' }, 'letters'],
    ['client', { client: {} }, 'ioredis'],
    ['connections.default', { connections: { default: {} } }, 'Move them'],
  ])('refuses a bad %s: names it and the fix, and repeats no value', (option, options, fix) => {
    const message = refusal(options);
    expect(message).toContain(`RedisModule: ${option} `);
    expect(message).toContain(fix);
    expect(message).not.toContain(SECRET);
    const nested = refusal({ connections: { jobs: option.startsWith('connections') ? { url: 'x' } : options } });
    expect(nested).toContain('RedisModule: connections.jobs.');
    expect(nested).not.toContain(SECRET);
  });

  it('refuses a client with a key prefix of its own, which scans would not see', () => {
    const client = new Redis({ lazyConnect: true, keyPrefix: 'app:' });
    const cluster = new Cluster(nodes, { lazyConnect: true, redisOptions: { keyPrefix: 'app:' } });
    expect(refusal({ client })).toContain("'keyPrefix'");
    expect(refusal({ client: cluster })).toContain("'keyPrefix'");
  });

  it('refuses a Cluster that reads from replicas', () => {
    const client = new Cluster(nodes, { lazyConnect: true, scaleReads: 'slave' });
    expect(refusal({ client })).toContain("scaleReads: 'master'");
  });
});
