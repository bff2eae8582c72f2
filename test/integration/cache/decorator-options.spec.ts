import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cacheable, CacheEvict, CachePut, defineCache, type Cache } from '../../../src/cache/index.js';
import { eventually, FakeClock } from '../../../src/testing/index.js';
import { cacheOf, describeStores, settled } from '../../support/cache-world.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();

interface Product {
  readonly id: number;
  readonly brand: string;
}

const PRODUCTS = defineCache<Product>({ name: 'products', ttl: '10m' });

@Injectable()
class ProductsService {
  loads = 0;
  broken = false;
  readonly seen: unknown[] = [];

  @Cacheable({
    cache: PRODUCTS,
    key: (id: number) => id,
    ttl: (product: Product, id: number) => (product.brand === 'brief' || id < 0 ? '1s' : '1h'),
    tags: (product: Product, id: number) => [
      ['brand', product.brand],
      ['id', id],
    ],
  })
  async find(id: number, brand: string): Promise<Product> {
    this.loads += 1;
    return { id, brand };
  }

  @Cacheable({ cache: 'products', key: (id: number) => id, segment: 'lamps', tags: ['fixed'] })
  async lamp(id: number): Promise<Product> {
    this.loads += 1;
    return { id, brand: 'lamp' };
  }

  @Cacheable({ cache: 'products', key: (id: number) => id, segment: (_id: number, country: string) => country })
  async byCountry(id: number, country: string): Promise<Product> {
    this.loads += 1;
    return { id, brand: country };
  }

  @Cacheable({ cache: 'products', key: (id: number) => ['stale', id], ttl: '1m', staleWhileRevalidate: '1m' })
  async stale(id: number): Promise<Product> {
    this.loads += 1;
    return { id, brand: `load ${this.loads}` };
  }

  @CachePut({
    cache: PRODUCTS,
    key: ({ id }: Product) => id,
    tags: (saved: Product) => [['brand', saved.brand]],
    segment: 'lamps',
  })
  async saveLamp(product: Product): Promise<Product> {
    return product;
  }

  @CacheEvict({ cache: PRODUCTS, keys: (ids: readonly number[]) => ids })
  async removeMany(_ids: readonly number[]): Promise<void> {
    this.fail();
  }

  @CacheEvict({ cache: PRODUCTS, tags: (brand: string) => [['brand', brand]] })
  async removeBrand(_brand: string): Promise<void> {
    this.fail();
  }

  @CacheEvict({ cache: PRODUCTS, tags: ['fixed'], segments: ['de', 'fr'], key: (id: number) => id })
  async removeMuch(_id: number): Promise<void> {
    this.fail();
  }

  @CacheEvict({ cache: PRODUCTS, key: (id: number) => id, segment: 'lamps' })
  async removeLamp(_id: number): Promise<void> {
    this.fail();
  }

  @CacheEvict({ cache: PRODUCTS, key: (id: number) => id, tags: (id: number) => [['id', id]], when: 'before' })
  async removeFirst(id: number, cache: Cache<Product>): Promise<void> {
    this.seen.push(await cache.get(id));
    this.fail();
  }

  @CacheEvict({ cache: PRODUCTS, segments: ['de'], condition: (isWanted: boolean) => isWanted })
  async removeIf(_isWanted: boolean): Promise<void> {}

  fail(): void {
    if (this.broken) throw new Error('constraint');
  }
}

describeStores((world) => {
  const clock = new FakeClock(Date.now());
  let service: ProductsService;
  let products: Cache<Product>;
  let id = 1_000;

  beforeAll(async () => {
    const app = await world.open({ clock, caches: [PRODUCTS], providers: [ProductsService] });
    service = app.get(ProductsService);
    products = cacheOf(app).named(PRODUCTS);
  });

  beforeEach(() => {
    id += 1;
    service.loads = 0;
    service.broken = false;
  });

  const product = (brand: string): Product => ({ id, brand });

  describe('@Cacheable', () => {
    it('reads tags off the result and the arguments', async () => {
      for (const tag of [
        ['brand', `b${id}`],
        ['id', id],
      ]) {
        await settled(products, () => service.find(id, `b${id}`));
        expect(await products.get(id)).toEqual(product(`b${id}`));
        await products.invalidateTags([tag]);
        expect(await products.get(id)).toBeUndefined();
      }
      expect(service.loads).toBe(2);
    });

    it('reads the TTL off the result', async () => {
      await settled(products, () => service.find(id, 'brief'));
      await clock.advance('2s');
      expect(await products.get(id)).toBeUndefined();
      await settled(products, () => service.find(id, 'lasting'));
      await clock.advance('30m');
      expect(await products.get(id)).toEqual(product('lasting'));
    });

    it('keeps the entries of a segment apart, and gone at once with it', async () => {
      await settled(products, () => service.find(id, 'none'));
      await settled(products, () => service.lamp(id));
      await settled(products, () => service.byCountry(id, 'de'));
      await settled(products, () => service.byCountry(id, 'fr'));
      expect(await products.segment('lamps').get(id)).toEqual(product('lamp'));
      await products.invalidateSegment('de');
      const left = [products, ...['lamps', 'de', 'fr'].map((name) => products.segment(name))].map((cache) =>
        cache.get(id),
      );
      expect(await Promise.all(left)).toEqual([product('none'), product('lamp'), undefined, product('fr')]);
    });

    it('takes the options of freshness', async () => {
      await settled(products, () => service.stale(id));
      await clock.advance('61s');
      expect(await service.stale(id)).toEqual(product('load 1'));
      await eventually(async () => expect(await service.stale(id)).toEqual(product('load 2')));
      expect(service.loads).toBe(2);
    });
  });

  describe('@CachePut', () => {
    it('stores in its segment, under the tags of what was saved', async () => {
      await service.saveLamp(product(`b${id}`));
      expect([await service.lamp(id), service.loads]).toEqual([product(`b${id}`), 0]);
      expect(await products.get(id)).toBeUndefined();
      await products.invalidateTags([['brand', `b${id}`]]);
      expect(await products.segment('lamps').get(id)).toBeUndefined();
    });
  });

  describe('@CacheEvict', () => {
    beforeEach(async () => {
      await products.set(id, product(`b${id}`), {
        tags: [
          ['brand', `b${id}`],
          ['id', id],
        ],
      });
      await products.set(-id, product('fixed'), { tags: ['fixed'] });
      for (const segment of ['lamps', 'de', 'fr']) await products.segment(segment).set(id, product(segment));
    });

    const left = async (): Promise<string[]> => {
      const segments = ['lamps', 'de', 'fr'].map((segment) => products.segment(segment).get(id));
      const found = [...(await products.getMany([id, -id])), ...(await Promise.all(segments))];
      return found.map((each) => each?.brand ?? '').filter((brand) => brand !== '');
    };
    const all = (): string[] => [`b${id}`, 'fixed', 'lamps', 'de', 'fr'];

    it('evicts several keys', async () => {
      await service.removeMany([id, -id, 7]);
      expect(await left()).toEqual(['lamps', 'de', 'fr']);
    });

    it('invalidates tags that the arguments name', async () => {
      await service.removeBrand('another');
      expect(await left()).toEqual(all());
      await service.removeBrand(`b${id}`);
      expect(await left()).toEqual(['fixed', 'lamps', 'de', 'fr']);
    });

    it('evicts by key, tag and segment together', async () => {
      await service.removeMuch(id);
      expect(await left()).toEqual(['lamps']);
    });

    it('evicts from a segment', async () => {
      await service.removeLamp(id);
      expect(await left()).toEqual([`b${id}`, 'fixed', 'de', 'fr']);
    });

    it('leaves everything when the method fails', async () => {
      service.broken = true;
      for (const call of [
        () => service.removeMany([id]),
        () => service.removeBrand(`b${id}`),
        () => service.removeMuch(id),
        () => service.removeLamp(id),
      ]) {
        await expect(call()).rejects.toThrow('constraint');
      }
      expect(await left()).toEqual(all());
    });

    it('evicts before the method runs where it is asked to, whatever becomes of it', async () => {
      service.broken = true;
      await expect(service.removeFirst(id, products)).rejects.toThrow('constraint');
      expect(service.seen.at(-1)).toBeUndefined();
      expect(await left()).toEqual(['fixed', 'lamps', 'de', 'fr']);
    });

    it('does nothing where condition() excludes the call', async () => {
      await service.removeIf(false);
      expect(await left()).toEqual(all());
      await service.removeIf(true);
      expect(await left()).toEqual([`b${id}`, 'fixed', 'lamps', 'fr']);
    });
  });
});
