/** What must and must not compile. Checked by `tsc` alone; nothing here runs. */
import {
  ANY,
  Cacheable,
  CacheEvict,
  CacheModule,
  CachePut,
  defineCache,
  defineReadThrough,
  InjectCache,
  startingWith,
  type Cache,
  type CacheOf,
  type CacheService,
  type ReadThroughCache,
} from 'rookery/cache';

interface Product {
  readonly id: number;
}

const PRODUCTS = defineCache<Product>({ name: 'products', ttl: (product) => (product.id > 1 ? '1m' : '1h') });
const USERS = defineReadThrough<number, Product | null>({ name: 'users', tags: (user) => [['id', user?.id]] });

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

  @Cacheable({
    cache: PRODUCTS,
    ttl: (product: Product) => `${product.id}s` as const,
    tags: (product: Product, id: number) => [product.id, id],
  })
  async readOffTheResult(id: number): Promise<Product> {
    return { id };
  }

  // @ts-expect-error -- the cache holds products
  @Cacheable({ cache: PRODUCTS })
  async notWhatTheCacheHolds(_id: number): Promise<string> {
    return 'text';
  }

  // @ts-expect-error -- tags() takes another result than the method's
  @Cacheable({ tags: (result: string) => [result] })
  async wrongTags(id: number): Promise<Product> {
    return { id };
  }

  // @ts-expect-error -- ttl() gives a number, which is no duration
  @Cacheable({ ttl: () => 60 })
  async wrongTtl(id: number): Promise<Product> {
    return { id };
  }

  // @ts-expect-error -- the segment takes a number where the method takes a string
  @Cacheable({ segment: (country: number) => `${country}` })
  async wrongSegment(_country: string): Promise<number> {
    return 1;
  }

  @CacheEvict({
    cache: PRODUCTS,
    keys: (ids: readonly number[]) => ids,
    tags: (ids: readonly number[]) => ids,
    when: 'before',
  })
  async evictMany(_ids: readonly number[]): Promise<void> {
    // Never called.
  }

  @CacheEvict({ segments: ['lamps'] })
  async evictSegment(): Promise<void> {
    // Never called.
  }

  // @ts-expect-error -- tags of an eviction are named before the method runs, by its arguments
  @CacheEvict({ tags: (product: Product) => [product.id] })
  async evictByResult(_id: number): Promise<Product> {
    return { id: 1 };
  }

  // @ts-expect-error -- before or after, nothing else
  @CacheEvict({ tags: ['all'], when: 'during' })
  async evictDuring(): Promise<void> {
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

export async function inference(products: Cache<Product>, service: CacheService): Promise<void> {
  const many: (Product | undefined)[] = await products.getOrSetMany([1, 2], (ids: readonly number[]) =>
    ids.map((id) => ({ id })),
  );
  const through: Product = await products.writeThrough(1, () => ({ id: 1 }), { tags: (saved) => [saved.id] });
  const segment: Cache<Product> = products.segment('lamps');
  const named: Cache<Product> = service.named(PRODUCTS);
  const anything: number = await service.getOrSet('count', () => 1);
  await products.invalidatePattern([1, ANY, startingWith('a')]);
  void [many, through, segment, named, anything];
  // @ts-expect-error -- the batch loader gives something else than products
  await products.getOrSetMany([1], () => ['text']);
  // @ts-expect-error -- the batch loader takes other keys than it is given
  await products.getOrSetMany(['a'], (ids: readonly number[]) => ids.map((id) => ({ id })));
  // @ts-expect-error -- a product has no name to tag it by
  await products.set(1, { id: 1 }, { tags: (product) => [product.name] });
  // @ts-expect-error -- a product has no such thing as a colour
  await products.getOrSet(1, () => ({ id: 1 }), { unless: (product) => product.colour === 'red' });
  // @ts-expect-error -- a list of tags, not one
  await products.invalidateTags('brand');
  // @ts-expect-error -- 'soon' is no duration
  await products.getOrSet(1, () => ({ id: 1 }), { staleWhileRevalidate: 'soon' });
}

export class Injected {
  constructor(
    @InjectCache(PRODUCTS) readonly products: CacheOf<typeof PRODUCTS>,
    @InjectCache(USERS) readonly users: ReadThroughCache<number, Product | null>,
  ) {}

  async use(): Promise<void> {
    const product: Product | undefined = await this.products.get(1);
    const user: Product | null = await this.users.get(1);
    void [product, user];
    // @ts-expect-error -- users are found by number
    await this.users.get('1');
  }
}

CacheModule.forFeature(PRODUCTS, { name: 'other', memory: { maxEntries: 10 } });

// @ts-expect-error -- the TTL of a cache reads another value than the cache holds
defineCache<Product>({ name: 'products', ttl: (value: string) => (value === '' ? '1s' : '1m') });

// @ts-expect-error -- an option that does not exist
CacheModule.forRoot({ defaultTtl: '5m' });
