/** What must and must not compile. Checked by `tsc` alone; nothing here runs. */
import { Cacheable, CacheEvict, CacheModule, CachePut, type Cache } from 'rookery/cache';

interface Product {
  readonly id: number;
}

export class Products {
  @Cacheable()
  async plain(_id: number): Promise<Product> {
    return { id: 1 };
  }

  @Cacheable({ key: (id: number) => id, unless: (product: Product | null, _id: number) => product === null })
  async fewerParametersAreFine(id: number, _locale: string): Promise<Product | null> {
    return { id };
  }

  // @ts-expect-error -- the key takes a string where the method takes a number
  @Cacheable({ key: (id: string) => id })
  async wrongParameter(id: number): Promise<Product> {
    return { id };
  }

  // @ts-expect-error -- the key takes more than the method is given
  @Cacheable({ key: (id: number, locale: string) => [id, locale] })
  async tooManyParameters(id: number): Promise<Product> {
    return { id };
  }

  // @ts-expect-error -- unless() takes another result than the method's
  @Cacheable({ unless: (result: string) => result === '' })
  async wrongResult(id: number): Promise<Product> {
    return { id };
  }

  // @ts-expect-error -- a method that returns no promise cannot be cached
  @Cacheable()
  synchronous(id: number): Product {
    return { id };
  }

  // @ts-expect-error -- a number is no duration: is it seconds or milliseconds?
  @Cacheable({ ttl: 900 })
  async numericTtl(id: number): Promise<Product> {
    return { id };
  }

  // @ts-expect-error -- nothing could ever read what is put under a default key
  @CachePut({ cache: 'products' })
  async putWithoutKey(id: number): Promise<Product> {
    return { id };
  }

  // @ts-expect-error -- nor is there anything to evict under one
  @CacheEvict({ cache: 'products' })
  async evictWithoutKey(_id: number): Promise<void> {
    // Never called.
  }

  @CacheEvict({ cache: 'products', key: (id: number) => id })
  async evict(_id: number): Promise<void> {
    // Never called.
  }
}

export async function values(products: Cache<Product>): Promise<void> {
  const found: Product | undefined = await products.get(1);
  const loaded: Product = await products.getOrSet(1, async () => ({ id: 1 }));
  await products.set(1, loaded);
  void found;
  // @ts-expect-error -- not a product
  await products.set(1, 'text');
  // @ts-expect-error -- not a product either
  await products.getOrSet(1, async () => 'text');
  // @ts-expect-error -- an option that does not exist
  await products.set(1, loaded, { timeToLive: '5m' });
}

// @ts-expect-error -- an option that does not exist
CacheModule.forRoot({ defaultTtl: '5m' });
