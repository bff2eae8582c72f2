import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, HttpStatus, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SessionEndedError, SessionException } from 'rookery/session';
import { RateLimitException } from 'rookery/throttler';
import { InvalidRequestException } from './invalid-request.exception.js';
import { FieldProblem, pathOf, PROBLEM_JSON, ProblemDetails } from './problem-details.js';
import { TryAgainException } from './try-again.exception.js';
import { whyUnavailable } from './unavailability.js';

const RETRY_AFTER_MS = 1_000;

/**
 * Answers every failure of the service as problem details: those of handlers, and those of the HTTP server itself
 * (unknown routes, malformed JSON, bodies that are too large). What the service did not mean to throw is logged, and
 * answered without a word about its inside.
 */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  readonly #logger = new Logger('Http');

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const request: unknown = host.switchToHttp().getRequest();
    const response: unknown = host.switchToHttp().getResponse();
    const problem = toProblem(error, pathOf(String(httpAdapter.getRequestUrl(request))));
    if (problem.status >= 500) {
      this.#logger.error(error);
    }
    if (httpAdapter.isHeadersSent(response)) {
      httpAdapter.end(response);
      return;
    }
    const retryAfterMs = retryAfterMsOf(error, problem);
    if (retryAfterMs !== undefined) {
      httpAdapter.setHeader(response, 'retry-after', String(Math.ceil(retryAfterMs / 1_000)));
    }
    httpAdapter.setHeader(response, 'content-type', PROBLEM_JSON);
    httpAdapter.reply(response, problem, problem.status);
  }
}

function toProblem(error: unknown, instance: string): ProblemDetails {
  if (error instanceof InvalidRequestException) {
    return new ProblemDetails(400, error.message, instance, { errors: error.errors });
  }
  if (isMalformedBody(error)) {
    const errors = [new FieldProblem('body', 'body must be valid JSON')];
    return new ProblemDetails(400, 'The body cannot be read', instance, { errors });
  }
  if (error instanceof RateLimitException) {
    return rateLimitProblem(error, instance);
  }
  if (error instanceof SessionException) {
    return new ProblemDetails(error.getStatus(), error.message, instance, { code: error.code });
  }
  if (error instanceof SessionEndedError) {
    return new ProblemDetails(HttpStatus.UNAUTHORIZED, 'The session has ended; log in', instance);
  }
  if (error instanceof TryAgainException || (error instanceof HttpException && error.getStatus() < 500)) {
    return new ProblemDetails(error.getStatus(), error.message, instance);
  }
  const unavailable = whyUnavailable(error);
  if (unavailable !== undefined) {
    return new ProblemDetails(HttpStatus.SERVICE_UNAVAILABLE, unavailable, instance);
  }
  return new ProblemDetails(HttpStatus.INTERNAL_SERVER_ERROR, 'The service failed to answer', instance);
}

function retryAfterMsOf(error: unknown, { status }: ProblemDetails): number | undefined {
  if (error instanceof TryAgainException) return error.retryAfterMs;
  return status === 503 ? RETRY_AFTER_MS : undefined;
}

/** The guard has set the headers. */
function rateLimitProblem({ problem, result }: RateLimitException, instance: string): ProblemDetails {
  const { type, title, status, 'violated-policies': violatedPolicies } = problem;
  const seconds = Math.ceil(result.retryAfterMs / 1_000);
  return new ProblemDetails(status, `Try again in ${seconds} s`, instance, { type, title, violatedPolicies });
}

/** Fastify refuses such a body with a code of its own, or with the SyntaxError that Express always gives. */
function isMalformedBody(error: unknown): boolean {
  const cause = error instanceof HttpException ? error.cause : error;
  if (!(cause instanceof Error)) {
    return false;
  }
  const code = 'code' in cause ? String(cause.code) : '';
  const status = 'statusCode' in cause ? cause.statusCode : undefined;
  return code.startsWith('FST_ERR_CTP_INVALID_JSON') || code === 'FST_ERR_CTP_EMPTY_JSON_BODY'
    ? true
    : cause instanceof SyntaxError && status === HttpStatus.BAD_REQUEST;
}
