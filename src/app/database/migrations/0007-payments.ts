import { type Kysely, type Migration, sql } from 'kysely';

/** One payment for each order that somebody has tried to pay, with the fence of who wrote it last. */
export const createPayments: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('payments')
      .addColumn('order_id', 'uuid', (column) => column.primaryKey().references('orders.id'))
      .addColumn('amount_cents', 'bigint', (column) => column.notNull().check(sql`amount_cents >= 0`))
      .addColumn('currency', 'char(3)', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull().check(sql`status in ('pending', 'paid', 'declined')`))
      .addColumn('charge_id', 'text')
      .addColumn('fence', 'bigint', (column) => column.notNull())
      .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn('updated_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addCheckConstraint('payments_paid_by_a_charge', sql`(status = 'paid') = (charge_id is not null)`)
      .execute();
  },

  async down(db: Kysely<unknown>): Promise<void> {
    await db.schema.dropTable('payments').execute();
  },
};
