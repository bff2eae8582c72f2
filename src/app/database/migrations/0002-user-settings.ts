import { type Kysely, type Migration, sql } from 'kysely';

/** What users have chosen. There is no table of users: whoever logs them in will own it. */
export const createUserSettings: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('user_settings')
      .addColumn('user_id', 'integer', (column) => column.primaryKey())
      .addColumn('language', 'text', (column) => column.notNull())
      .addColumn('currency', 'char(3)', (column) => column.notNull())
      .addColumn('newsletter', 'boolean', (column) => column.notNull())
      .addColumn('updated_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
  },

  async down(db: Kysely<unknown>): Promise<void> {
    await db.schema.dropTable('user_settings').execute();
  },
};
