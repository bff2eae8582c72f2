import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { UseGuards, type INestApplication } from '@nestjs/common';
import { GraphQLModule, Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { WebSocket } from 'ws';
import { eventually } from '../../../src/testing/index.js';
import { RateLimit, RateLimiter, SkipRateLimit, ThrottlerGuard, type Caller } from '../../../src/throttler/index.js';
import { expectNoLeakedConnections, sharedRedis } from '../../support/redis.js';
import { ADAPTERS, throttlerService } from '../../support/throttler-app.js';

const OWN = { limit: 2, window: '1h' } as const;

/** Requests that are being worked on, each until it is let go. */
const working = new Set<() => void>();

function letAllGo(): void {
  for (const done of working) done();
  working.clear();
}

@Resolver()
class ShopResolver {
  @Query(() => String)
  list(): string {
    return 'list';
  }

  @RateLimit(OWN)
  @Query(() => String)
  own(): string {
    return 'own';
  }

  @RateLimit({ limit: 1, window: '30m' })
  @Query(() => String, { nullable: true })
  scarce(): string {
    return 'scarce';
  }

  @UseGuards(ThrottlerGuard, ThrottlerGuard)
  @RateLimit('twice')
  @Query(() => String)
  twice(): string {
    return 'twice';
  }

  @SkipRateLimit()
  @Query(() => String)
  free(): string {
    return 'free';
  }

  @RateLimit('orders', { cost: 2 })
  @Mutation(() => String)
  order(): string {
    return 'ordered';
  }

  @RateLimit('slots')
  @Query(() => String)
  async work(): Promise<string> {
    await new Promise<void>((done) => working.add(done));
    return 'worked';
  }

  @RateLimit('left')
  @Query(() => String)
  leave(): string {
    return 'stayed';
  }

  @RateLimit(OWN)
  @Subscription(() => String)
  async *news(): AsyncGenerator<{ news: string }> {
    yield { news: 'none' };
  }

  @RateLimit('slots')
  @Subscription(() => String)
  async *endless(): AsyncGenerator<{ endless: string }> {
    yield { endless: 'none' };
  }
}

/** Makes the client leave. */
let leaving: AbortController | undefined;

/** Who says so leaves before it is known whose counter it is. */
async function whoLeaves({ request, headers }: Caller): Promise<string> {
  if (headers['x-leaves'] !== undefined) {
    const closed = once((request as IncomingMessage).socket, 'close');
    leaving?.abort();
    await closed;
  }
  return 'one of all';
}

const POLICIES = [
  { name: 'sustained', limit: 1_000, window: '1h' },
  { name: 'orders', limit: 3, window: '1h', optIn: true },
  { name: 'twice', limit: 10, window: '1h', optIn: true },
  { name: 'slots', concurrent: 1, optIn: true },
  { name: 'left', concurrent: 1, tracker: whoLeaves, optIn: true },
] as const;

const LOCAL = ['ip', '127.0.0.1'] as const;

interface Answer {
  readonly data: Record<string, string | null> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

describe.each(ADAPTERS)('GraphQL on %s', (adapter) => {
  let app: INestApplication;
  let url: string;
  let limiter: RateLimiter;
  beforeAll(async () => {
    ({ app, url } = await throttlerService(adapter, {
      redis: sharedRedis('standalone'),
      throttler: { policies: POLICIES },
      providers: [ShopResolver],
      imports: [
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          subscriptions: { 'graphql-ws': true },
        }),
      ],
    }));
    limiter = app.get(RateLimiter);
  });
  afterAll(() => app.close());

  const post = (query: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      ...init,
      headers: { 'content-type': 'application/json', ...init.headers },
      body: JSON.stringify({ query }),
    });
  const ask = async (query: string): Promise<Answer> => (await (await post(query)).json()) as Answer;
  const codesOf = ({ errors = [] }: Answer): unknown[] => errors.map(({ extensions }) => extensions['code']);
  const left = async (policy: string): Promise<number | undefined> =>
    (await limiter.peek(policy, LOCAL)).policies[0]?.remaining;

  it('limits a query, and tells what is left in the headers of the response', async () => {
    const response = await post('{ list }');
    expect(await response.json()).toEqual({ data: { list: 'list' } });
    expect(response.headers.get('ratelimit-policy')).toBe('"sustained";q=1000;w=3600');
    expect(response.headers.get('ratelimit')).toMatch(/^"sustained";r=9\d\d;t=3\d{3}$/);
    expect(response.headers.get('retry-after')).toBeNull();
  });

  it('refuses with an error that has the problem details as extensions, and with Retry-After', async () => {
    expect([await ask('{ own }'), await ask('{ own }')].map(codesOf)).toEqual([[], []]);
    const before = await left('sustained');
    const response = await post('{ own }');
    const { data, errors } = (await response.json()) as Answer;
    expect(data).toBeNull();
    expect(errors).toMatchObject([
      {
        message: 'Request cannot be satisfied as assigned quota has been exceeded',
        path: ['own'],
        extensions: {
          code: 'TOO_MANY_REQUESTS',
          type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
          status: 429,
          'violated-policies': ['ShopResolver.own'],
        },
      },
    ]);
    const retryAfter = Number(response.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(3_000);
    expect(errors?.[0]?.extensions['retryAfterMs']).toBeGreaterThan((retryAfter - 1) * 1_000);
    expect(response.headers.get('ratelimit')).toContain(`"ShopResolver.own";r=0;t=${retryAfter}`);
    expect(await left('sustained')).toBe(before);
  });

  it('charges a mutation what it costs', async () => {
    expect([await ask('mutation { order }'), await ask('mutation { order }')].map(codesOf)).toEqual([
      [],
      ['TOO_MANY_REQUESTS'],
    ]);
    expect(await left('orders')).toBe(1);
  });

  it('counts each call of a guarded resolver, by whatever name the query has it', async () => {
    const before = (await left('sustained')) ?? 0;
    expect((await ask('{ list again: list free }')).data).toEqual({ list: 'list', again: 'list', free: 'free' });
    expect(await left('sustained')).toBe(before - 2);
  });

  it('tells in the headers of the field that has to wait, whichever is decided last', async () => {
    await ask('{ scarce }');
    for (const query of ['{ scarce list }', '{ list scarce }']) {
      const response = await post(query);
      expect(await response.json()).toMatchObject({ data: { scarce: null, list: 'list' } });
      expect(response.headers.get('retry-after')).toMatch(/^1[78]\d\d$/);
      expect(response.headers.get('ratelimit')).toContain('"ShopResolver.scarce";r=0');
    }
  });

  it('counts a call once, however often the guard is bound', async () => {
    await ask('{ twice }');
    expect(await left('twice')).toBe(9);
  });

  it('leaves a resolver alone that skips', async () => {
    const response = await post('{ free }');
    expect(await response.json()).toEqual({ data: { free: 'free' } });
    expect(response.headers.get('ratelimit')).toBeNull();
  });

  it('keeps a limit of requests at once until the response is sent', async () => {
    const first = ask('{ work }');
    try {
      await eventually(() => expect(working.size).toBe(1));
      expect(codesOf(await ask('{ work }'))).toEqual(['TOO_MANY_REQUESTS']);
    } finally {
      letAllGo();
    }
    expect((await first).data).toEqual({ work: 'worked' });
    await eventually(async () => expect(await left('slots')).toBe(1));
  });

  it('gives the slot back of a client that has left before it was decided', async () => {
    const { admitted } = limiter.counters;
    leaving = new AbortController();
    await expect(post('{ leave }', { signal: leaving.signal, headers: { 'x-leaves': 'yes' } })).rejects.toThrow();
    await eventually(() => expect(limiter.counters.admitted).toBe(admitted + 1));
    await eventually(async () => expect((await ask('{ leave }')).data).toEqual({ leave: 'stayed' }));
  });

  describe('over a WebSocket', () => {
    /** What a subscription is answered first. */
    async function subscribe(query: string): Promise<{ readonly type: string; readonly payload: unknown }> {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
      const closed = once(socket, 'close');
      try {
        await once(socket, 'open');
        const say = (message: object): Promise<unknown[]> => {
          socket.send(JSON.stringify(message));
          return once(socket, 'message');
        };
        await say({ type: 'connection_init' });
        const [data] = await say({ id: '1', type: 'subscribe', payload: { query } });
        return JSON.parse(String(data)) as { type: string; payload: unknown };
      } finally {
        socket.close();
        await closed;
      }
    }

    it('limits subscriptions', async () => {
      const query = 'subscription { news }';
      const types = [await subscribe(query), await subscribe(query)].map(({ type }) => type);
      expect(types).toEqual(['next', 'next']);
      const refused = await subscribe(query);
      expect(refused.payload).toMatchObject({ errors: [{ extensions: { code: 'TOO_MANY_REQUESTS', status: 429 } }] });
    });

    it('refuses to keep a limit of requests at once, and charges nothing', async () => {
      const before = await left('sustained');
      const refused = await subscribe('subscription { endless }');
      expect(refused.payload).toMatchObject({
        errors: [{ message: expect.stringMatching(/when ShopResolver.endless is done.*RateLimiter.run\(\)/) }],
      });
      expect([await left('sustained'), await left('slots')]).toEqual([before, 1]);
    });
  });
});

expectNoLeakedConnections();
