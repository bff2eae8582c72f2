import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { ConfigService } from '@nestjs/config';
import { RedisModule } from 'rookery';
import { CacheModule } from 'rookery/cache';
import { LockModule } from 'rookery/lock';
import { AuthModule } from './auth/auth.module.js';
import { CatalogueModule } from './catalogue/catalogue.module.js';
import { provideSettings, type Settings } from './config/settings.js';
import type { Database } from './database/database.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { ProblemDetailsFilter } from './http/problem-details.filter.js';
import { RequestValidationPipe } from './http/validation.pipe.js';
import { OrdersModule } from './orders/orders.module.js';
import { PaymentsModule } from './payments/payments.module.js';
import { ProductViewsModule } from './product-views/product-views.module.js';
import { RateLimitingModule } from './rate-limits/rate-limiting.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { UserSettingsModule } from './user-settings/user-settings.module.js';

/** What the service stands on: opened before it, closed after it. */
export interface Foundations {
  readonly settings: Settings;
  readonly database: Database;
}

/** The whole service. */
@Module({})
export class AppModule {
  static register({ settings, database }: Foundations): DynamicModule {
    return {
      module: AppModule,
      imports: [
        provideSettings(settings),
        RedisModule.forRootAsync({
          inject: [ConfigService],
          useFactory: (settings: ConfigService<Settings, true>) => ({
            url: settings.get('redisUrl', { infer: true }),
            keyPrefix: 'shop',
          }),
        }),
        // A caller waits once in an outage: more patience costs little, and a busy machine does not look like a broken one.
        CacheModule.forRoot({ ttl: '5m', jitter: 0.1, redisDeadline: '250ms' }),
        LockModule.forRoot(),
        RateLimitingModule,
        SessionsModule,
        DatabaseModule.register(database),
        AuthModule,
        CatalogueModule,
        ProductViewsModule,
        OrdersModule,
        PaymentsModule,
        UserSettingsModule,
        HealthModule,
      ],
      providers: [
        { provide: APP_FILTER, useClass: ProblemDetailsFilter },
        { provide: APP_PIPE, useClass: RequestValidationPipe },
      ],
    };
  }
}
