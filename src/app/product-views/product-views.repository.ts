import { Injectable } from '@nestjs/common';
import { sql, type Transaction } from 'kysely';
import type { FlushContext, WriteBehindEntry } from 'rookery/cache';
import { type Database, InjectDatabase } from '../database/database.js';
import type { Schema } from '../database/schema.js';

/** How long it is known which batches were counted: far longer than any batch is tried for. */
const BATCHES_KEPT_FOR = '7 days';

/** The counts in Postgres. */
@Injectable()
export class ProductViewsRepository {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** How often the product was looked at, as far as the database knows. One statement. */
  async find(productId: number): Promise<number> {
    const row = await this.db
      .selectFrom('product_views')
      .select('views')
      .where('product_id', '=', productId)
      .executeTakeFirst();
    return Number(row?.views ?? 0);
  }

  /** Counts a batch exactly once, however often it comes: its id is kept in the transaction that counts it. */
  async add(batch: readonly WriteBehindEntry<number, number>[], { batchId, partOf }: FlushContext): Promise<void> {
    await this.db.transaction().execute(async (transaction) => {
      if (partOf !== undefined && (await isApplied(transaction, partOf))) return;
      // Of two attempts at the same time the second waits here until the first has ended.
      const isNew = await note(transaction, batchId);
      if (!isNew) return;
      await transaction
        .insertInto('product_views')
        .values(batch.map(({ key, value }) => ({ product_id: key, views: value })))
        .onConflict((on) =>
          on
            .column('product_id')
            .doUpdateSet((eb) => ({ views: eb('product_views.views', '+', eb.ref('excluded.views')) })),
        )
        .execute();
      await forgetOldBatches(transaction);
    });
  }
}

async function isApplied(transaction: Transaction<Schema>, id: string): Promise<boolean> {
  const row = await transaction.selectFrom('applied_batches').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/** Returns false for a batch that has been counted. */
async function note(transaction: Transaction<Schema>, id: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await transaction
    .insertInto('applied_batches')
    .values({ id })
    .onConflict((on) => on.doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows > 0n;
}

async function forgetOldBatches(transaction: Transaction<Schema>): Promise<void> {
  await transaction
    .deleteFrom('applied_batches')
    .where('applied_at', '<', sql<Date>`now() - ${BATCHES_KEPT_FOR}::interval`)
    .execute();
}
