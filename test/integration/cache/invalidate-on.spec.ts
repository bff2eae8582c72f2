import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Injectable, Logger, Module, Scope, type DynamicModule, type Provider } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test, type TestingModule } from '@nestjs/testing';
import { CacheModule, CacheService, InvalidateOn, type Cache, type Invalidation } from '../../../src/cache/index.js';
import { ConfigurationError, RedisModule } from '../../../src/core/index.js';
import { eventually } from '../../../src/testing/index.js';
import type { CacheAppOptions } from '../../support/cache-app.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

interface ProductChanged {
  readonly id: number;
  readonly brand?: string;
}

@Injectable()
class CatalogueInvalidation {
  readonly brands = new Map([[1, 'apple']]);

  @InvalidateOn('product.updated', { cache: 'products' })
  @InvalidateOn('product.deleted', { cache: { name: 'products' } })
  productChanged({ id }: ProductChanged): Invalidation {
    return { keys: [id, ['details', id]] };
  }

  @InvalidateOn('product.moved', { cache: 'products' })
  async productMoved({ id }: ProductChanged): Promise<Invalidation | undefined> {
    const brand = await Promise.resolve(this.brands.get(id));
    return brand === undefined ? undefined : { tags: [`brand:${brand}`] };
  }

  @InvalidateOn('product.queried', { cache: 'products' })
  productQueried({ id }: ProductChanged): PromiseLike<Invalidation> {
    const answer = Promise.resolve({ keys: [id] });
    // As query builders are: no promise, but as good as one.
    return { then: (resolve, reject) => answer.then(resolve, reject) };
  }

  @InvalidateOn('range.replaced', { cache: 'products' })
  rangeReplaced(range: string, deleted: number): Invalidation {
    return { segments: [range], keys: [deleted] };
  }

  @InvalidateOn('imported')
  imported(): Invalidation {
    return { tags: [['imported', 1]] };
  }

  @InvalidateOn('broken', { cache: 'products' })
  broken({ id }: ProductChanged): Invalidation {
    if (id < 0) throw new RangeError(`secret ${id}`);
    return { keys: [id, Symbol('secret') as unknown as string] };
  }
}

const apps: TestingModule[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const app of apps.splice(0)) await app.close();
});

type Options = Partial<CacheAppOptions>;

/** Wired, but not initialised, so that a boot that fails can be closed too. */
async function compile(options: Options): Promise<TestingModule> {
  const app = await Test.createTestingModule({
    imports: [
      RedisModule.forRoot({
        ...(options.redis ?? sharedRedis('standalone')),
        keyPrefix: options.prefix ?? randomPrefix(),
      }),
      CacheModule.forRoot({ redisDeadline: '5s', events: EventEmitter2, ...options.cache }),
      CacheModule.forFeature(...(options.caches ?? [{ name: 'products' }])),
      ...(options.imports ?? [EventEmitterModule.forRoot({ wildcard: true })]),
    ],
    providers: [...(options.providers ?? [CatalogueInvalidation])],
    controllers: [...(options.controllers ?? [])],
  }).compile();
  apps.push(app);
  return app;
}

const open = async (options: Options = {}): Promise<TestingModule> => (await compile(options)).init();

const logged = (): ReturnType<typeof jest.spyOn> => jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});

describeTopologies((topology) => {
  async function start(): Promise<{ products: Cache; cache: CacheService; emitter: EventEmitter2 }> {
    const app = await open({ redis: sharedRedis(topology) });
    const cache = app.get(CacheService);
    return { cache, products: cache.named('products'), emitter: app.get(EventEmitter2) };
  }

  it('evicts the keys that the rule names, and no other', async () => {
    const { products, cache, emitter } = await start();
    await products.setMany([
      [1, 'old'],
      [['details', 1], 'old'],
      [2, 'other'],
    ]);
    await cache.set(1, 'of the default cache');
    await emitter.emitAsync('product.updated', { id: 1 });
    expect(await products.getMany([1, ['details', 1], 2])).toEqual([undefined, undefined, 'other']);
    expect(await cache.get(1)).toBe('of the default cache');
    await emitter.emitAsync('product.deleted', { id: 2 });
    expect(await products.get(2)).toBeUndefined();
  });

  it('lets an asynchronous rule find out what is stale, through its own dependencies', async () => {
    const { products, emitter } = await start();
    await products.set(7, 'apple pie', { tags: ['brand:apple'] });
    await products.set(8, 'pear', { tags: ['brand:pear'] });
    await emitter.emitAsync('product.moved', { id: 2 });
    expect(await products.getMany([7, 8])).toEqual(['apple pie', 'pear']);
    await emitter.emitAsync('product.moved', { id: 1 });
    expect(await products.getMany([7, 8])).toEqual([undefined, 'pear']);
  });

  it('waits for whatever has a then(), as for a promise', async () => {
    const { products, emitter } = await start();
    await products.set(4, 'old');
    await emitter.emitAsync('product.queried', { id: 4 });
    expect(await products.get(4)).toBeUndefined();
  });

  it('invalidates segments, with every argument of the event at hand', async () => {
    const { products, emitter } = await start();
    await products.segment('lamps').set(1, 'lamp');
    await products.segment('chairs').set(1, 'chair');
    await products.set(5, 'gone');
    await emitter.emitAsync('range.replaced', 'lamps', 5);
    expect(await products.segment('lamps').get(1)).toBeUndefined();
    expect(await products.segment('chairs').get(1)).toBe('chair');
    expect(await products.get(5)).toBeUndefined();
  });

  it('means the default cache when none is named', async () => {
    const { products, cache, emitter } = await start();
    await cache.set('a', 1, { tags: [['imported', 1]] });
    await products.set('a', 1, { tags: [['imported', 1]] });
    await emitter.emitAsync('imported');
    expect(await cache.get('a')).toBeUndefined();
    expect(await products.get('a')).toBe(1);
  });

  it('serves nothing stale in this process once emit has returned, and brings back no load that was under way', async () => {
    const { products, emitter } = await start();
    await products.set(1, 'old');
    const told = jest.spyOn(products, 'deleteMany');
    emitter.emit('product.updated', { id: 1 });
    expect(told).toHaveBeenCalledTimes(1);
    expect(await products.get(1)).toBeUndefined();

    let finish = (_value: string): void => {};
    const loading = products.getOrSet(2, () => new Promise<string>((resolve) => (finish = resolve)));
    await eventually(() => expect(products.counters.loads).toBe(1));
    emitter.emit('product.updated', { id: 2 });
    finish('old');
    await loading;
    expect(await products.getOrSet(2, () => 'new')).toBe('new');
  });
});

describe('where events come from', () => {
  it.each(['redis', 'memory'] as const)("takes Node's own emitter as it is, with a cache in %s", async (store) => {
    const events = new EventEmitter();
    const products = (await open({ cache: { events, store } })).get(CacheService).named('products');
    await products.set(1, 'old');
    events.emit('product.updated', { id: 1 });
    expect(await products.get(1)).toBeUndefined();
  });

  it('takes an emitter that forRootAsync was given by injection', async () => {
    const app = await Test.createTestingModule({
      imports: [
        EventEmitterModule.forRoot(),
        RedisModule.forRoot({ ...sharedRedis('standalone'), keyPrefix: randomPrefix() }),
        CacheModule.forRootAsync({
          inject: [EventEmitter2],
          useFactory: (events: EventEmitter2) => ({ redisDeadline: '5s' as const, events }),
        }),
        CacheModule.forFeature({ name: 'products' }),
      ],
      providers: [CatalogueInvalidation],
    }).compile();
    apps.push(await app.init());
    const products = app.get(CacheService).named('products');
    await products.set(1, 'old');
    await app.get(EventEmitter2).emitAsync('product.updated', { id: 1 });
    expect(await products.get(1)).toBeUndefined();
  });

  it('finds an emitter by the token of a provider in any module', async () => {
    const EVENTS = Symbol('events');
    const events = new EventEmitter();
    const somewhere = within({ provide: EVENTS, useValue: events });
    const app = await open({ cache: { events: EVENTS }, imports: [somewhere] });
    const products = app.get(CacheService).named('products');
    await products.set(1, 'old');
    events.emit('product.updated', { id: 1 });
    expect(await products.get(1)).toBeUndefined();
  });

  it('hands wildcards on to an emitter that knows them', async () => {
    @Injectable()
    class Wild {
      @InvalidateOn('user.*')
      any(id: string): Invalidation {
        return { keys: [id] };
      }

      @InvalidateOn(['group', '*'])
      parts(id: string): Invalidation {
        return { keys: [id] };
      }
    }
    const app = await open({ providers: [Wild] });
    const cache = app.get(CacheService);
    await cache.setMany([
      ['u1', 1],
      ['g1', 1],
    ]);
    await app.get(EventEmitter2).emitAsync('user.renamed', 'u1');
    await app.get(EventEmitter2).emitAsync('group.renamed', 'g1');
    expect(await cache.getMany(['u1', 'g1'])).toEqual([undefined, undefined]);
  });

  it('stops listening when the application closes', async () => {
    const events = new EventEmitter();
    const app = await open({ cache: { events } });
    expect(events.eventNames()).toContain('product.updated');
    await app.close();
    expect(events.eventNames()).toEqual([]);
  });

  it('carries out what the last requests ask for while the application closes', async () => {
    const events = new EventEmitter();
    const prefix = randomPrefix();

    /** Ends as a server does whose last request makes an event. */
    class BusyAdapter extends ExpressAdapter {
      override close(): Promise<unknown> | undefined {
        events.emit('product.updated', { id: 1 });
        return super.close();
      }
    }
    const module = await compile({ prefix, cache: { events } });
    const app = module.createNestApplication(new BusyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    await app.get(CacheService).named('products').set(1, 'old');
    await app.close();

    const products = (await open({ prefix, cache: { events } })).get(CacheService).named('products');
    expect(await products.get(1)).toBeUndefined();
  });

  it('waits for rules under way when the application closes', async () => {
    const events = new EventEmitter();
    const done: string[] = [];

    @Injectable()
    class Slow {
      @InvalidateOn('slow')
      async rule(): Promise<Invalidation> {
        await new Promise((resolve) => setTimeout(resolve, 50));
        done.push('rule');
        return { keys: ['key'] };
      }

      onApplicationShutdown(): void {
        done.push('shutdown');
      }
    }
    const app = await open({ cache: { events }, providers: [Slow] });
    events.emit('slow');
    await app.close();
    expect(done).toEqual(['rule', 'shutdown']);
  });
});

describe('a rule that fails', () => {
  it('is logged by its name alone, and harms neither the emitter nor the next event', async () => {
    const app = await open();
    const products = app.get(CacheService).named('products');
    const emitter = app.get(EventEmitter2);
    const error = logged();
    await products.set(1, 'old');

    expect(emitter.emit('broken', { id: -4711 })).toBe(true);
    await emitter.emitAsync('broken', { id: -4711 });
    await emitter.emitAsync('broken', { id: 1 });
    await emitter.emitAsync('product.updated', { id: 1 });

    expect(await products.get(1)).toBeUndefined();
    expect(error).toHaveBeenCalledTimes(3);
    const said = JSON.stringify(error.mock.calls);
    expect(said).toContain("CatalogueInvalidation.broken failed on 'broken' (RangeError)");
    expect(said).toContain('invalidate-on.spec');
    expect(said).not.toMatch(/secret|4711/);
  });

  it('does not keep a shutdown waiting for ever', async () => {
    @Injectable()
    class Stuck {
      @InvalidateOn('stuck')
      rule(): Promise<Invalidation> {
        return new Promise(() => {});
      }
    }
    const events = new EventEmitter();
    const app = await open({ cache: { events }, providers: [Stuck] });
    events.emit('stuck');
    const startedMs = performance.now();
    await app.close();
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

describe('at boot', () => {
  const failure = async (options: Options): Promise<unknown> =>
    (await compile(options)).init().then(
      () => 'booted',
      (error: unknown) => error,
    );

  it('asks for a source of events when there are rules', async () => {
    const error = await failure({ cache: { events: undefined as never } });
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toContain('CacheModule.forRoot({ events: EventEmitter2 })');
  });

  it('asks for the module that provides the token', async () => {
    const error = await failure({ imports: [] });
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toContain('EventEmitterModule.forRoot()');
  });

  it('refuses a source that cannot be listened to', async () => {
    expect(await failure({ cache: { events: {} as never } })).toBeInstanceOf(ConfigurationError);
  });

  it('names a cache that does not exist', async () => {
    const error = await failure({ caches: [] });
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toContain("'products'");
  });

  it.each([Scope.REQUEST, Scope.TRANSIENT])('refuses a rule whose provider has scope %p', async (scope) => {
    @Injectable({ scope })
    class Fleeting {
      @InvalidateOn('any')
      rule(): Invalidation {
        return { keys: ['any'] };
      }
    }
    const error = await failure({ providers: [Fleeting] });
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toContain('Fleeting');
  });

  it('needs no source of events where there is no rule', async () => {
    expect(await failure({ cache: { events: undefined as never }, providers: [] })).toBe('booted');
  });
});

describe('what a rule may stand on', () => {
  it('is refused on anything but a method', () => {
    const decorate = InvalidateOn('any') as unknown as (target: object, key: string, descriptor?: object) => void;
    expect(() => decorate(class {}, 'of', { value: () => ({}) })).toThrow(TypeError);
    expect(() => decorate({}, 'property')).toThrow(TypeError);
    expect(() => decorate({}, 'getter', { get: () => 1 })).toThrow(TypeError);
  });

  it('works on controllers, on subclasses, and once for a provider that has several tokens', async () => {
    let asked = 0;
    abstract class Base {
      @InvalidateOn('base')
      rule(key: string): Invalidation {
        asked += 1;
        return { keys: [key] };
      }
    }

    @Controller('rules')
    class Heir extends Base {}

    @Injectable()
    class Second extends Base {
      @InvalidateOn('second')
      other(key: string): Invalidation {
        return { keys: [key] };
      }
    }
    const app = await open({
      controllers: [Heir],
      providers: [Second, { provide: 'alias', useExisting: Second }],
    });
    const cache = app.get(CacheService);
    await cache.setMany([
      ['a', 1],
      ['b', 1],
    ]);
    await app.get(EventEmitter2).emitAsync('base', 'a');
    await app.get(EventEmitter2).emitAsync('second', 'b');
    expect(await cache.getMany(['a', 'b'])).toEqual([undefined, undefined]);
    expect(asked).toBe(2);
  });
});

function within(provider: Provider): DynamicModule {
  @Module({})
  class Somewhere {}
  return { module: Somewhere, providers: [provider] };
}
