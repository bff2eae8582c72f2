import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, UseGuards, type INestMicroservice, type Type } from '@nestjs/common';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Transport,
  type ClientProxy,
  type TcpContext,
} from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../../../src/testing/index.js';
import { RateLimit, RateLimiter, SkipRateLimit, ThrottlerGuard, type Caller } from '../../../src/throttler/index.js';
import type { ThrottlerModuleOptions } from '../../../src/throttler/throttler.options.js';
import { expectNoLeakedConnections, sharedRedis } from '../../support/redis.js';
import { startOrClose, throttlerApp, throttlerModule } from '../../support/throttler-app.js';

const sent: string[] = [];

@Controller()
class MailController {
  @MessagePattern('send')
  send(): string {
    return 'sent';
  }

  @RateLimit({ limit: 1, window: '1h' })
  @MessagePattern('letter')
  letter(): string {
    return 'sent';
  }

  @UseGuards(ThrottlerGuard, ThrottlerGuard)
  @RateLimit('twice')
  @MessagePattern('twice')
  twice(): string {
    return 'sent';
  }

  @SkipRateLimit()
  @MessagePattern('free')
  free(): string {
    return 'sent';
  }

  @RateLimit('events')
  @EventPattern('event')
  event({ id }: { readonly id: string }): void {
    sent.push(id);
  }

  @RateLimit('by-pattern')
  @MessagePattern('traced')
  traced(): string {
    return 'sent';
  }
}

const byTenant = ({ context }: Caller) => ['tenant', context.switchToRpc().getData<{ tenant: string }>().tenant];
const byPattern = ({ request }: Caller) => ['pattern', (request as TcpContext).getPattern()];

const POLICIES = [
  { name: 'sustained', limit: 1_000, window: '1h' },
  { name: 'twice', limit: 10, window: '1h', optIn: true },
  { name: 'events', limit: 1, window: '1h', optIn: true },
  { name: 'by-pattern', limit: 10, window: '1h', tracker: byPattern, optIn: true },
] as const;

interface Service {
  readonly app: INestMicroservice;
  readonly client: ClientProxy;
  /** What has been logged as an error. */
  readonly errors: readonly unknown[];
}

async function serve(throttler: ThrottlerModuleOptions): Promise<Service> {
  const errors: unknown[] = [];
  const ignore = (): void => undefined;
  const module = await throttlerModule({
    redis: sharedRedis('standalone'),
    throttler,
    controllers: [MailController],
  }).compile();
  const app = module.createNestMicroservice({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: 0 },
    logger: { log: ignore, warn: ignore, error: (error: unknown) => errors.push(error) },
  });
  await startOrClose(app, () => app.listen());
  const { port } = app.unwrap<Server>().address() as AddressInfo;
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
  return { app, client, errors };
}

async function stop({ app, client }: Service): Promise<void> {
  client.close();
  await app.close();
}

describe('a TCP microservice', () => {
  let service: Service;
  let limiter: RateLimiter;
  beforeAll(async () => {
    service = await serve({ policies: POLICIES, tracker: byTenant });
    limiter = service.app.get(RateLimiter);
  });
  afterAll(() => stop(service));

  const send = (pattern: string, tenant: string): Promise<unknown> =>
    firstValueFrom(service.client.send<unknown>(pattern, { tenant }));
  const left = async (policy: string, ...tracker: string[]): Promise<number | undefined> =>
    (await limiter.peek(policy, tracker)).policies[0]?.remaining;

  it('is limited by what messages hold', async () => {
    expect(await send('send', 'a')).toBe('sent');
    expect([await left('sustained', 'tenant', 'a'), await left('sustained', 'tenant', 'b')]).toEqual([999, 1_000]);
  });

  it('is limited by what the transport tells', async () => {
    expect(await send('traced', 'c')).toBe('sent');
    expect(await left('by-pattern', 'pattern', 'traced')).toBe(9);
  });

  it('refuses with problem details, and charges nobody', async () => {
    expect(await send('letter', 'd')).toBe('sent');
    const refusal = (await send('letter', 'd').catch((error: unknown) => error)) as { readonly retryAfterMs: number };
    expect(refusal).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      'violated-policies': ['MailController.letter'],
      retryAfterMs: expect.any(Number),
    });
    expect(refusal.retryAfterMs).toBeGreaterThan(3_000_000);
    expect(await left('sustained', 'tenant', 'd')).toBe(999);
    expect(await send('letter', 'e')).toBe('sent');
  });

  it('counts a message once, however often the guard is bound, and each message', async () => {
    await send('twice', 'f');
    await send('twice', 'f');
    expect(await left('twice', 'tenant', 'f')).toBe(8);
  });

  it('leaves a message alone that skips', async () => {
    expect(await send('free', 'g')).toBe('sent');
    expect(await left('sustained', 'tenant', 'g')).toBe(1_000);
  });

  it('drops an event that is refused, and goes on', async () => {
    const { refused } = limiter.counters;
    const emit = (id: string): Promise<unknown> =>
      firstValueFrom(service.client.emit('event', { tenant: 'h', id }), { defaultValue: null });
    await emit('first');
    await eventually(() => expect(sent).toEqual(['first']));
    await emit('second');
    await eventually(() => expect(limiter.counters.refused).toBe(refused + 1));
    expect(await send('send', 'h')).toBe('sent');
    expect(sent).toEqual(['first']);
  });
});

describe('What cannot work with messages', () => {
  const failing = async (throttler: ThrottlerModuleOptions, message: RegExp): Promise<void> => {
    const service = await serve(throttler);
    try {
      await expect(firstValueFrom(service.client.send('send', { tenant: 'a' }))).rejects.toEqual({
        status: 'error',
        message: 'Internal server error',
      });
      await eventually(() => expect(String(service.errors)).toMatch(message));
      expect(service.app.get(RateLimiter).counters).toMatchObject({ admitted: 0, refused: 0 });
    } finally {
      await stop(service);
    }
  };

  it('is an address, and the log says what to do', async () => {
    const message = /byIp: this rpc call has no address to go by. Give its policy a tracker that knows whose message/;
    await failing({ policies: POLICIES }, message);
  });

  it('is a limit of requests at once that the module has for all, and nothing is charged', async () => {
    const policies = [...POLICIES, { name: 'slots', concurrent: 1 }];
    const message = /when MailController.send is done.*@SkipRateLimit\('slots'\).*RateLimiter.run\(\)/;
    await failing({ policies, tracker: byTenant }, message);
  });
});

describe('At boot', () => {
  @Controller()
  class MessageController {
    @RateLimit('slots')
    @MessagePattern('work')
    work(): void {}
  }

  @RateLimit({ concurrent: 1, name: 'own' })
  @Controller()
  class EventController {
    @EventPattern('work')
    work(_message: unknown): void {}
  }

  @RateLimit('slots')
  @Controller()
  class SkippingController {
    @SkipRateLimit('slots')
    @MessagePattern('work')
    work(): void {}
  }

  const boot = async (controller: Type): Promise<void> => {
    const app = await throttlerApp({
      redis: sharedRedis('standalone'),
      throttler: { policies: [{ name: 'slots', concurrent: 1, optIn: true }] },
      controllers: [controller],
    });
    await app.close();
  };

  it.each([
    ['messages', MessageController, 'slots'],
    ['events', EventController, 'own'],
  ])('refuses a handler of %s with a limit of requests at once', async (_, controller, policy) => {
    await expect(boot(controller)).rejects.toThrow(
      `Policy '${policy}' limits requests at once, and ThrottlerGuard cannot see when ${controller.name}.work is done`,
    );
  });

  it('takes one that skips the limit', async () => {
    await expect(boot(SkippingController)).resolves.toBeUndefined();
  });
});

expectNoLeakedConnections();
