import type { Generated } from 'kysely';

/** The tables, as SQL names them. Timestamps are read as `Date`. */
export interface Schema {
  categories: SlugTable;
  brands: SlugTable;
  products: ProductTable;
}

interface SlugTable {
  slug: string;
  name: string;
}

export interface ProductTable {
  id: number;
  sku: string;
  name: string;
  category: string;
  brand: string;
  price_cents: number;
  currency: string;
  description: string;
  stock: number;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  version: Generated<number>;
}
