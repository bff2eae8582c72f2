import { describe, expect, it } from '@jest/globals';
import { loadConfig } from './app-config.js';
import { ConfigError } from './config.error.js';

function problemsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) {
      return Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]));
    }
    throw error;
  }
  return {};
}

describe('loadConfig', () => {
  it('needs no variable at all', () => {
    expect(loadConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      httpAdapter: 'fastify',
      logLevel: 'log',
      dataDir: expect.stringMatching(/^[/\\].*\.data$|^[A-Z]:/),
      redisUrl: undefined,
      redisServerBin: undefined,
      databaseUrl: undefined,
      clientLimits: { burst: 20, sustained: 1_000 },
      trustedProxies: [],
      adminToken: undefined,
      sessionSecrets: undefined,
      paymentUrl: undefined,
      paymentApiKey: undefined,
    });
  });

  it('takes every variable', () => {
    expect(
      loadConfig({
        PORT: '0',
        HOST: '0.0.0.0',
        HTTP_ADAPTER: 'express',
        LOG_LEVEL: 'debug',
        DATA_DIR: '/var/lib/shop',
        REDIS_URL: 'rediss://user:secret@cache:6380/2',
        REDIS_SERVER_BIN: '/opt/valkey-server',
        DATABASE_URL: 'postgres://shop@db/shop',
        RATE_LIMIT_BURST: '50',
        RATE_LIMIT_SUSTAINED: '5000',
        TRUSTED_PROXIES: 'loopback, 10.0.0.0/8',
        ADMIN_TOKEN: 'sixteen-letters!',
        SESSION_SECRETS: ` ${'n'.repeat(32)}  ${'o'.repeat(40)} `,
        PAYMENT_URL: 'https://pay.example.com/v1',
        PAYMENT_API_KEY: 'sk_live',
      }),
    ).toEqual({
      port: 0,
      host: '0.0.0.0',
      httpAdapter: 'express',
      logLevel: 'debug',
      dataDir: '/var/lib/shop',
      redisUrl: 'rediss://user:secret@cache:6380/2',
      redisServerBin: '/opt/valkey-server',
      databaseUrl: 'postgres://shop@db/shop',
      clientLimits: { burst: 50, sustained: 5_000 },
      trustedProxies: ['loopback', '10.0.0.0/8'],
      adminToken: 'sixteen-letters!',
      sessionSecrets: ['n'.repeat(32), 'o'.repeat(40)],
      paymentUrl: 'https://pay.example.com/v1',
      paymentApiKey: 'sk_live',
    });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ PORT: '', REDIS_URL: '', HTTP_ADAPTER: '' })).toEqual(loadConfig({}));
  });

  it.each(['http', '-1', '65536', '3000.5', '0x10', '1e3', ' 80'])('refuses PORT=%j', (PORT) => {
    expect(problemsOf({ PORT })).toEqual({ PORT: 'must be a whole number from 0 to 65535' });
  });

  it('names the values that are allowed', () => {
    expect(problemsOf({ HTTP_ADAPTER: 'koa', LOG_LEVEL: 'loud' })).toEqual({
      HTTP_ADAPTER: 'must be one of fastify, express',
      LOG_LEVEL: 'must be one of fatal, error, warn, log, debug, verbose',
    });
  });

  it.each([
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'http://localhost'],
    ['DATABASE_URL', 'mysql://root@db/shop'],
    ['DATABASE_URL', 'postgres://'],
    // One search would be more than that.
    ['RATE_LIMIT_BURST', '4'],
    ['RATE_LIMIT_SUSTAINED', '1e9'],
    ['TRUSTED_PROXIES', 'everybody'],
    ['TRUSTED_PROXIES', '10.0.0.0/8,'],
    ['ADMIN_TOKEN', 'short'],
    ['SESSION_SECRETS', 'short'],
    ['SESSION_SECRETS', `${'n'.repeat(32)} short`],
    ['ADMIN_TOKEN', 'two words of a token'],
    ['PAYMENT_URL', 'pay.example.com'],
    ['PAYMENT_URL', 'https://key@pay.example.com'],
    ['PAYMENT_URL', 'https://pay.example.com?key=secret'],
    ['PAYMENT_API_KEY', 'two words'],
  ])('refuses %s=%s', (variable, value) => {
    expect(Object.keys(problemsOf({ [variable]: value }))).toEqual([variable]);
  });

  it('never repeats a URL, which may hold a password, nor a token', () => {
    expect(JSON.stringify(problemsOf({ REDIS_URL: 'redi://:hunter2@cache' }))).not.toContain('hunter2');
    expect(JSON.stringify(problemsOf({ ADMIN_TOKEN: 'hunter2' }))).not.toContain('hunter2');
    expect(JSON.stringify(problemsOf({ SESSION_SECRETS: 'hunter2' }))).not.toContain('hunter2');
    expect(JSON.stringify(problemsOf({ PAYMENT_URL: 'https://hunter2@pay' }))).not.toContain('hunter2');
    expect(JSON.stringify(problemsOf({ PAYMENT_API_KEY: 'hunter2 ' }))).not.toContain('hunter2');
  });
});
