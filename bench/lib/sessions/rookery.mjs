import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { RedisModule } from 'rookery';
import { SessionEndedError, SessionModule, SessionService } from 'rookery/session';
import { IDLE_MS } from './values.mjs';

export const SECRETS = ['not a secret, since it stands here'];

/** An application with sessions, wired as a user wires it. The machine may be busy, and no claim is about the deadline. */
export async function openSessions({ host, port }, settings) {
  const app = await Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ url: `redis://${host}:${port}`, keyPrefix: 'shop' }),
      SessionModule.forRoot({
        secrets: SECRETS,
        idleTimeout: `${IDLE_MS}ms`,
        redisDeadline: '5s',
        ...settings,
      }),
    ],
  })
    .setLogger(false)
    .compile();
  await app.init();
  return { app, service: app.get(SessionService) };
}

/** See {@link sessions}. */
export async function openRookery({ redis, settings }) {
  const { app, service } = await openSessions(redis, settings);
  return {
    service,
    create: async (userId, attributes) => service.tokenOf(await service.create({ userId, attributes })),
    read: async (token, name) => (await service.get(token))?.get(name),
    async open(token) {
      const session = await service.get(token);
      if (session === null) return null;
      return {
        set: (name, value) => session.set(name, value),
        save: () => session.save().then(hasSaved, unlessEnded),
        destroy: () => session.destroy(),
      };
    },
    close: () => app.close(),
  };
}

const hasSaved = () => true;

function unlessEnded(error) {
  if (error instanceof SessionEndedError) return false;
  throw error;
}
