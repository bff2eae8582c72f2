import { sql } from 'kysely';
import type { Shop } from './shop.js';

/** Holds the shop's only database connection, so that every query waits, until the function that it gives is called. */
export async function occupyDatabase({ database }: Shop): Promise<() => void> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await new Promise<void>((resolve, reject) => {
    database.db
      .transaction()
      .execute(async (transaction) => {
        await sql`select 1`.execute(transaction);
        resolve();
        await released;
      })
      .catch(reject);
  });
  return release;
}
