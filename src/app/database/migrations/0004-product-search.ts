import { type Kysely, type Migration, sql } from 'kysely';

/** Finds products by the words of their names and descriptions. */
export const createProductSearch: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create index products_words on products using gin (to_tsvector('english', name || ' ' || description))
    `.execute(db);
  },

  async down(db: Kysely<unknown>): Promise<void> {
    await db.schema.dropIndex('products_words').execute();
  },
};
