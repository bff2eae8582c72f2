import { ApiProblem } from '../http/api-problem.decorator.js';

/** Documents that a route may refuse a client that asks for too much. */
export function ApiRateLimited(): ClassDecorator & MethodDecorator {
  return ApiProblem(
    429,
    'The client has asked for too much: `RateLimit` says of what, `Retry-After` for how many seconds to wait',
  );
}
