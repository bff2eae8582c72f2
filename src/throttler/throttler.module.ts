import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { RouteLimits } from './guard/route-limits.js';
import { ThrottlerGuard } from './guard/throttler.guard.js';
import { RateLimiter } from './rate-limiter.js';
import { ConfigurableModuleClass, THROTTLER_OPTIONS } from './throttler.module-definition.js';
import { ThrottlerRuntime } from './throttler.runtime.js';

/**
 * Rate limits in Redis: `ThrottlerGuard` for handlers, `RateLimiter` for any code. Needs `RedisModule.forRoot` at the root of the application.
 *
 * The guard limits nothing until it is bound: `{ provide: APP_GUARD, useClass: ThrottlerGuard }`.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [ThrottlerRuntime, RouteLimits, RateLimiter, ThrottlerGuard],
  exports: [THROTTLER_OPTIONS, ThrottlerRuntime, RouteLimits, RateLimiter, ThrottlerGuard],
})
export class ThrottlerModule extends ConfigurableModuleClass {}
