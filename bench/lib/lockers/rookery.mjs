import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { RedisModule } from 'rookery';
import { LockModule, LockService } from 'rookery/lock';

/** An application with locks, wired as a user wires it. The machine may be busy, and most claims are not about the deadline. */
export async function openLocks({ host, port }, settings) {
  const app = await Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ url: `redis://${host}:${port}`, keyPrefix: 'shop' }),
      LockModule.forRoot({ redisDeadline: '5s', ...settings }),
    ],
  })
    .setLogger(false)
    .compile();
  await app.init();
  return { app, locks: app.get(LockService) };
}

/** See {@link lockers}. */
export async function openRookery({ redis, ttlMs, waitMs, limit }) {
  const { app, locks } = await openLocks(redis, { ttl: `${ttlMs}ms`, wait: `${waitMs}ms` });
  const options = limit === undefined ? {} : { limit };
  return {
    acquire: (name) => locks.acquire(name, options),
    async tryAcquire(name) {
      const handle = await locks.tryAcquire(name, options);
      return handle.acquired ? handle : null;
    },
    release: (handle) => handle.release(),
    waiting: async (name) => (await locks.inspect(name)).waiting,
    close: () => app.close(),
  };
}
