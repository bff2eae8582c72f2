/** One process of an application with rate limits: `node --import ./test/support/typescript.js child.ts`. It does what its parent tells it to. */
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { RateLimitExceededError, RateLimiter, ThrottlerModule } from '../../../src/throttler/index.js';
import { serveJobs, tellNews } from '../job-process.js';
import { Churn } from './churn.js';
import { HOLDS, type OpenSettings, type ThrottlerJobs } from './protocol.js';
import { Storm } from './storm.js';
import { runWorks } from './works.js';

let app: INestApplicationContext;
let settings: OpenSettings;

/** The root module, which imports what it was told of. */
class ChildModule {}

const limiter = (): RateLimiter => app.get(RateLimiter);

serveJobs<ThrottlerJobs>({
  async open(given) {
    settings = given;
    const imports = [
      RedisModule.forRoot({ keyPrefix: given.prefix, ...given.redis }),
      // Not what a busy machine does is to be tested here.
      ThrottlerModule.forRoot({ policies: given.policies, redisDeadline: '20s', whenRedisIsDown: 'deny' }),
    ];
    app = await NestFactory.createApplicationContext({ module: ChildModule, imports }, { logger: false });
    return Date.now();
  },
  storm: (given) => new Storm(limiter(), settings, given).run(),
  async churn(given) {
    await new Churn(limiter(), given).run();
    return null;
  },
  async hold({ policy, caller, forMs }) {
    try {
      await limiter().run(policy, caller, async () => {
        tellNews(HOLDS);
        await delay(forMs);
      });
      return true;
    } catch (error) {
      if (error instanceof RateLimitExceededError) return false;
      throw error;
    }
  },
  works: (given) => runWorks(limiter(), given),
  async close() {
    await app.close();
    return null;
  },
});
