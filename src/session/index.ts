export { SessionModule } from './session.module.js';
export type {
  SessionCookieOptions,
  SessionEndsOptions,
  SessionLifetime,
  SessionModuleOptions,
} from './session.options.js';
export {
  SessionService,
  type AttributeUpdate,
  type CreateSessionOptions,
  type SessionSummary,
} from './session.service.js';
export { SessionHandle, type AnyAttributes, type AttributeName, type LoginOptions } from './session.js';
export { Session } from './http/session.decorator.js';
export { SessionGuard } from './http/session.guard.js';
export { CsrfGuard } from './http/csrf.guard.js';
export { SessionMiddleware } from './http/session.middleware.js';
export { PassiveSession } from './http/passive-session.decorator.js';
export { RecentLogin } from './http/recent-login.decorator.js';
export { SessionException, type SessionProblem, type SessionProblemCode } from './http/session.exception.js';
export { RequestSessions } from './http/request-sessions.js';
export type { SessionCounters } from './session-counters.js';
export type { EndReason, SessionEnd, SessionEndListener } from './session.events.js';
export { SessionEndedError, SessionUsageError, TooManySessionsError } from './session.errors.js';
