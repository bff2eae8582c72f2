import { sql } from 'kysely';
import type { Shop } from './shop.js';

/** Runs `work` while the shop's only database connection is taken, so that every query waits. Gives it back whatever happens. */
export async function whileDatabaseIsOccupied<T>({ database }: Shop, work: () => Promise<T>): Promise<T> {
  return database.db.transaction().execute(async (transaction) => {
    await sql`select 1`.execute(transaction);
    return work();
  });
}
