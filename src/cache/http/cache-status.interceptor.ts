import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { tap, type Observable } from 'rxjs';
import { cacheStatus, type CacheStatus } from './cache-status.js';

/**
 * Tells the client whether a cache answered: sets `x-cache: hit` when every cached read of the request was a hit, `x-cache: miss` when one was
 * not, and no header when nothing was read or the handler failed. Where the whole answer is cached, by `@CacheResponse`, it says what became of that. For HTTP handlers, on Express and Fastify.
 */
@Injectable()
export class CacheStatusInterceptor implements NestInterceptor {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const status: CacheStatus = { outcome: undefined };
    return cacheStatus
      .run(status, () => next.handle())
      .pipe(
        tap(() => {
          const outcome = status.response ?? status.outcome;
          if (outcome === undefined) return;
          this.adapterHost.httpAdapter.setHeader(context.switchToHttp().getResponse(), 'x-cache', outcome);
        }),
      );
  }
}
