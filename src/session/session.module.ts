import { Module } from '@nestjs/common';
import { CsrfGuard } from './http/csrf.guard.js';
import { RequestSessions } from './http/request-sessions.js';
import { SessionGuard } from './http/session.guard.js';
import { SessionMiddleware } from './http/session.middleware.js';
import { ConfigurableModuleClass, SESSION_OPTIONS } from './session.module-definition.js';
import { SessionRuntime } from './session.runtime.js';
import { SessionService } from './session.service.js';

/** Sessions: `@Session()`, `SessionGuard`, `CsrfGuard` and `SessionService`. Needs `RedisModule.forRoot` at the root of the application. */
@Module({
  providers: [SessionRuntime, RequestSessions, SessionService, SessionGuard, CsrfGuard, SessionMiddleware],
  exports: [
    SESSION_OPTIONS,
    SessionRuntime,
    RequestSessions,
    SessionService,
    SessionGuard,
    CsrfGuard,
    SessionMiddleware,
  ],
})
export class SessionModule extends ConfigurableModuleClass {}
