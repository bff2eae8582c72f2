/** What must and must not compile. Checked by `tsc` alone; nothing here runs. */
import { CacheModule as NestCacheModule } from '@nestjs/cache-manager';
import { EventEmitter } from 'node:events';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { createCache } from 'cache-manager';
import type { Keyv } from 'keyv';
import { CacheModule, CacheService, InvalidateOn, type Cache, type Invalidation } from 'rookery/cache';
import { createKeyv } from 'rookery/cache/keyv';

NestCacheModule.registerAsync({
  inject: [CacheService],
  useFactory: (cache: CacheService) => ({ stores: [createKeyv(cache, { namespace: 'nest' })] }),
});

export function keyvs(cache: CacheService, products: Cache<{ readonly id: number }>): Keyv[] {
  createCache({ stores: [createKeyv(cache)] });
  // @ts-expect-error -- the connection is RedisModule's: an address is no cache
  createKeyv('redis://localhost:6379');
  // @ts-expect-error -- values are encoded by the cache's codec
  createKeyv(cache, { serialize: JSON.stringify });
  return [createKeyv(cache), createKeyv(products)];
}

export class Rules {
  @InvalidateOn('product.updated', { cache: 'products' })
  @InvalidateOn(Symbol('product.deleted'), { cache: { name: 'products' } })
  plain(event: { readonly id: number }): Invalidation {
    return { keys: [event.id, ['details', event.id]], tags: ['brand:apple', ['brand', 7]], segments: ['lamps'] };
  }

  @InvalidateOn(['product', '*'])
  async maybe(id: number, ..._rest: readonly string[]): Promise<Invalidation | undefined> {
    return id === 0 ? undefined : { segments: ['lamps'] };
  }

  // @ts-expect-error -- a rule that says nothing invalidates nothing
  @InvalidateOn('product.updated')
  silent(_event: object): void {
    // Never called.
  }

  // @ts-expect-error -- keys come in a list
  @InvalidateOn('product.updated')
  single(id: string): { keys: string } {
    return { keys: id };
  }

  // @ts-expect-error -- a rule is a method
  @InvalidateOn('product.updated')
  readonly property = 1;
}

CacheModule.forRoot({ events: EventEmitter2 });
CacheModule.forRoot({ events: new EventEmitter() });
CacheModule.forRoot({ events: Symbol('events') });
CacheModule.forRootAsync({ inject: [EventEmitter2], useFactory: (events: EventEmitter2) => ({ events }) });
// @ts-expect-error -- an object that cannot be listened to
CacheModule.forRoot({ events: { on: () => undefined } });
