import { Injectable } from '@nestjs/common';
import { Cacheable, CacheEvict } from 'rookery/cache';
import type { Product, ProductChange, ProductPage, ProductQuery } from './product.js';
import { ProductRepository } from './product.repository.js';

/** The catalogue as the shop sees it: single products from the cache, lists from the database. */
@Injectable()
export class CatalogueService {
  constructor(private readonly products: ProductRepository) {}

  /** The product, or null when there is none. A product that is missing is asked for again each time. */
  @Cacheable({ cache: 'products', key: (id: number) => id, unless: (product: Product | null) => product === null })
  async find(id: number): Promise<Product | null> {
    return this.products.find(id);
  }

  /** Not cached: any change of any product may change any page, and a stale page costs more than its query. */
  async list(query: ProductQuery): Promise<ProductPage> {
    return this.products.list(query);
  }

  /** See {@link ProductRepository.update}; the cached product goes once the change is made. */
  @CacheEvict({ cache: 'products', key: (id: number) => id })
  async update(id: number, change: ProductChange, expectedVersion?: number): Promise<Product | null> {
    return this.products.update(id, change, expectedVersion);
  }
}
