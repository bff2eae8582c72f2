import { Injectable } from '@nestjs/common';
import { sql, type Transaction } from 'kysely';
import type { FlushContext, WriteBehindEntry } from 'rookery/cache';
import { type Database, InjectDatabase } from '../database/database.js';
import type { Schema } from '../database/schema.js';
import { PartlyCountedError } from './partly-counted.error.js';

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

  /**
   * Counts a batch exactly once, however often it comes, whole or entry by entry: its id is kept in the transaction that counts it.
   *
   * Rejects with `PartlyCountedError` when the batch comes whole after some of it was counted entry by entry; and when it is told to stop.
   */
  async add(
    batch: readonly WriteBehindEntry<number, number>[],
    { batchId, partOf, signal }: FlushContext,
  ): Promise<void> {
    const whole = partOf ?? batchId;
    await this.db.transaction().execute(async (transaction) => {
      await lock(transaction, whole);
      const counted = await applied(transaction, [whole, batchId, partsOf(whole)]);
      if (counted.has(whole) || counted.has(batchId)) return;
      if (partOf === undefined && counted.has(partsOf(whole))) throw new PartlyCountedError();
      signal.throwIfAborted();
      await note(transaction, partOf === undefined ? [batchId] : [batchId, partsOf(whole)]);
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
      // Whoever gave this up may be trying again already: what can be taken back still, is.
      signal.throwIfAborted();
    });
  }
}

/** What is noted beside the first part of a batch, so that the whole finds it. */
const partsOf = (batchId: string): string => `${batchId}/parts`;

/**
 * Attempts at one batch, and at parts of it, wait for each other here, also for one that was given up and whose transaction is open still. A
 * statement after this one sees what the earlier attempt has done.
 */
async function lock(transaction: Transaction<Schema>, batchId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${batchId}, 0))`.execute(transaction);
}

async function applied(transaction: Transaction<Schema>, ids: readonly string[]): Promise<Set<string>> {
  const rows = await transaction.selectFrom('applied_batches').select('id').where('id', 'in', ids).execute();
  return new Set(rows.map(({ id }) => id));
}

async function note(transaction: Transaction<Schema>, ids: readonly string[]): Promise<void> {
  await transaction
    .insertInto('applied_batches')
    .values(ids.map((id) => ({ id })))
    .onConflict((on) => on.doNothing())
    .execute();
}

async function forgetOldBatches(transaction: Transaction<Schema>): Promise<void> {
  await transaction
    .deleteFrom('applied_batches')
    .where('applied_at', '<', sql<Date>`now() - ${BATCHES_KEPT_FOR}::interval`)
    .execute();
}
