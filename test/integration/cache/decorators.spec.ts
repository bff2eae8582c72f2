import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Param,
  Scope,
  SetMetadata,
  type INestApplicationContext,
} from '@nestjs/common';
import { ContextIdFactory, REQUEST } from '@nestjs/core';
import type { TestingModule } from '@nestjs/testing';
import { Cacheable, CacheEvict, CachePut, CacheService } from '../../../src/cache/index.js';
import { AspectNotBoundError } from '../../../src/core/aspects/aspect-not-bound.error.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { describeTopologies, expectNoLeakedConnections, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

interface Product {
  readonly id: number;
  readonly name: string;
}

let calls: string[] = [];
const called = (what: string): void => void calls.push(what);

@Injectable()
class ProductsService {
  products = new Map<number, Product>();

  @Cacheable({ cache: 'products', key: (id: number) => id, unless: (product: Product | null) => product === null })
  async find(id: number): Promise<Product | null> {
    called(`find ${id}`);
    return this.products.get(id) ?? null;
  }

  @Cacheable()
  async search(category: string, page: number | string): Promise<string> {
    called(`search ${category} ${typeof page} ${page}`);
    return `${category}/${page}`;
  }

  @Cacheable({ key: (id: number) => ['conditional', id], condition: (id: number) => id < 100 })
  async conditional(id: number): Promise<number> {
    called(`conditional ${id}`);
    return id;
  }

  @CachePut({
    cache: 'products',
    key: (product: Product) => product.id,
    unless: (_saved: Product | undefined, product: Product) => product.name === 'draft',
  })
  async save(product: Product): Promise<Product | undefined> {
    called(`save ${product.id}`);
    if (product.name === 'broken') throw new Error('constraint');
    if (product.name === 'gone') return undefined;
    this.products.set(product.id, product);
    return product;
  }

  @CacheEvict({ cache: 'products', key: (id: number) => id, condition: (id: number) => id !== 13 })
  async remove(id: number, fail = false): Promise<boolean> {
    if (fail) throw new Error('constraint');
    return this.products.delete(id);
  }

  @Cacheable({ cache: 'nowhere' })
  async misconfigured(): Promise<number> {
    return 1;
  }
}

@Injectable()
class OtherProductsService extends ProductsService {
  override async search(category: string, page: number | string): Promise<string> {
    return `other ${await super.search(category, page)}`;
  }
}

@Injectable()
class InheritingService extends ProductsService {}

const namesakes = [1, 2].map((value) => {
  @Injectable()
  class Namesake {
    @Cacheable()
    async value(): Promise<number> {
      return value;
    }
  }
  return Namesake;
});

const namesakesApart = ['products', undefined].map((cache) => {
  @Injectable()
  class NamesakeApart {
    @Cacheable(cache === undefined ? {} : { cache })
    async value(): Promise<string> {
      return `in ${cache}`;
    }
  }
  return NamesakeApart;
});

@Controller('lamps')
class LampsController {
  @Cacheable({ key: (id: string) => ['lamp', id] })
  @SetMetadata('beneath', 1)
  @Get(':id')
  async find(@Param('id') id: string): Promise<{ id: string }> {
    called(`lamp ${id}`);
    return { id };
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScoped {
  constructor(@Inject(REQUEST) readonly request: { readonly id: number }) {}

  @Cacheable({ key: (id: number) => ['scoped', id] })
  async find(id: number): Promise<string> {
    called(`scoped ${id}`);
    return `${id} for request ${this.request.id}`;
  }
}

describeTopologies((topology) => {
  let app: TestingModule;
  let service: ProductsService;
  let cache: CacheService;
  let id = 1_000;

  beforeAll(async () => {
    app = await cacheApp({
      redis: sharedRedis(topology),
      caches: [{ name: 'products' }],
      providers: [
        ProductsService,
        OtherProductsService,
        InheritingService,
        RequestScoped,
        ...namesakes,
        ...namesakesApart,
      ],
      controllers: [LampsController],
    });
    service = app.get(ProductsService);
    cache = app.get(CacheService);
  });

  beforeEach(() => {
    calls = [];
    id += 1;
  });

  afterAll(() => app.close());

  describe('@Cacheable', () => {
    it('caches on a plain provider, under a key that can be made by hand', async () => {
      service.products.set(id, { id, name: 'Lamp' });
      await service.find(id);
      expect(await service.find(id)).toEqual({ id, name: 'Lamp' });
      expect(calls).toEqual([`find ${id}`]);
      expect(await cache.named('products').get(id)).toEqual({ id, name: 'Lamp' });
    });

    it('caches on a controller, and keeps its route and metadata', async () => {
      const controller = app.get(LampsController);
      await controller.find(`a${id}`);
      expect(await controller.find(`a${id}`)).toEqual({ id: `a${id}` });
      expect(calls).toEqual([`lamp a${id}`]);
      const method = LampsController.prototype.find;
      expect(Reflect.getMetadata('path', method)).toBe(':id');
      expect(Reflect.getMetadata('beneath', method)).toBe(1);
      expect([method.name, method.length]).toEqual(['find', 1]);
    });

    it('caches on a request-scoped provider', async () => {
      const inRequest = async (request: number): Promise<RequestScoped> => {
        const contextId = ContextIdFactory.create();
        (app as INestApplicationContext).registerRequestByContextId({ id: request }, contextId);
        return app.resolve(RequestScoped, contextId);
      };
      expect(await (await inRequest(1)).find(id)).toBe(`${id} for request 1`);
      expect(await (await inRequest(2)).find(id)).toBe(`${id} for request 1`);
      expect(calls).toEqual([`scoped ${id}`]);
    });

    it('throws on an object that Nest did not build', async () => {
      await expect(new ProductsService().find(1)).rejects.toBeInstanceOf(AspectNotBoundError);
      await expect(new ProductsService().find(1)).rejects.toThrow(
        '@Cacheable on ProductsService.find has nothing to work with',
      );
    });

    it('makes a key of class, method and arguments when it is given none', async () => {
      await service.search(`c${id}`, 1);
      await service.search(`c${id}`, 1);
      await service.search(`c${id}`, '1');
      expect(calls).toEqual([`search c${id} number 1`, `search c${id} string 1`]);
      expect(await cache.get(['ProductsService.search', `c${id}`, 1])).toBe(`c${id}/1`);
    });

    it('caches an inherited method for each class apart, and lets an override call the one it overrides', async () => {
      expect(await app.get(OtherProductsService).search(`c${id}`, 1)).toBe(`other c${id}/1`);
      await app.get(InheritingService).search(`c${id}`, 1);
      await service.search(`c${id}`, 1);
      expect(calls).toHaveLength(3);
      expect(await cache.get(['InheritingService.ProductsService.search', `c${id}`, 1])).toBe(`c${id}/1`);
    });

    it('refuses to let two classes of one name share their entries', async () => {
      const [first, second] = namesakes.map((namesake) => app.get<{ value(): Promise<number> }>(namesake));
      expect(await first?.value()).toBe(1);
      await expect(second?.value()).rejects.toThrow("Two classes named Namesake have a @Cacheable method 'value'");
    });

    it('lets two classes of one name be when their entries are in different caches', async () => {
      const values = namesakesApart.map((namesake) => app.get<{ value(): Promise<string> }>(namesake).value());
      expect(await Promise.all(values)).toEqual(['in products', 'in undefined']);
      expect(await cache.get(['NamesakeApart.value'])).toBe('in undefined');
    });

    it('does not store what unless() excludes', async () => {
      expect(await service.find(id)).toBeNull();
      service.products.set(id, { id, name: 'Found' });
      expect(await service.find(id)).toEqual({ id, name: 'Found' });
    });

    it('leaves calls alone that condition() excludes', async () => {
      await service.conditional(id);
      await service.conditional(id);
      expect(calls).toHaveLength(2);
      await service.conditional(7);
      await service.conditional(7);
      expect(calls).toHaveLength(3);
    });

    it('names the caches there are when the one asked for is not registered', async () => {
      await expect(service.misconfigured()).rejects.toThrow(
        "There is no cache 'nowhere'; there are 'default', 'products'. Register it with CacheModule.forFeature({ name: 'nowhere' }).",
      );
    });

    it('runs a method once for concurrent calls', async () => {
      await Promise.all(Array.from({ length: 50 }, () => service.search(`c${id}`, 1)));
      expect(calls).toHaveLength(1);
    });
  });

  describe('@CachePut', () => {
    it('runs every time and caches what it returned', async () => {
      await service.save({ id, name: 'One' });
      await service.save({ id, name: 'Two' });
      expect(calls).toEqual([`save ${id}`, `save ${id}`]);
      expect(await service.find(id)).toEqual({ id, name: 'Two' });
      expect(calls).toHaveLength(2);
    });

    it('leaves the cache as it was when the method fails', async () => {
      await service.save({ id, name: 'One' });
      await expect(service.save({ id, name: 'broken' })).rejects.toThrow('constraint');
      expect(await cache.named('products').get(id)).toEqual({ id, name: 'One' });
    });

    it('does not store what unless() excludes, and evicts for undefined', async () => {
      await service.save({ id, name: 'One' });
      await service.save({ id, name: 'draft' });
      expect(await cache.named('products').get(id)).toEqual({ id, name: 'One' });
      await service.save({ id, name: 'gone' });
      expect(await cache.named('products').get(id)).toBeUndefined();
    });

    it('hands out a result that cannot be encoded, and evicts what it should have replaced', async () => {
      await service.save({ id, name: 'One' });
      const saved = await service.save({ id, name: 1n as unknown as string });
      expect(saved?.name).toBe(1n);
      expect(await cache.named('products').get(id)).toBeUndefined();
    });
  });

  describe('@CacheEvict', () => {
    it('evicts once the method has succeeded', async () => {
      await service.save({ id, name: 'One' });
      expect(await service.remove(id)).toBe(true);
      expect(await service.find(id)).toBeNull();
    });

    it('leaves the entry when the method fails', async () => {
      await service.save({ id, name: 'One' });
      await expect(service.remove(id, true)).rejects.toThrow('constraint');
      expect(await cache.named('products').get(id)).toEqual({ id, name: 'One' });
    });

    it('leaves the entry when condition() excludes the call', async () => {
      await service.save({ id: 13, name: 'Thirteen' });
      await service.remove(13);
      await eventually(async () => expect(await cache.named('products').get(13)).toEqual({ id: 13, name: 'Thirteen' }));
    });
  });
});
