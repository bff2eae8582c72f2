import './sources.js';

/** One filled database for the whole run, of which each shop gets a copy. */
export default async function fillDatabaseOnce() {
  const { fillDatabase } = await import('./filled-database.ts');
  globalThis.rookeryRemoveDatabase = await fillDatabase();
}
