import { HttpStatus } from '@nestjs/common';
import { RateLimitException } from '../http/rate-limit.exception.js';
import type { RateLimitResult } from '../rate-limit-result.js';

/** What a refused client of a gateway or a microservice is told: problem details, and when to come back. */
export async function refusalOfMessage(type: 'ws' | 'rpc', result: RateLimitResult): Promise<Error> {
  const body = { ...new RateLimitException(result).problem, retryAfterMs: result.retryAfterMs };
  // An application with such a handler has the package, and no other needs it.
  if (type === 'ws') {
    const { WsException } = await import('@nestjs/websockets');
    return new WsException(body);
  }
  const { RpcException } = await import('@nestjs/microservices');
  return new RpcException(body);
}

/** The exception of HTTP, with the same in the `extensions` of the GraphQL error that is made of it, and a `code` as GraphQL clients expect. */
export function graphqlRefusal(result: RateLimitResult): Error {
  const exception = new RateLimitException(result);
  const code = HttpStatus[exception.getStatus()];
  return Object.assign(exception, { extensions: { code, ...exception.problem, retryAfterMs: result.retryAfterMs } });
}
