import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { UseGuards, type INestApplication } from '@nestjs/common';
import { Args, GraphQLModule, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Session, SessionGuard, SessionService } from '../../../src/session/index.js';
import { CookieClient } from '../../support/cookie-client.js';
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
}

describe.each(ADAPTERS)('resolvers on %s', (adapter) => {
  let app: INestApplication;
  let client: CookieClient;
  let sessions: SessionService;

  beforeAll(async () => {
    const opened = await sessionService(adapter, {
      redis: sharedRedis('standalone'),
      providers: [ShopResolver],
      imports: [GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true })],
    });
    ({ app } = opened);
    client = new CookieClient(opened.url);
    sessions = app.get(SessionService);
  });
  afterAll(() => app.close());

  interface Answer {
    readonly data?: Record<string, unknown> | null;
    readonly errors?: readonly { readonly extensions: Record<string, unknown> }[];
  }
  const ask = async (query: string): Promise<Answer> => (await client.post('/graphql', { query })).body as Answer;

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
});

expectNoLeakedConnections();
