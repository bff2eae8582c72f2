import { ApiProblem } from '../http/api-problem.decorator.js';

/** Documents that a route which changes something refuses pages of other sites. */
export function ApiSameSite(): MethodDecorator {
  return ApiProblem(403, 'The request comes from a page of another site');
}
