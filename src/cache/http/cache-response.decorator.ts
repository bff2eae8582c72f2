import { CacheResponseInterceptor } from './cache-response.interceptor.js';
import type { CacheResponseOptions } from './cache-response.options.js';
import { resolveResponsePolicy } from './response-policy.js';
import { RESPONSE_POLICY } from './response-routes.js';
import { INTERCEPTORS } from './route-metadata.js';

/**
 * Caches the answers of a handler of GET, and of HEAD, for all processes: status, headers that describe the body, the body as it is sent, and an
 * entity tag. On Express and Fastify.
 *
 * - **Private unless said otherwise**: an authenticated request (`Authorization`, `Cookie`, or a `user` from a guard or middleware) is neither answered
 *   from the cache nor put there, unless the route is `shared`, or `per` says who is asking. An answer with `Set-Cookie`, with `Cache-Control: no-store` or
 *   `private`, or with a `Vary` that the route does not name, is never kept: what counts are the headers as they are written, after sessions and cookies
 *   have set theirs. With a cookie, none goes out as `public`.
 * - Guards always run. On a hit nothing else of the handler does: not its pipes, nor its own interceptors, which run beneath and whose work
 *   is kept, wherever they are written. Interceptors of the controller and of the application run above, on every request.
 * - The handler runs once for all requests that wait for one answer; its error reaches them all, and is not kept. An answer that cannot be
 *   kept (a stream, `undefined`, another status than those in `statuses`, one that `unless` refuses) goes to its own request alone.
 * - `If-None-Match` and `If-Modified-Since` are answered with 304. HEAD is answered from what GET left; where there is nothing its handler runs as if
 *   undecorated, without an entity tag, and leaves nothing.
 * - Clients are told `private, no-cache` unless `maxAge` is given, so that an invalidation is seen by all at their next request.
 * - `x-cache` says `hit`, `miss`, `stale` or `bypass`.
 *
 * The key is the path, the query as the adapter's parser gives it to the handler, the version (unless it stands in the path) and the host where Nest tells
 * routes apart by them, the headers in `vary`, and `per`: see {@link responseKey}. Whatever else the handler reads, it must not let it into the answer. When
 * Redis is away the handler runs. Throws `ConfigurationError` at boot on handlers of other methods, and when it is called elsewhere than on HTTP.
 *
 * Round trips: those of {@link Cache.getOrSet}; HEAD as {@link Cache.get}.
 *
 * ```ts
 * @CacheResponse({ ttl: '10m', tags: ['products'], query: ['page', 'brand'] })
 * @Get()
 * list(@Query() query: ListProductsQuery): Promise<ProductPage> {}
 * ```
 */
export function CacheResponse(options: CacheResponseOptions = {}): MethodDecorator {
  return (target, key, descriptor) => {
    const handler = (descriptor as PropertyDescriptor | undefined)?.value as object | undefined;
    if (typeof handler !== 'function' || typeof target === 'function') {
      throw new TypeError(`@CacheResponse is for handlers of a controller; ${String(key)} is none.`);
    }
    const policy = resolveResponsePolicy(options, `${target.constructor.name}.${String(key)}`);
    Reflect.defineMetadata(RESPONSE_POLICY, policy, handler);
    const beneath = (Reflect.getMetadata(INTERCEPTORS, handler) ?? []) as readonly unknown[];
    // First, and so outermost, whether others are written above or below: @UseInterceptors appends.
    Reflect.defineMetadata(INTERCEPTORS, [CacheResponseInterceptor, ...beneath], handler);
  };
}
