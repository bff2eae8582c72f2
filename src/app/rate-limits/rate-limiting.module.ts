import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ConfigService } from '@nestjs/config';
import { byIp, ThrottlerGuard, ThrottlerModule } from 'rookery/throttler';
import type { Settings } from '../config/settings.js';
import { AdminTokenGuard } from './admin-token.guard.js';
import { rateLimitPolicies } from './rate-limit-policies.js';
import { RateLimitsController } from './rate-limits.controller.js';

/** How much each client may ask for, and an operator's view of it. */
@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (settings: ConfigService<Settings, true>) => ({
        policies: rateLimitPolicies(settings.get('clientLimits', { infer: true })),
        tracker: byIp({ trustedProxies: settings.get('trustedProxies', { infer: true }) }),
        // As with the cache: a busy machine does not look like a broken Redis.
        redisDeadline: '250ms',
      }),
    }),
  ],
  controllers: [RateLimitsController],
  providers: [AdminTokenGuard, { provide: APP_GUARD, useClass: ThrottlerGuard }],
})
export class RateLimitingModule {}
