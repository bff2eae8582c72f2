import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, UseGuards, type INestApplication } from '@nestjs/common';
import { parseList } from 'structured-headers';
import { RateLimit, SkipRateLimit, ThrottlerGuard } from '../../../src/throttler/index.js';
import { expectNoLeakedConnections, sharedRedis } from '../../support/redis.js';
import { ADAPTERS, throttlerApp, throttlerService } from '../../support/throttler-app.js';

@Controller('shop')
class ShopController {
  @Get('list')
  list(): string {
    return 'list';
  }

  @RateLimit({ limit: 2, window: '1h' })
  @Get('own')
  own(): string {
    return 'own';
  }

  @RateLimit('strict')
  @Get('login')
  login(): string {
    return 'login';
  }

  @RateLimit('strict', { cost: 2 })
  @Get('reset')
  reset(): string {
    return 'reset';
  }

  @RateLimit({ name: 'sustained', limit: 1, window: '1h' })
  @Get('replaced')
  replaced(): string {
    return 'replaced';
  }

  @SkipRateLimit()
  @Get('free')
  free(): string {
    return 'free';
  }

  @UseGuards(ThrottlerGuard, ThrottlerGuard)
  @RateLimit('twice')
  @Get('twice')
  twice(): string {
    return 'twice';
  }
}

const POLICIES = [
  { name: 'sustained', limit: 1_000, window: '1h' },
  { name: 'strict', rate: '3/h', burst: 3, optIn: true },
  { name: 'twice', limit: 10, window: '1h', optIn: true },
] as const;

/** What a field of structured items says: names, and their parameters. */
function fieldOf(response: Response, name: string): Record<string, Record<string, unknown>> {
  const items = parseList(response.headers.get(name) ?? '');
  return Object.fromEntries(items.map(([item, parameters]) => [String(item), Object.fromEntries(parameters)]));
}

describe.each(ADAPTERS)('on %s', (adapter) => {
  let app: INestApplication;
  let url: string;
  beforeAll(async () => {
    ({ app, url } = await throttlerService(adapter, {
      redis: sharedRedis('standalone'),
      throttler: { policies: POLICIES, headers: { legacy: true } },
      controllers: [ShopController],
    }));
  });
  afterAll(() => app.close());
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/shop/${path}`, { headers });

  it('says in structured fields what is limited and what is left', async () => {
    const first = await get('list');
    expect(first.status).toBe(200);
    expect(fieldOf(first, 'ratelimit-policy')).toEqual({ sustained: { q: 1_000, w: 3_600 } });
    const { r, t } = fieldOf(first, 'ratelimit')['sustained'] as { r: number; t: number };
    expect(t).toBeGreaterThan(3_600 - 1);
    expect(fieldOf(await get('list'), 'ratelimit')).toMatchObject({ sustained: { r: r - 1 } });
    expect(first.headers.get('x-ratelimit-limit')).toBe('1000');
    expect(first.headers.get('retry-after')).toBeNull();
  });

  it("refuses with problem details, and leaves the others' counters alone", async () => {
    const statuses = [await get('own'), await get('own'), await get('own')].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 429]);
    const before = fieldOf(await get('list'), 'ratelimit')['sustained'] as { r: number };
    const refused = await get('own');
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(3_000);
    expect(fieldOf(refused, 'ratelimit')).toMatchObject({ 'ShopController.own': { r: 0, t: retryAfter } });
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await refused.json()).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      'violated-policies': ['ShopController.own'],
    });
    // A refusal charges nobody: not the policy that would have had room, either.
    expect(fieldOf(await get('list'), 'ratelimit')).toMatchObject({ sustained: { r: before.r - 1 } });
  });

  it('counts routes together that name a policy, each at its cost', async () => {
    const statuses = [await get('login'), await get('reset'), await get('login')].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('takes a policy of the route in the place of the one of that name', async () => {
    const statuses = [await get('replaced'), await get('replaced')].map(({ status }) => status);
    expect(statuses).toEqual([200, 429]);
    expect((await get('list')).status).toBe(200);
  });

  it('leaves a route alone that skips', async () => {
    const answer = await get('free');
    expect([answer.status, answer.headers.get('ratelimit')]).toEqual([200, null]);
  });

  it('counts a request once, however often the guard is bound', async () => {
    expect(fieldOf(await get('twice'), 'ratelimit')).toMatchObject({ twice: { r: 9 } });
    expect(fieldOf(await get('twice'), 'ratelimit')).toMatchObject({ twice: { r: 8 } });
  });

  it('is not taken in by X-Forwarded-For from somebody who is no proxy', async () => {
    const before = fieldOf(await get('list'), 'ratelimit')['sustained'] as { r: number };
    const spoofed = await get('list', { 'x-forwarded-for': '203.0.113.77' });
    expect(fieldOf(spoofed, 'ratelimit')).toMatchObject({ sustained: { r: before.r - 1 } });
  });
});

describe('At boot', () => {
  const boot = (policies: readonly object[], controllers = [] as (typeof ShopController)[]) =>
    throttlerApp({ redis: sharedRedis('standalone'), throttler: { policies: policies as never }, controllers });

  it.each([
    ['a limit of 0', { name: 'a', limit: 0, window: '1s' }, /limit of policy 'a' must be a whole number from 1/],
    ['a window of nothing', { name: 'a', limit: 1, window: '0s' }, /window of policy 'a'/],
    ['half a unit', { name: 'a', limit: 5, window: '1s', cost: 1.5 }, /cost of policy 'a' must be a whole number/],
    ['a cost above the limit', { name: 'a', limit: 5, window: '1s', cost: 6 }, /no request could ever succeed/],
    ['a rate that is none', { name: 'a', rate: '10', burst: 1 }, /rate of policy 'a' must be so many units/],
    ['a policy that says nothing', { name: 'a' }, /must say what it limits/],
  ])('refuses %s', async (_, policy, message) => {
    await expect(boot([policy])).rejects.toThrow(message);
  });

  it('refuses two policies of one name', async () => {
    const policy = { name: 'a', limit: 1, window: '1s' };
    await expect(boot([policy, policy])).rejects.toThrow(/two policies named 'a'/);
  });

  it('refuses a route that names a policy which is not there', async () => {
    await expect(boot([], [ShopController])).rejects.toThrow(/There is no rate limit policy 'strict'/);
  });
});

expectNoLeakedConnections();
