import { type Kysely, type Migration, sql } from 'kysely';

/** Products in categories and of brands; both have a readable slug as key, so that a filter needs no join. */
export const createCatalogue: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const table of ['categories', 'brands']) {
      await db.schema
        .createTable(table)
        .addColumn('slug', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .execute();
    }
    await db.schema
      .createTable('products')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('sku', 'text', (column) => column.notNull().unique())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('category', 'text', (column) => column.notNull())
      .addColumn('brand', 'text', (column) => column.notNull())
      .addColumn('price_cents', 'integer', (column) => column.notNull().check(sql`price_cents >= 0`))
      .addColumn('currency', 'char(3)', (column) => column.notNull())
      .addColumn('description', 'text', (column) => column.notNull())
      .addColumn('stock', 'integer', (column) => column.notNull().check(sql`stock >= 0`))
      .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn('updated_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn('version', 'integer', (column) => column.notNull().defaultTo(1))
      .addForeignKeyConstraint('products_category_fk', ['category'], 'categories', ['slug'])
      .addForeignKeyConstraint('products_brand_fk', ['brand'], 'brands', ['slug'])
      .execute();
    // A page is read in the order of id, with or without a filter: each index ends in it.
    await db.schema.createIndex('products_category_id').on('products').columns(['category', 'id']).execute();
    await db.schema.createIndex('products_brand_id').on('products').columns(['brand', 'id']).execute();
  },

  async down(db: Kysely<unknown>): Promise<void> {
    for (const table of ['products', 'brands', 'categories']) {
      await db.schema.dropTable(table).execute();
    }
  },
};
