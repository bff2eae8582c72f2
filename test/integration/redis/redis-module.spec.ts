import {
  Injectable,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigurationError } from '../../../src/core/errors/configuration.error.js';
import { InjectRedis, redisToken } from '../../../src/core/redis/inject-redis.decorator.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { eventually, startRedis, startTcpProxy } from '../../../src/testing/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { atOnce } from '../../faults/redis/outcome.js';
import { closeAfterEach, openModule, openRedis, SILENT } from './open-redis.js';

expectNoLeakedConnections();
closeAfterEach();
afterEach(() => void jest.restoreAllMocks());

/** Nobody listens on port 1. */
const NOWHERE = 'redis://:hunter2-secret@127.0.0.1:1';

const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length;

@Injectable()
class Mailer implements OnModuleInit, OnApplicationBootstrap {
  readonly seen: string[] = [];

  constructor(
    @InjectRedis() readonly main: RedisConnection,
    @InjectRedis('jobs') readonly jobs: RedisConnection,
  ) {}

  async onModuleInit(): Promise<void> {
    this.seen.push(String(await this.main.send('PING', [])));
  }

  async onApplicationBootstrap(): Promise<void> {
    this.seen.push(String(await this.jobs.send('PING', [])));
  }
}

describeTopologies((topology) => {
  it('is up as soon as the application has booted', async () => {
    const redis = await openRedis(sharedRedis(topology));
    expect(redis.health.status.state).toBe('up');
    expect(redis.counters.connects).toBe(topology === 'cluster' ? 3 : 1);
  });

  it('opens default and named connections, for hooks of other modules too', async () => {
    @Module({ providers: [Mailer] })
    class MailModule {}
    const module = await Test.createTestingModule({
      imports: [
        MailModule,
        RedisModule.forRoot({
          ...sharedRedis(topology),
          connections: { jobs: { ...sharedRedis('standalone'), keyPrefix: 'jobs' } },
        }),
      ],
    }).compile();
    await module.init();
    const mailer = module.get(Mailer, { strict: false });
    expect(mailer.seen).toEqual(['PONG', 'PONG']);
    expect([mailer.main.name, mailer.jobs.name]).toEqual(['default', 'jobs']);
    expect(mailer.jobs.keyPrefix).toBe('jobs');
    expect(module.get(redisToken('jobs'), { strict: false })).toBe(mailer.jobs);
    await module.close();
  });

  it('takes options from a factory, with the named connections announced', async () => {
    @Module({ providers: [Mailer] })
    class MailModule {}
    const module = await Test.createTestingModule({
      imports: [
        MailModule,
        RedisModule.forRootAsync({
          connectionNames: ['jobs'],
          useFactory: () => Promise.resolve({ ...sharedRedis(topology), connections: { jobs: sharedRedis(topology) } }),
        }),
      ],
    }).compile();
    await module.init();
    expect(module.get(Mailer, { strict: false }).seen).toEqual(['PONG', 'PONG']);
    await module.close();
  });
});

describe('what a mistake reads like', () => {
  @Injectable()
  class Shop {
    constructor(@InjectRedis('jobs') readonly jobs: unknown) {}
  }

  const boot = async (imports: DynamicModule[], providers: Provider[] = []): Promise<string> => {
    const error = await Test.createTestingModule({ imports, providers })
      .setLogger(SILENT)
      .compile()
      .then(
        () => new Error('It booted.'),
        (reason: unknown) => reason,
      );
    return (error as Error).message;
  };

  it('names the remedy when a connection is not there', async () => {
    expect(await boot([], [Shop])).toContain(
      "Redis connection 'jobs' (add it to 'connections' of RedisModule.forRoot()",
    );
    expect(await boot([RedisModule.forRootAsync({ useFactory: () => ({}), connectionNames: ['jobs'] })], [Shop])).toBe(
      "There is no Redis connection 'jobs'; there are 'default'. Add it to 'connections' in RedisModule.forRoot().",
    );
    expect(redisToken().description).toContain('import RedisModule.forRoot()');
  });

  it('fails the boot over a bad option, with either way of giving it', async () => {
    const options = { deadline: 500 as never };
    for (const module of [RedisModule.forRoot(options), RedisModule.forRootAsync({ useFactory: () => options })]) {
      expect(await boot([module])).toContain('RedisModule: deadline must be a duration');
    }
  });

  it('lists the connections there are', async () => {
    const module = await openModule({ ...sharedRedis('standalone'), connections: { jobs: sharedRedis('standalone') } });
    const connections = module.get(RedisConnections, { strict: false });
    expect(() => connections.get('job')).toThrow(ConfigurationError);
    expect(() => connections.get('job')).toThrow("there are 'default', 'jobs'");
  });
});

describe('without Redis', () => {
  it.each([
    ['a server', { url: NOWHERE }],
    ['Sentinels', { sentinel: { name: 'main', nodes: [{ host: '127.0.0.1', port: 1 }] } }],
    ['a cluster', { cluster: { nodes: [{ host: '127.0.0.1', port: 1 }] } }],
  ])('boots within connectWithin in place of %s, says why, and fails commands at once', async (_, target) => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const started = performance.now();
    const module = await Test.createTestingModule({
      imports: [RedisModule.forRoot({ ...target, connectWithin: '300ms' })],
    }).compile();
    await module.init();
    expect(performance.now() - started).toBeLessThan(5_000);
    const redis = module.get<RedisConnection>(redisToken(), { strict: false });
    expect(redis.health.status).toMatchObject({
      state: 'down',
      reason: expect.stringMatching(/ECONNREFUSED|entinels/),
    });
    expect(warn.mock.calls.flat().join()).toContain("Redis connection 'default' is out of reach (");
    expect(warn.mock.calls.flat().join()).not.toContain('secret');

    for (const asked of [() => redis.send('PING', []), () => redis.get('key')]) {
      const { error } = await atOnce(asked());
      expect(error).toMatchObject({ reason: 'not-connected', mayHaveRun: false });
    }
    await module.close();
  });

  it('fails the boot when the connection is required, says which and why, and leaves nothing behind', async () => {
    const before = sockets();
    const module = await Test.createTestingModule({
      imports: [
        RedisModule.forRoot({
          ...sharedRedis('standalone'),
          connections: { jobs: { url: NOWHERE, required: true, connectWithin: '200ms' } },
        }),
      ],
    })
      .setLogger(SILENT)
      .compile();
    const error = (await module.init().catch((reason: unknown) => reason)) as Error;
    expect(error).toMatchObject({
      code: 'ROOKERY_REDIS_UNAVAILABLE',
      reason: 'not-connected',
      context: { connection: 'jobs' },
    });
    expect((error.cause as Error).message).toContain('connect ECONNREFUSED');
    expect(JSON.stringify([error.message, (error.cause as Error).message])).not.toContain('secret');
    await eventually(() => expect(sockets()).toBeLessThanOrEqual(before));
  });

  it.each(['standalone', 'cluster'] as const)('finds %s by itself when it appears after the boot', async (topology) => {
    await using server = topology === 'cluster' ? await startRedis({ topology }) : await startRedis();
    await Promise.all(server.nodes.map((node) => node.stop()));
    const redis = await openRedis({ ...server.connectionOptions, connectWithin: '300ms' });
    expect(redis.health.isUp).toBe(false);
    await Promise.all(server.nodes.map((node) => node.start()));
    await redis.health.untilUp({ within: topology === 'cluster' ? '15s' : '2s' });
    await eventually(() => redis.send('SET', [randomPrefix(), 'x', 'PX', 1_000]), { within: '15s' });
  });

  it('does not wait for a server that accepts and says nothing', async () => {
    await using proxy = await startTcpProxy({ host: '127.0.0.1', port: 1 });
    proxy.freeze();
    const redis = await openRedis({
      url: `redis://127.0.0.1:${proxy.port}`,
      connectWithin: '200ms',
      breaker: { hangLimit: '300ms' },
    });
    await eventually(() =>
      expect(redis.health.status).toMatchObject({ state: 'down', reason: 'the server does not answer' }),
    );
    await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'not-connected' });
  });
});
