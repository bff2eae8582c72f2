import type { ExecutionContext } from '@nestjs/common';
import { type CacheResponseOptions, type CacheTag, defineCache } from 'rookery/cache';
import type { Product, ProductFilter, ProductPage, ProductPlace, ProductUpdate } from './product.js';

/**
 * Products by their ids, and pages of the product list. Both lie in one cache, and so under the same tags: one invalidation reaches all
 * that a change makes stale.
 *
 * That there is no such product is remembered too, so that whoever tries ids at random asks Redis and not the database; but not for long, for
 * products come into the database by other ways than this service, and those tell no cache.
 */
export const PRODUCTS = defineCache<Product | null>({ name: 'products', ttl: '10m', negativeTtl: '5s', memory: true });

/**
 * How pages of the product list are cached: the same for everybody. Their time is short because there are so many of them; what keeps them
 * true is the invalidation. A page beyond the end is not kept, as there is no end to such pages.
 *
 * Every parameter of the query counts. Those that the list does not have need not be left out: the request is refused, and that is not kept.
 */
export const PRODUCT_PAGES: CacheResponseOptions = {
  cache: PRODUCTS,
  ttl: '1m',
  shared: true,
  tags: (context) => [tagOfList(filterOf(context))],
  unless: (page) => (page as ProductPage).items.length === 0,
};

const EVERY_PRODUCT: CacheTag = 'every-product';
const inCategory = (slug: string): CacheTag => ['category', slug];
const ofBrand = (slug: string): CacheTag => ['brand', slug];

/** What a product is tagged with. */
export function tagsOfProduct({ category, brand }: ProductPlace): readonly CacheTag[] {
  return [inCategory(category), ofBrand(brand)];
}

/**
 * What a list is tagged with. One tag is enough where there are two filters: a change that touches the list is of a product that was, or
 * is now, in both.
 */
function tagOfList({ category, brand }: ProductFilter): CacheTag {
  if (brand !== undefined) return ofBrand(brand);
  return category === undefined ? EVERY_PRODUCT : inCategory(category);
}

/**
 * What a change makes stale: every list that the product was in, or is in now. Other products of the same categories and brands go along, and are
 * read anew once: a fair price for one tag that stands for all, where changes are rare.
 */
export function tagsOfUpdate({ before, after }: ProductUpdate): readonly CacheTag[] {
  return [EVERY_PRODUCT, ...tagsOfProduct(before), ...tagsOfProduct(after)];
}

/** The filter as it was sent. What is no text is refused by the handler, and its answer is not kept. */
function filterOf(context: ExecutionContext): ProductFilter {
  const { query } = context.switchToHttp().getRequest<{ readonly query: Readonly<Record<string, unknown>> }>();
  return { category: textIn(query['category']), brand: textIn(query['brand']) };
}

const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
