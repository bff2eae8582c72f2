// eslint-disable-next-line @typescript-eslint/no-restricted-imports -- guards and the interceptor throw it
import { HttpException, HttpStatus, type ExecutionContext } from '@nestjs/common';
import { callerOf } from '../../core/calls/caller.js';
import { PROBLEM_JSON, setHeaders } from '../../core/calls/response-headers.js';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';

const RETRY_AFTER_S = 1;

/** What a client is told: RFC 9457. */
export interface SessionProblem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable, for programs. */
  readonly code: SessionProblemCode;
}

/** Why a call was refused. */
export type SessionProblemCode =
  /** 401: nobody is logged in. */
  | 'login-required'
  /** 403: the login was too long ago for this. */
  | 'recent-login-required'
  /** 403: the request comes from a page of another site. */
  | 'cross-site-request'
  /** 503: Redis is away. Nobody is logged out by that. */
  | 'sessions-unavailable';

const PROBLEMS: Readonly<Record<SessionProblemCode, readonly [status: HttpStatus, title: string, detail: string]>> = {
  'login-required': [HttpStatus.UNAUTHORIZED, 'Unauthorized', 'Log in first'],
  'recent-login-required': [
    HttpStatus.FORBIDDEN,
    'Forbidden',
    'Log in once more: the last time was too long ago for this',
  ],
  'cross-site-request': [HttpStatus.FORBIDDEN, 'Forbidden', 'The request comes from a page of another site'],
  'sessions-unavailable': [
    HttpStatus.SERVICE_UNAVAILABLE,
    'Service Unavailable',
    'Sessions are out of reach; try again',
  ],
};

/** What `SessionGuard`, `CsrfGuard` and `@Session()` throw. Its body is problem details. */
export class SessionException extends HttpException {
  readonly code: SessionProblemCode;

  constructor(code: SessionProblemCode, cause?: unknown) {
    const [status, title, detail] = PROBLEMS[code];
    const problem: SessionProblem = { type: 'about:blank', title, status, detail, code };
    super(problem, status, { cause });
    this.code = code;
    this.message = detail;
  }

  get problem(): SessionProblem {
    return this.getResponse() as SessionProblem;
  }
}

/** What a refused caller is told, as its kind of handler tells it. */
export async function refusal(context: ExecutionContext, code: SessionProblemCode, cause?: unknown): Promise<Error> {
  const exception = new SessionException(code, cause);
  const { type, response } = callerOf(context, '');
  if (type === 'ws') {
    // An application with such a handler has the package, and no other needs it.
    const { WsException } = await import('@nestjs/websockets');
    return new WsException({ ...exception.problem });
  }
  if (type === 'graphql') {
    return Object.assign(exception, { extensions: { ...exception.problem, code: HttpStatus[exception.getStatus()] } });
  }
  if (response !== undefined) setProblemHeaders(response, code);
  return exception;
}

/** The error as it is to be told to a client whose request has not come to its handler yet. */
export function toldByMiddleware(response: unknown, error: unknown): unknown {
  if (!(error instanceof RedisUnavailableError)) return error;
  setProblemHeaders(response, 'sessions-unavailable');
  return new SessionException('sessions-unavailable', error);
}

function setProblemHeaders(response: unknown, code: SessionProblemCode): void {
  setHeaders(response, [['Content-Type', PROBLEM_JSON]]);
  if (code === 'sessions-unavailable') setHeaders(response, [['Retry-After', String(RETRY_AFTER_S)]]);
}

/** Runs `work`; that Redis is away is told to the client as it is to be told there. */
export async function atTheEdge<Result>(context: ExecutionContext, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw await toldAtTheEdge(context, error);
  }
}

/** The error as a client is to be told of it. */
export async function toldAtTheEdge(context: ExecutionContext, error: unknown): Promise<unknown> {
  return error instanceof RedisUnavailableError ? refusal(context, 'sessions-unavailable', error) : error;
}
