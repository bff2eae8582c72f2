import type { ColumnType, Generated } from 'kysely';
import type { Currency, Language } from '../user-settings/user-settings.js';

/** The tables, as SQL names them. Timestamps are read as `Date`. */
export interface Schema {
  categories: SlugTable;
  brands: SlugTable;
  products: ProductTable;
  user_settings: UserSettingsTable;
  product_views: ProductViewsTable;
  applied_batches: AppliedBatchTable;
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

export interface UserSettingsTable {
  user_id: number;
  language: Language;
  currency: Currency;
  newsletter: boolean;
  updated_at: Generated<Date>;
}

interface ProductViewsTable {
  product_id: number;
  /** The driver reads a `bigint` as text. */
  views: ColumnType<string, number, number>;
}

interface AppliedBatchTable {
  id: string;
  applied_at: Generated<Date>;
}
