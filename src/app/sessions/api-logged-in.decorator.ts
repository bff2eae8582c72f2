import { applyDecorators } from '@nestjs/common';
import { ApiCookieAuth } from '@nestjs/swagger';
import { ApiProblem } from '../http/api-problem.decorator.js';

/** Documents that a route is for who is logged in. */
export function ApiLoggedIn(): ClassDecorator & MethodDecorator {
  return applyDecorators(
    ApiCookieAuth(),
    ApiProblem(401, 'Nobody is logged in'),
    ApiProblem(
      403,
      'The login was too long ago for this, or the request comes from a page of another site; `code` says which',
    ),
    ApiProblem(503, 'Redis is out of reach; `Retry-After` says when to try again. Nobody is logged out by that'),
  );
}
