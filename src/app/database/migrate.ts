import { type Kysely, Migrator } from 'kysely';
import { StartupError } from '../config/startup.error.js';
import { migrations } from './migrations/index.js';
import type { Schema } from './schema.js';

/**
 * Brings the schema up to date, in one transaction; does nothing when it is. Several services may start at once: a
 * lock in the database lets one of them do it.
 *
 * @throws StartupError naming the migration that failed.
 */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results?.find(({ status }) => status === 'Error')?.migrationName;
    const what = failed === undefined ? 'The migrations failed' : `The migration ${failed} failed`;
    const why = error instanceof Error ? error.message : 'for no reason given';
    throw new StartupError(`${what}, and nothing of it was kept: ${why}`, error);
  }
}
