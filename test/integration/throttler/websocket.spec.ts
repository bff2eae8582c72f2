import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UseGuards, type INestApplication, type LoggerService, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { eventually } from '../../../src/testing/index.js';
import { byIp, byUser, RateLimit, RateLimiter, SkipRateLimit, ThrottlerGuard } from '../../../src/throttler/index.js';
import type { ThrottlerModuleOptions } from '../../../src/throttler/throttler.options.js';
import { TRANSPORTS, type ChatClient, type Said } from '../../support/chat-clients.js';
import { expectNoLeakedConnections, sharedRedis } from '../../support/redis.js';
import { startOrClose, throttlerApp, throttlerModule } from '../../support/throttler-app.js';

/** What the two packages have in common, and what the application adds. */
interface GatewayClient {
  readonly handshake?: object;
  request: IncomingMessage;
  data: { user?: string | undefined };
}

const DONE: Said = { event: 'done', data: null };

@WebSocketGateway()
class ChatGateway implements OnGatewayConnection {
  handleConnection(client: GatewayClient, upgrade?: IncomingMessage): void {
    if (client.handshake === undefined && upgrade !== undefined) client.request = upgrade;
    client.data = { user: client.request.headers['x-user'] as string | undefined };
  }

  @SubscribeMessage('say')
  say(): Said {
    return DONE;
  }

  @RateLimit({ limit: 1, window: '1h' })
  @SubscribeMessage('shout')
  shout(): Said {
    return DONE;
  }

  @UseGuards(ThrottlerGuard, ThrottlerGuard)
  @SkipRateLimit('messages')
  @RateLimit('twice')
  @SubscribeMessage('twice')
  twice(): Said {
    return DONE;
  }

  @SkipRateLimit()
  @SubscribeMessage('free')
  free(): Said {
    return DONE;
  }
}

const POLICIES = [
  { name: 'messages', limit: 1_000, window: '1h' },
  { name: 'twice', limit: 10, window: '1h', optIn: true },
] as const;

describe.each(['socket.io', 'ws'] as const)('a gateway on %s', (transport) => {
  const { Adapter, open } = TRANSPORTS[transport];

  async function serve(throttler: ThrottlerModuleOptions, gateway: Type, logger: LoggerService | false = false) {
    const options = { redis: sharedRedis('standalone'), throttler, providers: [gateway] };
    const app = (await throttlerModule(options).compile()).createNestApplication(new ExpressAdapter(), { logger });
    app.useWebSocketAdapter(new Adapter(app));
    await startOrClose(app, () => app.listen(0, '127.0.0.1'));
    return { app, url: await app.getUrl() };
  }

  async function withClient<Result>(
    url: string,
    headers: Record<string, string>,
    use: (client: ChatClient) => Promise<Result>,
  ): Promise<Result> {
    const client = await open(url, headers);
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }

  describe('with limits', () => {
    let app: INestApplication;
    let url: string;
    let limiter: RateLimiter;
    beforeAll(async () => {
      const tracker = byUser(undefined, byIp({ trustedProxies: ['loopback'] }));
      ({ app, url } = await serve({ policies: POLICIES, tracker }, ChatGateway));
      limiter = app.get(RateLimiter);
    });
    afterAll(() => app.close());

    const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });
    const left = async (policy: string, kind: 'ip' | 'user', id: string): Promise<number | undefined> =>
      (await limiter.peek(policy, [kind, id])).policies[0]?.remaining;

    it('refuses with an exception that holds the problem details, and charges nobody', async () => {
      await withClient(url, from('192.0.2.1'), async (client) => {
        expect(await client.say('shout')).toEqual(DONE);
        const { event, data } = await client.say('shout');
        expect(event).toBe('exception');
        expect(data).toEqual({
          type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
          title: 'Request cannot be satisfied as assigned quota has been exceeded',
          status: 429,
          'violated-policies': ['ChatGateway.shout'],
          retryAfterMs: expect.any(Number),
        });
        expect((data as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(3_000_000);
        expect(await client.say('say')).toEqual(DONE);
      });
      expect(await left('messages', 'ip', '192.0.2.1')).toBe(998);
    });

    it('goes by the address, and believes the proxies that it trusts', async () => {
      await withClient(url, {}, (client) => client.say('say'));
      await withClient(url, from('192.0.2.2'), (client) => client.say('say'));
      await withClient(url, from('192.0.2.2'), (client) => client.say('say'));
      expect(await left('messages', 'ip', '127.0.0.1')).toBe(999);
      expect(await left('messages', 'ip', '192.0.2.2')).toBe(998);
    });

    it('goes by the user, from wherever they come', async () => {
      await withClient(url, { ...from('192.0.2.3'), 'x-user': 'alice' }, (client) => client.say('say'));
      await withClient(url, { ...from('192.0.2.4'), 'x-user': 'alice' }, (client) => client.say('say'));
      await withClient(url, { ...from('192.0.2.4'), 'x-user': 'bob' }, (client) => client.say('say'));
      expect(await left('messages', 'user', 'alice')).toBe(998);
      expect(await left('messages', 'user', 'bob')).toBe(999);
      expect(await left('messages', 'ip', '192.0.2.4')).toBe(1_000);
    });

    it('counts a message once, however often the guard is bound, and each message', async () => {
      await withClient(url, from('192.0.2.5'), async (client) => {
        expect(await client.say('twice')).toEqual(DONE);
        expect(await client.say('twice')).toEqual(DONE);
      });
      expect(await left('twice', 'ip', '192.0.2.5')).toBe(8);
    });

    it('leaves a message alone that skips a policy, or all', async () => {
      await withClient(url, from('192.0.2.6'), async (client) => {
        expect(await client.say('twice')).toEqual(DONE);
        expect(await client.say('free')).toEqual(DONE);
      });
      expect(await left('messages', 'ip', '192.0.2.6')).toBe(1_000);
    });
  });

  it('refuses to keep a limit of requests at once that the module has for all, and charges nothing', async () => {
    const errors: unknown[] = [];
    const ignore = (): void => undefined;
    const logger = { log: ignore, warn: ignore, error: (error: unknown) => errors.push(error) };
    const policies = [...POLICIES, { name: 'slots', concurrent: 1 }];
    const { app, url } = await serve({ policies }, ChatGateway, logger);
    try {
      const { event, data } = await withClient(url, {}, (client) => client.say('say'));
      expect([event, data]).toMatchObject(['exception', { message: 'Internal server error' }]);
      await eventually(() => expect(String(errors)).toMatch(/when ChatGateway.say is done.*@SkipRateLimit\('slots'\)/));
      const { policies: states } = await app.get(RateLimiter).peek(['messages', 'slots'], ['ip', '127.0.0.1']);
      expect(states.map(({ remaining }) => remaining)).toEqual([1_000, 1]);
    } finally {
      await app.close();
    }
  });
});

describe('At boot', () => {
  class OwnGateway {
    @RateLimit({ concurrent: 1 })
    @SubscribeMessage('work')
    work(): void {}
  }

  class NamingGateway {
    @RateLimit('slots')
    @SubscribeMessage('work')
    work(): void {}
  }

  @RateLimit('slots')
  class LimitedGateway {
    @SubscribeMessage('work')
    work(): void {}
  }

  @RateLimit('slots')
  class SkippingGateway {
    @SkipRateLimit('slots')
    @SubscribeMessage('work')
    work(): void {}

    /** Called by others, and no handler. */
    help(): void {}
  }

  const boot = async (gateway: Type): Promise<void> => {
    const app = await throttlerApp({
      redis: sharedRedis('standalone'),
      throttler: { policies: [{ name: 'slots', concurrent: 1, optIn: true }] },
      providers: [gateway],
    });
    await app.close();
  };

  it.each([
    ['of its own', OwnGateway, 'OwnGateway.work'],
    ['that it names', NamingGateway, 'slots'],
    ['that its gateway names', LimitedGateway, 'slots'],
  ])('refuses a message handler with a limit of requests at once %s', async (_, gateway, policy) => {
    await expect(boot(gateway)).rejects.toThrow(
      `Policy '${policy}' limits requests at once, and ThrottlerGuard cannot see when ${gateway.name}.work is done`,
    );
  });

  it('takes one that skips the limit', async () => {
    await expect(boot(SkippingGateway)).resolves.toBeUndefined();
  });
});

expectNoLeakedConnections();
