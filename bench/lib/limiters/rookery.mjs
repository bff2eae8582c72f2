import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { RedisModule } from 'rookery';
import { RateLimiter, ThrottlerModule } from 'rookery/throttler';

/** An application with limits, wired as a user wires it. The machine may be busy, and most claims are not about the deadline. */
export async function openLimits({ host, port }, settings) {
  const app = await Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ url: `redis://${host}:${port}`, keyPrefix: 'shop' }),
      ThrottlerModule.forRoot({ redisDeadline: '5s', ...settings }),
    ],
  })
    .setLogger(false)
    .compile();
  await app.init();
  return { app, limiter: app.get(RateLimiter) };
}

/** See {@link limiters}. All of `policies` are asked; a decision without Redis fails the bench. */
export async function openRookery({ redis, policies, settings }) {
  const { app, limiter } = await openLimits(redis, { policies, ...settings });
  const names = policies.length === 1 ? policies[0].name : policies.map(({ name }) => name);
  return {
    consume: async (caller) => {
      const { admitted, decidedBy } = await limiter.consume(names, ['ip', caller]);
      if (decidedBy === 'process') throw new Error('rookery: Redis was to decide');
      return admitted;
    },
    close: () => app.close(),
  };
}
