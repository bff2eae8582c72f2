import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedCatalogue } from '../../../src/app/catalogue/seed/seed-catalogue.js';
import { type OpenDatabase, openDatabase } from '../../../src/app/database/open-database.js';

/** Products in the database of each shop. */
export const PRODUCTS = 60;

const VARIABLE = 'ROOKERY_TEST_DATABASE';

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'rookery-database-'));
const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

/** Makes the database that each shop of the run gets a copy of: an embedded Postgres takes seconds to make, and a copy a moment. Returns how to remove it. */
export async function fillDatabase(): Promise<() => Promise<void>> {
  const folder = await newFolder();
  const database = await openDatabase({ folder }, (db) => seedCatalogue(db, PRODUCTS));
  await database.close();
  process.env[VARIABLE] = folder;
  return () => remove(folder);
}

/** A copy of its own of that database, which is gone when it is closed. */
export async function openFilledDatabase(): Promise<OpenDatabase> {
  const filled = process.env[VARIABLE];
  if (filled === undefined) throw new Error(`${VARIABLE} is not set: is this the e2e project?`);
  const folder = await newFolder();
  await cp(filled, folder, { recursive: true });
  const database = await openDatabase({ folder }, async () => undefined);
  const close = async (): Promise<void> => {
    await database.close();
    await remove(folder);
  };
  return { ...database, close };
}
