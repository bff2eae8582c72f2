import { Injectable } from '@nestjs/common';
import { Cacheable, type CacheOf, InjectCache } from 'rookery/cache';
import { PRODUCTS, tagsOfProduct, tagsOfUpdate } from './catalogue.cache.js';
import type { Product, ProductChange, ProductPage, ProductQuery, ProductSearch } from './product.js';
import { ProductRepository } from './product.repository.js';

/** The catalogue as the shop sees it: single products from the cache; lists from the database, since their pages are cached as they are sent. */
@Injectable()
export class CatalogueService {
  constructor(
    private readonly products: ProductRepository,
    @InjectCache(PRODUCTS) private readonly cache: CacheOf<typeof PRODUCTS>,
  ) {}

  /** The product, or null when there is none. */
  @Cacheable({
    cache: PRODUCTS,
    key: (id: number) => id,
    tags: (product: Product | null) => (product === null ? [] : tagsOfProduct(product)),
  })
  async find(id: number): Promise<Product | null> {
    return this.products.find(id);
  }

  async list(query: ProductQuery): Promise<ProductPage> {
    return this.products.list(query);
  }

  async search(query: ProductSearch): Promise<ProductPage> {
    return this.products.search(query);
  }

  /**
   * See {@link ProductRepository.update}. Once it has resolved, nobody is given the product as it was, nor a list that a reader would find
   * it missing from, or find it in by mistake: the lists of its category and brand before the change go, as do those of the present ones.
   */
  async update(id: number, change: ProductChange, expectedVersion?: number): Promise<Product | null> {
    const update = await this.products.update(id, change, expectedVersion);
    if (update === null) {
      return null;
    }
    // By its id too: that there is no such product, which may have been so a moment ago, bears no tags.
    await Promise.all([this.cache.delete(id), this.cache.invalidateTags(tagsOfUpdate(update))]);
    return update.after;
  }

  /**
   * The stock of these products was changed. Each is read anew by its next reader; lists are not, and may show the stock of a minute ago: orders come
   * too often to drop every list for each.
   */
  async stockChanged(ids: readonly number[]): Promise<void> {
    await Promise.all(ids.map((id) => this.cache.delete(id)));
  }
}
