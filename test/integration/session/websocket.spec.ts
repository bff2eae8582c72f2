import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UseGuards, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { MessageBody, SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { PassiveSession, Session, SessionGuard, SessionService } from '../../../src/session/index.js';
import { TRANSPORTS, type ChatClient, type Said } from '../../support/chat-clients.js';
import { expectNoLeakedConnections, sharedRedis } from '../../support/redis.js';
import { sessionModule } from '../../support/session-app.js';

/** With `ws`, the application keeps the upgrade request itself. */
interface GatewayClient {
  readonly handshake?: object;
  request: IncomingMessage;
}

@WebSocketGateway()
class ChatGateway implements OnGatewayConnection {
  handleConnection(client: GatewayClient, upgrade?: IncomingMessage): void {
    if (client.handshake === undefined && upgrade !== undefined) client.request = upgrade;
  }

  @SubscribeMessage('who')
  who(@Session() session: Session): Said {
    return { event: 'said', data: { user: session.userId, names: session.names().sort() } };
  }

  @UseGuards(SessionGuard)
  @SubscribeMessage('guarded')
  guarded(@Session() session: Session): Said {
    return { event: 'said', data: session.userId };
  }

  @SubscribeMessage('set')
  async set(@Session() session: Session, @MessageBody() { name }: { name: string }): Promise<Said> {
    session.set(name, 1);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    session.set(`${name}-later`, 1);
    return { event: 'said', data: null };
  }

  @PassiveSession()
  @SubscribeMessage('login')
  async logIn(@Session() session: Session): Promise<Said> {
    try {
      await session.logIn('ada');
      return { event: 'said', data: 'in' };
    } catch (error) {
      return { event: 'said', data: (error as Error).name };
    }
  }
}

describe.each(['socket.io', 'ws'] as const)('a gateway on %s', (transport) => {
  const { Adapter, open } = TRANSPORTS[transport];
  let app: INestApplication;
  let url: string;
  let sessions: SessionService;

  beforeAll(async () => {
    const options = {
      redis: sharedRedis('standalone'),
      session: { trustedOrigins: ['https://app.example.com'] },
      providers: [ChatGateway],
    };
    app = (await sessionModule(options).compile()).createNestApplication(new ExpressAdapter(), { logger: false });
    app.useWebSocketAdapter(new Adapter(app));
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    sessions = app.get(SessionService);
  });
  afterAll(() => app.close());

  const withClient = async <Result>(
    headers: Record<string, string>,
    use: (client: ChatClient) => Promise<Result>,
  ): Promise<Result> => {
    const client = await open(url, headers);
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  };

  const loggedIn = async (): Promise<{ token: string; cookie: string }> => {
    const token = sessions.tokenOf(await sessions.create({ userId: 'ada', attributes: { a: 1 } }))!;
    return { token, cookie: `__Host-sid=${token}` };
  };

  it('has the session of its handshake, until it ends', async () => {
    const { token, cookie } = await loggedIn();
    await withClient({ cookie }, async (client) => {
      expect((await client.say('who')).data).toEqual({ user: 'ada', names: ['a'] });
      expect((await client.say('guarded')).data).toBe('ada');
      await sessions.destroy(token);
      expect((await client.say('who')).data).toEqual({ user: null, names: [] });
      expect(await client.say('guarded')).toEqual({
        event: 'exception',
        data: {
          type: 'about:blank',
          title: 'Unauthorized',
          status: 401,
          detail: 'Log in first',
          code: 'login-required',
        },
      });
    });
  });

  it('saves what each message sets, however many there are at once', async () => {
    const { token, cookie } = await loggedIn();
    const clients = await Promise.all(Array.from({ length: 5 }, () => open(url, { cookie })));
    try {
      await Promise.all(clients.map((client, i) => client.say('set', { name: `by${i}` })));
      expect((await sessions.get(token))?.names().sort()).toEqual(
        ['a', ...clients.flatMap((_, i) => [`by${i}`, `by${i}-later`])].sort(),
      );
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  });

  it('is read once for each message, however many ask for it', async () => {
    const { cookie } = await loggedIn();
    await withClient({ cookie }, async (client) => {
      const { loaded } = sessions.counters;
      expect((await client.say('guarded')).data).toBe('ada');
      expect((await client.say('guarded')).data).toBe('ada');
      expect(sessions.counters.loaded - loaded).toBe(2);
    });
  });

  it('is nobody without a cookie in order, and nobody can log in over it', async () => {
    for (const headers of [{}, { cookie: '__Host-sid=nonsense' }]) {
      await withClient(headers as Record<string, string>, async (client) => {
        expect((await client.say('who')).data).toEqual({ user: null, names: [] });
        expect((await client.say('guarded')).event).toBe('exception');
        expect((await client.say('login')).data).toBe('SessionUsageError');
      });
    }
  });

  it('is nobody to a page of another site, which has the cookie sent along', async () => {
    const { cookie } = await loggedIn();
    const userOf = (headers: Record<string, string>): Promise<unknown> =>
      withClient({ cookie, ...headers }, async (client) => ((await client.say('who')).data as { user: unknown }).user);
    expect(await userOf({ origin: 'https://evil.example' })).toBeNull();
    expect(await userOf({ origin: new URL(url).origin })).toBe('ada');
    expect(await userOf({ origin: 'https://app.example.com' })).toBe('ada');
  });
});

expectNoLeakedConnections();
