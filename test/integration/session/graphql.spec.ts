import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { UseGuards, type INestApplication } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Args, GraphQLModule, Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { CsrfGuard, Session, SessionGuard, SessionService } from '../../../src/session/index.js';
import { CookieClient } from '../../support/cookie-client.js';
import { GraphqlSocket, type GraphqlAnswer } from '../../support/graphql-socket.js';
import { expectNoLeakedConnections, sharedRedis } from '../../support/redis.js';
import { ADAPTERS, sessionService } from '../../support/session-app.js';

@Resolver()
class ShopResolver {
  @Query(() => String, { nullable: true })
  who(@Session() session: Session): string | null {
    return session.userId;
  }

  @UseGuards(SessionGuard)
  @Query(() => String)
  guarded(@Session() session: Session): string {
    return session.userId ?? '';
  }

  @Mutation(() => String)
  async logIn(@Session() session: Session, @Args('user') user: string): Promise<string> {
    await session.logIn(user);
    return user;
  }

  @Mutation(() => Boolean)
  set(@Session() session: Session, @Args('name') name: string): boolean {
    session.set(name, 1);
    return true;
  }

  @UseGuards(SessionGuard)
  @Mutation(() => String)
  change(@Session() session: Session): string {
    return `by ${session.userId}`;
  }

  @UseGuards(SessionGuard)
  @Subscription(() => String)
  async *ticks(@Session() session: Session): AsyncGenerator {
    yield await Promise.resolve({ ticks: session.userId });
  }
}

describe.each(ADAPTERS)('resolvers on %s', (adapter) => {
  let app: INestApplication;
  let url: string;
  let client: CookieClient;
  let sessions: SessionService;

  beforeAll(async () => {
    const opened = await sessionService(adapter, {
      redis: sharedRedis('standalone'),
      providers: [ShopResolver, { provide: APP_GUARD, useClass: CsrfGuard }],
      session: { trustedOrigins: ['https://app.example.com'] },
      imports: [
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          subscriptions: { 'graphql-ws': true },
        }),
      ],
    });
    ({ app, url } = opened);
    client = new CookieClient(url);
    sessions = app.get(SessionService);
  });
  afterAll(() => app.close());

  const ask = async (query: string): Promise<GraphqlAnswer> =>
    (await client.post('/graphql', { query })).body as GraphqlAnswer;

  it('have one session for a request, which is saved', async () => {
    expect((await ask('{ who }')).data).toEqual({ who: null });
    const { errors } = await ask('{ guarded }');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHORIZED', status: 401, title: 'Unauthorized' });
    expect((await ask('mutation { logIn(user: "ada") }')).data).toEqual({ logIn: 'ada' });
    expect(client.jar.size).toBe(1);
    const { loaded } = sessions.counters;
    expect((await ask('{ who guarded again: who }')).data).toEqual({ who: 'ada', guarded: 'ada', again: 'ada' });
    expect(sessions.counters.loaded - loaded).toBe(1);
    await ask('mutation { one: set(name: "one") two: set(name: "two") }');
    expect((await sessions.get(client.jar.get('__Host-sid')!))?.names().sort()).toEqual(['one', 'two']);
  });

  describe('that are called by a page of another site', () => {
    const query = 'mutation { logIn(user: "mallory") }';

    it.each<[string, () => Record<string, string>, boolean]>([
      ['says so itself', () => ({ 'sec-fetch-site': 'cross-site' }), false],
      ['is a neighbour', () => ({ 'sec-fetch-site': 'same-site', origin: 'https://neighbour.example.com' }), false],
      ['is open in an old browser', () => ({ origin: 'https://evil.example' }), false],
      ['is one of this site', () => ({ 'sec-fetch-site': 'same-origin', origin: new URL(url).origin }), true],
      ['is trusted', () => ({ 'sec-fetch-site': 'same-site', origin: 'https://app.example.com' }), true],
      ['is none', () => ({}), true],
    ])('which %s', async (_, headers, isAdmitted) => {
      const stranger = new CookieClient(url);
      const { body, cookies } = await stranger.post('/graphql', { query }, headers());
      const { data, errors } = body as GraphqlAnswer;
      expect(data ?? null).toEqual(isAdmitted ? { logIn: 'mallory' } : null);
      expect(cookies).toHaveLength(isAdmitted ? 1 : 0);
      if (!isAdmitted) expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', status: 403 });
    });

    it('which only reads, by GET', async () => {
      const { cookies } = await new CookieClient(url).post('/graphql', { query: 'mutation { logIn(user: "ada") }' });
      const headers = {
        cookie: cookies[0]!.split(';')[0]!,
        'sec-fetch-site': 'cross-site',
        'apollo-require-preflight': '1',
      };
      const { body } = await new CookieClient(url).get(`/graphql?query=${encodeURIComponent('{ who }')}`, headers);
      expect(body).toEqual({ data: { who: 'ada' } });
    });
  });

  describe('over a WebSocket', () => {
    const loggedIn = async (): Promise<{ token: string; cookie: string }> => {
      const token = sessions.tokenOf(await sessions.create({ userId: 'ada' }))!;
      return { token, cookie: `__Host-sid=${token}` };
    };

    const over = async (
      headers: Record<string, string>,
      use: (ask: (query: string) => Promise<unknown>) => Promise<void>,
    ): Promise<void> => {
      const socket = await GraphqlSocket.open(url, headers);
      try {
        await use(async (query) => {
          const { data, errors } = await socket.ask(query);
          return errors === undefined ? data : errors.map(({ extensions, message }) => extensions?.['code'] ?? message);
        });
      } finally {
        await socket.close();
      }
    };

    it('have the session of the handshake, until it ends', async () => {
      const { token, cookie } = await loggedIn();
      await over({ cookie }, async (askOver) => {
        expect(await askOver('{ who guarded }')).toEqual({ who: 'ada', guarded: 'ada' });
        expect(await askOver('mutation { change }')).toEqual({ change: 'by ada' });
        expect(await askOver('subscription { ticks }')).toEqual({ ticks: 'ada' });
        await sessions.destroy(token);
        expect(await askOver('{ who }')).toEqual({ who: null });
        expect(await askOver('mutation { change }')).toEqual(['UNAUTHORIZED']);
        expect(await askOver('subscription { ticks }')).toEqual(['UNAUTHORIZED']);
      });
    });

    it('read it once for guard and handler, and save what they set', async () => {
      const { token, cookie } = await loggedIn();
      await over({ cookie }, async (askOver) => {
        const { loaded } = sessions.counters;
        expect(await askOver('mutation { change }')).toEqual({ change: 'by ada' });
        expect(sessions.counters.loaded - loaded).toBe(1);
        expect(await askOver('mutation { one: set(name: "one") two: set(name: "two") }')).toMatchObject({ two: true });
        expect((await sessions.get(token))?.names().sort()).toEqual(['one', 'two']);
      });
    });

    it('have none for a page of another site, which has the cookie sent along', async () => {
      const { cookie } = await loggedIn();
      for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
        await over({ cookie, ...headers }, async (askOver) => {
          expect(await askOver('{ who }')).toEqual({ who: null });
          expect(await askOver('mutation { change }')).toEqual(['UNAUTHORIZED']);
          expect(await askOver('subscription { ticks }')).toEqual(['UNAUTHORIZED']);
        });
      }
      for (const origin of [new URL(url).origin, 'https://app.example.com']) {
        await over({ cookie, origin }, async (askOver) => expect(await askOver('{ who }')).toEqual({ who: 'ada' }));
      }
    });

    it('can begin none, since no answer can carry its cookie', async () => {
      const { created } = sessions.counters;
      await over({}, async (askOver) => {
        for (const mutation of ['logIn(user: "ada")', 'set(name: "one")']) {
          expect(await askOver(`mutation { ${mutation} }`)).toEqual([expect.stringMatching(/^No cookie can be set/)]);
        }
      });
      expect(sessions.counters.created).toBe(created);
    });
  });
});

expectNoLeakedConnections();
