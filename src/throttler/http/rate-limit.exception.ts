// eslint-disable-next-line @typescript-eslint/no-restricted-imports -- the guard throws it
import { HttpException, HttpStatus } from '@nestjs/common';
import type { RateLimitResult } from '../rate-limit-result.js';

/** What a refused client is told: RFC 9457, with the types that the draft of the rate limit headers registers. */
export interface RateLimitProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** The policies that refuse, by their names in `RateLimit-Policy`; left out for a caller that is blocked. */
  readonly 'violated-policies'?: readonly string[];
}

const TYPES = 'https://iana.org/assignments/http-problem-types';

/**
 * What the guard throws: 429, with the policies that refuse; 503 where a policy that is to refuse while Redis is away did. Its body is problem details.
 */
export class RateLimitException extends HttpException {
  constructor(readonly result: RateLimitResult) {
    const problem = problemOf(result);
    super(problem, problem.status);
    this.message = problem.title;
  }

  get problem(): RateLimitProblem {
    return this.getResponse() as RateLimitProblem;
  }
}

function problemOf(result: RateLimitResult): RateLimitProblem {
  if (result.isOutage) {
    return {
      type: `${TYPES}#temporary-reduced-capacity`,
      title: 'Request cannot be satisfied due to temporary server capacity constraints',
      status: HttpStatus.SERVICE_UNAVAILABLE,
      'violated-policies': result.refusedBy,
    };
  }
  if (result.blocked) {
    return { type: 'about:blank', title: 'Too Many Requests', status: HttpStatus.TOO_MANY_REQUESTS };
  }
  return {
    type: `${TYPES}#quota-exceeded`,
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    status: HttpStatus.TOO_MANY_REQUESTS,
    'violated-policies': result.refusedBy,
  };
}
