import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ConfigService } from '@nestjs/config';
import { CsrfGuard, SessionModule } from 'rookery/session';
import type { Settings } from '../config/settings.js';
import { AdminSessionsController } from './admin-sessions.controller.js';
import { SessionsController } from './sessions.controller.js';

/** Who is logged in where, and how it ends. What a page of another site sends in a user's name is refused everywhere. */
@Module({
  imports: [
    SessionModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (settings: ConfigService<Settings, true>) => ({
        secrets: settings.get('sessionSecrets', { infer: true }),
        idleTimeout: '30m',
        absoluteTimeout: '12h',
        maxPerUser: 10,
        device: { trustedProxies: settings.get('trustedProxies', { infer: true }) },
      }),
    }),
  ],
  controllers: [SessionsController, AdminSessionsController],
  providers: [{ provide: APP_GUARD, useClass: CsrfGuard }],
})
export class SessionsModule {}
