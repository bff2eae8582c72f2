import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { RESPONSE_ROUTES, type ResponseRoutes } from './response-routes.js';

/** The work of `@CacheResponse`, in each module that has a handler with it. */
@Injectable()
export class CacheResponseInterceptor implements NestInterceptor {
  constructor(@Inject(RESPONSE_ROUTES) private readonly routes: ResponseRoutes) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    return this.routes.of(context)?.answer(context, next) ?? next.handle();
  }
}
