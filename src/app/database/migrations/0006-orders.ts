import { type Kysely, type Migration, sql } from 'kysely';

/** What was ordered, at the prices of that moment. An order's id is the only key to it, and cannot be guessed. */
export const createOrders: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('orders')
      .addColumn('id', 'uuid', (column) => column.primaryKey().defaultTo(sql`gen_random_uuid()`))
      .addColumn('total_cents', 'bigint', (column) => column.notNull().check(sql`total_cents >= 0`))
      .addColumn('currency', 'char(3)', (column) => column.notNull())
      .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
    await db.schema
      .createTable('order_lines')
      .addColumn('order_id', 'uuid', (column) => column.notNull().references('orders.id').onDelete('cascade'))
      .addColumn('product_id', 'integer', (column) => column.notNull().references('products.id'))
      .addColumn('quantity', 'integer', (column) => column.notNull().check(sql`quantity > 0`))
      .addColumn('price_cents', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('order_lines_pk', ['order_id', 'product_id'])
      .execute();
  },

  async down(db: Kysely<unknown>): Promise<void> {
    for (const table of ['order_lines', 'orders']) {
      await db.schema.dropTable(table).execute();
    }
  },
};
