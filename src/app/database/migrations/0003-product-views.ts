import { type Kysely, type Migration, sql } from 'kysely';

/** How often each product was looked at, and which batches of views have been counted already. */
export const createProductViews: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('product_views')
      .addColumn('product_id', 'integer', (column) => column.primaryKey().references('products.id').onDelete('cascade'))
      .addColumn('views', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('applied_batches')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('applied_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
    // For those that have grown old.
    await db.schema.createIndex('applied_batches_applied_at').on('applied_batches').column('applied_at').execute();
  },

  async down(db: Kysely<unknown>): Promise<void> {
    for (const table of ['applied_batches', 'product_views']) {
      await db.schema.dropTable(table).execute();
    }
  },
};
