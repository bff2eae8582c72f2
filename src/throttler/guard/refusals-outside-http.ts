import { RateLimitException } from '../http/rate-limit.exception.js';
import type { RateLimitResult } from '../rate-limit-result.js';

/** What a refused client of a gateway or a microservice is told: problem details, and when to come back. */
export async function refusalOutsideHttp(type: 'ws' | 'rpc', result: RateLimitResult): Promise<Error> {
  const body = { ...new RateLimitException(result).problem, retryAfterMs: result.retryAfterMs };
  // An application with such a handler has the package, and no other needs it.
  if (type === 'ws') {
    const { WsException } = await import('@nestjs/websockets');
    return new WsException(body);
  }
  const { RpcException } = await import('@nestjs/microservices');
  return new RpcException(body);
}
