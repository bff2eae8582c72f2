import type { ColumnType, Generated } from 'kysely';
import type { PaymentStatus } from '../orders/order.js';
import type { Currency, Language } from '../user-settings/user-settings.js';

/** The tables, as SQL names them. Timestamps are read as `Date`. */
export interface Schema {
  categories: SlugTable;
  brands: SlugTable;
  products: ProductTable;
  user_settings: UserSettingsTable;
  product_views: ProductViewsTable;
  applied_batches: AppliedBatchTable;
  users: UserTable;
  orders: OrderTable;
  order_lines: OrderLineTable;
  payments: PaymentTable;
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

interface UserTable {
  id: Generated<number>;
  email: string;
  name: string;
  password_hash: string;
  created_at: Generated<Date>;
}

interface OrderTable {
  id: Generated<string>;
  /** The driver reads a `bigint` as text. */
  total_cents: ColumnType<string, number, number>;
  currency: string;
  created_at: Generated<Date>;
}

interface OrderLineTable {
  order_id: string;
  product_id: number;
  quantity: number;
  price_cents: number;
}

export interface PaymentTable {
  order_id: string;
  /** The driver reads a `bigint` as text. */
  amount_cents: ColumnType<string, number, number>;
  currency: string;
  status: Exclude<PaymentStatus, 'unpaid'>;
  charge_id: Generated<string | null>;
  fence: ColumnType<string, number, number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}
