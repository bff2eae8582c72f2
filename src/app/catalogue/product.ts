/** One product of the shop. Plain data: it is the same whether it comes from the database or from a cache. */
export interface Product {
  readonly id: number;
  readonly sku: string;
  readonly name: string;
  /** The slug of its category. */
  readonly category: string;
  /** The slug of its brand. */
  readonly brand: string;
  readonly priceCents: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly description: string;
  /** How many are in store. */
  readonly stock: number;
  /** ISO 8601, in UTC. */
  readonly createdAt: string;
  /** ISO 8601, in UTC. */
  readonly updatedAt: string;
  /** Counts the changes, from 1: tells an editor that the product changed meanwhile. */
  readonly version: number;
}

/** What an editor may change: all of it at once. */
export type ProductChange = Pick<Product, 'name' | 'category' | 'brand' | 'priceCents' | 'description' | 'stock'>;

/** Where a product is found: in the lists of its category, and in those of its brand. */
export type ProductPlace = Pick<Product, 'category' | 'brand'>;

/** A change that was made. */
export interface ProductUpdate {
  readonly before: ProductPlace;
  readonly after: Product;
}

/** Which products: those of the category and of the brand, where these are given. */
export interface ProductFilter {
  readonly category?: string | undefined;
  readonly brand?: string | undefined;
}

/** Which products, and which part of them. Pages count from 1. */
export interface ProductQuery extends ProductFilter {
  readonly page: number;
  readonly pageSize: number;
}

/** Which products by their words, and which part of them. Pages count from 1. */
export interface ProductSearch {
  /** As people type it into a search box: words, "phrases", or, -without. */
  readonly q: string;
  readonly page: number;
  readonly pageSize: number;
}

/** A part of a list; `items` is empty beyond the end. */
export interface ProductPage {
  readonly items: readonly Product[];
  readonly page: number;
  readonly pageSize: number;
  /** Of all pages together. */
  readonly total: number;
  readonly pages: number;
}

/** Ids are positive 32-bit integers, as in the database. */
export const MAX_PRODUCT_ID = 2_147_483_647;
